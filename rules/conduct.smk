# Conduct: what a model would say and says in scenarios under steering (method.md, rows 16 to 19), and what remedies undo.
import shutil

# Vectors of deflection are made of what `unexpressed` reads: without it there is no denial to steer.
CONDUCTED = [
    name
    for name in SETTINGS.conduct.experiments
    if CONDUCT[name].vectors == "stories" or "unexpressed" in SETTINGS.reading.experiments
]
STEERED = [
    (model, story_set)
    for model in MODELS
    for story_set in steering_sets(SETTINGS.conduct.story_sets if CONDUCTED else [])
]
MEASURES = [measure for name in CONDUCTED for measure in CONDUCT[name].measures]
SCENARIOS = [RESOURCES / CONDUCT[name].source for name in CONDUCTED]
OF_CONDUCT = "results/{model}/conduct/{story_set}"
# Of emotions that are there and not shown.
DEFLECTION = "results/{model}/vectors/{story_set}/deflection.safetensors"


if CONDUCTED:

    rule compute_deflection:
        input:
            manifest="results/{model}/activations/unexpressed/manifest.json",
            layers=ancient("results/{model}/activations/unexpressed/layers"),
            texts="results/texts/unexpressed.jsonl",
            summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
            vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        output:
            deflection=DEFLECTION,
        log:
            "results/logs/{model}/compute_deflection/{story_set}.log",
        benchmark:
            "results/benchmarks/{model}/compute_deflection/{story_set}.tsv"
        conda:
            "../envs/workflow.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            code=code_of("compute_deflection"),
        script:
            "../scripts/compute_deflection.py"

    rule steer_conduct:
        input:
            model="results/{model}/model.json",
            summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
            vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
            controls=ancient("results/{model}/vectors/{story_set}/controls.safetensors"),
            deflection=[DEFLECTION] if "denial" in CONDUCTED else [],
            scenarios=SCENARIOS,
        output:
            scores=expand(f"{OF_CONDUCT}/{{name}}.scores.csv", name=CONDUCTED, allow_missing=True),
            replies=expand(f"{OF_CONDUCT}/{{name}}.replies.jsonl", name=CONDUCTED, allow_missing=True),
        log:
            "results/logs/{model}/steer_conduct/{story_set}.log",
        benchmark:
            "results/benchmarks/{model}/steer_conduct/{story_set}.tsv"
        conda:
            "../envs/workflow.yaml"
        threads: 8
        resources:
            mem_mb=8000,
            runtime=480,
        params:
            cfg={
                **config_of("conduct"),
                "experiments": CONDUCTED,
                **keys_of("steering", "format", "layers", "control_directions"),
                "precision": SETTINGS.recording.precision,
            },
            code=code_of("steer_conduct"),
        script:
            "../scripts/steer_conduct.py"

    rule judge_replies:
        input:
            scenarios=SCENARIOS,
            replies=expand(f"{OF_CONDUCT}/{{name}}.replies.jsonl", name=CONDUCTED, allow_missing=True),
        output:
            verdicts=expand(f"{OF_CONDUCT}/{{name}}.jsonl", name=CONDUCTED, allow_missing=True),
        log:
            "results/logs/{model}/judge_replies/{story_set}.log",
        benchmark:
            "results/benchmarks/{model}/judge_replies/{story_set}.tsv"
        conda:
            "../envs/workflow.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=120,
        params:
            # Once bubblewrap is there, replies that could not be run before are judged.
            cfg={"experiments": CONDUCTED, "sandbox": bool(shutil.which("bwrap"))},
            code=code_of("judge_replies"),
        script:
            "../scripts/judge_replies.py"

    rule analyse_conduct:
        input:
            scores=expand(f"{OF_CONDUCT}/{{name}}.scores.csv", name=CONDUCTED, allow_missing=True),
            verdicts=expand(f"{OF_CONDUCT}/{{name}}.jsonl", name=CONDUCTED, allow_missing=True),
        output:
            summary=f"{OF_CONDUCT}/summary.json",
            effects=f"{OF_CONDUCT}/effects.csv",
            rates=f"{OF_CONDUCT}/rates.csv",
        log:
            "results/logs/{model}/analyse_conduct/{story_set}.log",
        benchmark:
            "results/benchmarks/{model}/analyse_conduct/{story_set}.tsv"
        conda:
            "../envs/workflow.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            cfg={
                "experiments": CONDUCTED,
                **keys_of("conduct", "strengths"),
                **keys_of("steering", "max_perplexity_ratio", "max_repetition"),
                **keys_of("validation", "permutations", "bootstraps", "seed"),
            },
            code=code_of("analyse_conduct"),
        script:
            "../scripts/analyse_conduct.py"

    rule draw_conduct:
        input:
            summary=f"{OF_CONDUCT}/summary.json",
            effects=f"{OF_CONDUCT}/effects.csv",
            rates=f"{OF_CONDUCT}/rates.csv",
        output:
            svg=expand("results/{model}/figures/{story_set}/{name}.svg", name=MEASURES, allow_missing=True),
            png=expand("results/{model}/figures/{story_set}/{name}.png", name=MEASURES, allow_missing=True),
        log:
            "results/logs/{model}/draw_conduct/{story_set}.log",
        benchmark:
            "results/benchmarks/{model}/draw_conduct/{story_set}.tsv"
        conda:
            "../envs/workflow.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            code=code_of("draw_conduct"),
        script:
            "../scripts/draw_conduct.py"
