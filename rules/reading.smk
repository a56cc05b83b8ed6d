# Reading: what the vectors read in texts of our own (method.md, rows 3, 4, 9 to 16).
ANALYSED = SETTINGS.reading.experiments


rule lay_out_texts:
    input:
        source=text_source,
    output:
        texts="results/texts/{experiment}.jsonl",
    log:
        "results/logs/texts/lay_out_texts/{experiment}.log",
    benchmark:
        "results/benchmarks/texts/lay_out_texts/{experiment}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("lay_out_texts"),
    script:
        "../scripts/lay_out_texts.py"


rule write_replies:
    input:
        model="results/{model}/model.json",
        texts=f"results/texts/{ANSWERED}.jsonl",
    output:
        answered=f"results/{{model}}/texts/{ANSWERED}.jsonl",
    log:
        "results/logs/{model}/write_replies.log",
    benchmark:
        "results/benchmarks/{model}/write_replies.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        cfg={
            **keys_of("reading", "reply_tokens", "seed"),
            "formats": [name for name in SETTINGS.reading.formats if name != "named"],
            "precision": SETTINGS.recording.precision,
        },
        code=code_of("write_replies"),
    script:
        "../scripts/write_replies.py"


rule record_places:
    input:
        texts=[texts_of(name) for name in ANALYSED],
        model="results/{model}/model.json",
    output:
        layers=directory(expand("results/{{model}}/activations/{experiment}/layers", experiment=ANALYSED)),
        manifests=expand("results/{{model}}/activations/{experiment}/manifest.json", experiment=ANALYSED),
    log:
        "results/logs/{model}/record_places.log",
    benchmark:
        "results/benchmarks/{model}/record_places.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=120,
        # As in record_texts.
        batch_tokens=0,
        part_seconds=20,
    params:
        cfg={**keys_of("recording", "precision", "storage"), "formats": SETTINGS.reading.limits()},
        code=code_of("record_places"),
    script:
        "../scripts/record_places.py"


# The texts of row 20 are read where two models are compared. A post-trained model reads these alone.
use rule record_places as record_prompts with:
    input:
        texts=[texts_of(name) for name in PROMPTS],
        model="results/{model}/model.json",
    output:
        layers=directory(expand("results/{{model}}/activations/{experiment}/layers", experiment=PROMPTS)),
        manifests=expand("results/{{model}}/activations/{experiment}/manifest.json", experiment=PROMPTS),
    log:
        "results/logs/{model}/record_prompts.log",
    benchmark:
        "results/benchmarks/{model}/record_prompts.tsv"


# What an analysis needs beside the experiment itself.
GEOMETRY = "results/{model}/geometry/{story_set}/geometry.json"
# Vectors that were made elsewhere have none of shuffled labels.
SHUFFLED = {"controls": made_here(ancient("results/{model}/vectors/{story_set}/controls.safetensors"))}
MORE_INPUT = {
    "implicit": {"stories": made_here("results/texts/{story_set}.jsonl"), **SHUFFLED},
    "binding": SHUFFLED,
    "numbers": {"geometry": GEOMETRY},
    "turns": {"geometry": GEOMETRY},
    "locality": {"geometry": GEOMETRY},
    "states": {
        "geometry": GEOMETRY,
        "stories_manifest": made_here("results/{model}/activations/{story_set}/manifest.json"),
        "stories": made_here(ancient("results/{model}/activations/{story_set}/layers")),
    },
    "speakers": {"geometry": GEOMETRY, "ratings": "results/ratings.csv"},
    "unexpressed": {"geometry": GEOMETRY},
}

for experiment in ANALYSED:

    rule:
        name:
            f"analyse_{experiment}"
        input:
            **MORE_INPUT.get(experiment, {}),
            manifest=f"results/{{model}}/activations/{experiment}/manifest.json",
            layers=ancient(f"results/{{model}}/activations/{experiment}/layers"),
            texts=texts_of(experiment),
            summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
            vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        output:
            summary=f"results/{{model}}/reading/{{story_set}}/{experiment}.json",
            table=f"results/{{model}}/reading/{{story_set}}/{experiment}.csv",
        log:
            f"results/logs/{{model}}/analyse_{experiment}/{{story_set}}.log",
        benchmark:
            f"results/benchmarks/{{model}}/analyse_{experiment}/{{story_set}}.tsv"
        conda:
            "../envs/workflow.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            cfg={
                **keys_of("validation", "permutations", "bootstraps"),
                **keys_of("reading", "seed"),
            },
            code=code_of(f"analyse_{experiment}"),
            # The path of a script is made when its job starts: a variable of this loop would then be the last.
            experiment=experiment,
        script:
            "../scripts/analyse_{params.experiment}.py"


rule draw_reading:
    input:
        summaries=expand("results/{{model}}/reading/{{story_set}}/{name}.json", name=ANALYSED),
        tables=expand("results/{{model}}/reading/{{story_set}}/{name}.csv", name=ANALYSED),
    output:
        svg=expand("results/{{model}}/figures/{{story_set}}/{name}.svg", name=ANALYSED),
        png=expand("results/{{model}}/figures/{{story_set}}/{name}.png", name=ANALYSED),
    log:
        "results/logs/{model}/draw_reading/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/draw_reading/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_reading"),
    script:
        "../scripts/draw_reading.py"
