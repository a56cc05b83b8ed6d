# Steering: what the vectors do to words when they are added to the residual stream.


rule steer_words:
    input:
        model="results/{model}/model.json",
        summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        controls=made_here(ancient("results/{model}/vectors/{story_set}/controls.safetensors")),
        prompts=RESOURCES / "text_sets/steered_words.jsonl",
    output:
        changes="results/{model}/steering/{story_set}/words.csv",
        continuations="results/{model}/steering/{story_set}/continuations.jsonl",
        summary="results/{model}/steering/{story_set}/summary.json",
    log:
        "results/logs/{model}/steer_words/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/steer_words/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        cfg={
            **config_of("steering"),
            "precision": SETTINGS.recording.precision,
            "permutations": SETTINGS.validation.permutations,
            "bootstraps": SETTINGS.validation.bootstraps,
        },
        code=code_of("steer_words"),
    script:
        "../scripts/steer_words.py"


rule draw_steering:
    input:
        changes="results/{model}/steering/{story_set}/words.csv",
        summary="results/{model}/steering/{story_set}/summary.json",
    output:
        svg="results/{model}/figures/{story_set}/words.svg",
        png="results/{model}/figures/{story_set}/words.png",
    log:
        "results/logs/{model}/draw_steering/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/draw_steering/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_steering"),
    script:
        "../scripts/draw_steering.py"
