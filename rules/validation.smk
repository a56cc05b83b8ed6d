# Validation: held-out retrieval, similarity, components against human ratings.
VALIDATION_FIGURES = ["retrieval", "cosines", "components", "valence", "arousal"]


rule fetch_ratings:
    input:
        texts=expand("results/texts/{story_set}.jsonl", story_set=STORY_SETS),
        lemmas=RESOURCES / "rating_lemmas.csv",
        own=SETTINGS.ratings.path or [],
    output:
        ratings="results/ratings.csv",
    log:
        "results/logs/fetch_ratings.log",
    benchmark:
        "results/benchmarks/fetch_ratings.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        cfg=config_of("ratings"),
        code=code_of("fetch_ratings"),
    script:
        "../scripts/fetch_ratings.py"


rule validate_vectors:
    input:
        summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        manifest="results/{model}/activations/{story_set}/manifest.json",
        layers=ancient("results/{model}/activations/{story_set}/layers"),
        texts="results/texts/{story_set}.jsonl",
        ratings="results/ratings.csv",
    output:
        retrieval="results/{model}/validation/{story_set}/retrieval.csv",
        components="results/{model}/validation/{story_set}/components.csv",
        regression="results/{model}/validation/{story_set}/regression.csv",
        similarity="results/{model}/validation/{story_set}/cosines.csv",
        plane="results/{model}/validation/{story_set}/plane.csv",
        summary="results/{model}/validation/{story_set}/summary.json",
    log:
        "results/logs/{model}/validate_vectors/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/validate_vectors/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cfg=config_of("validation"),
        code=code_of("validate_vectors"),
    script:
        "../scripts/validate_vectors.py"


rule draw_validation:
    input:
        retrieval="results/{model}/validation/{story_set}/retrieval.csv",
        components="results/{model}/validation/{story_set}/components.csv",
        regression="results/{model}/validation/{story_set}/regression.csv",
        similarity="results/{model}/validation/{story_set}/cosines.csv",
        plane="results/{model}/validation/{story_set}/plane.csv",
        summary="results/{model}/validation/{story_set}/summary.json",
        paper=RESOURCES / "paper_figures.json",
    output:
        svg=expand("results/{{model}}/figures/{{story_set}}/{name}.svg", name=VALIDATION_FIGURES),
        png=expand("results/{{model}}/figures/{{story_set}}/{name}.png", name=VALIDATION_FIGURES),
    log:
        "results/logs/{model}/draw_validation/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/draw_validation/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_validation"),
    script:
        "../scripts/draw_validation.py"
