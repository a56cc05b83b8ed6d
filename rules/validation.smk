# Validation: retrieval on held-out topics, geometry, human ratings.
RETRIEVAL_FIGURES = ["retrieval", "growth", "reliability"]
GEOMETRY_FIGURES = ["cosines", "components", "valence", "arousal", "clusters", "layers", "umap"]


rule fetch_ratings:
    input:
        # A table of the concepts' names is all that is needed of stories and of imported vectors.
        texts=expand("results/texts/{story_set}.jsonl", story_set=STORY_SETS),
        imported=[f"results/{m}/vectors/{name}/summary.json" for m, name in IMPORTED],
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


rule validate_retrieval:
    input:
        manifest="results/{model}/activations/{story_set}/manifest.json",
        digest="results/{model}/vectors/{story_set}/sums.json",
        sums=ancient("results/{model}/vectors/{story_set}/sums.h5"),
        layers=ancient("results/{model}/activations/{story_set}/layers"),
        texts="results/texts/{story_set}.jsonl",
    output:
        by_layer="results/{model}/validation/{story_set}/retrieval.csv",
        growth="results/{model}/validation/{story_set}/growth.csv",
        confusion="results/{model}/validation/{story_set}/confusion.csv",
        summary="results/{model}/validation/{story_set}/retrieval.json",
    log:
        "results/logs/{model}/validate_retrieval/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/validate_retrieval/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        cfg=keys_of("validation", "max_splits", "retrieval_shuffles", "bootstraps", "seed"),
        code=code_of("validate_retrieval"),
    script:
        "../scripts/validate_retrieval.py"


rule draw_retrieval:
    input:
        by_layer="results/{model}/validation/{story_set}/retrieval.csv",
        growth="results/{model}/validation/{story_set}/growth.csv",
        summary="results/{model}/validation/{story_set}/retrieval.json",
        reliability="results/{model}/vectors/{story_set}/reliability.csv",
    output:
        svg=expand("results/{{model}}/figures/{{story_set}}/{name}.svg", name=RETRIEVAL_FIGURES),
        png=expand("results/{{model}}/figures/{{story_set}}/{name}.png", name=RETRIEVAL_FIGURES),
    log:
        "results/logs/{model}/draw_retrieval/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/draw_retrieval/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_retrieval"),
    script:
        "../scripts/draw_retrieval.py"


rule describe_geometry:
    input:
        summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        ratings="results/ratings.csv",
        # Vectors that were made elsewhere have neither.
        retrieval=made_here("results/{model}/validation/{story_set}/retrieval.json"),
        covariates=made_here("results/{model}/vectors/{story_set}/reliability.csv"),
    output:
        components="results/{model}/geometry/{story_set}/components.csv",
        regression="results/{model}/geometry/{story_set}/regression.csv",
        similarity="results/{model}/geometry/{story_set}/cosines.csv",
        plane="results/{model}/geometry/{story_set}/concepts.csv",
        clusters="results/{model}/geometry/{story_set}/clusters.csv",
        layers="results/{model}/geometry/{story_set}/layers.csv",
        summary="results/{model}/geometry/{story_set}/geometry.json",
    log:
        "results/logs/{model}/describe_geometry/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/describe_geometry/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cfg=keys_of("validation", "layer", "permutations", "bootstraps", "cluster_starts", "seed"),
        code=code_of("describe_geometry"),
    script:
        "../scripts/describe_geometry.py"


rule map_concepts:
    input:
        summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        geometry="results/{model}/geometry/{story_set}/geometry.json",
    output:
        plane="results/{model}/geometry/{story_set}/umap.csv",
    log:
        "results/logs/{model}/map_concepts/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/map_concepts/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        cfg=keys_of("validation", "seed"),
        code=code_of("map_concepts"),
    script:
        "../scripts/map_concepts.py"


rule draw_geometry:
    input:
        components="results/{model}/geometry/{story_set}/components.csv",
        regression="results/{model}/geometry/{story_set}/regression.csv",
        similarity="results/{model}/geometry/{story_set}/cosines.csv",
        plane="results/{model}/geometry/{story_set}/concepts.csv",
        clusters="results/{model}/geometry/{story_set}/clusters.csv",
        layers="results/{model}/geometry/{story_set}/layers.csv",
        umap="results/{model}/geometry/{story_set}/umap.csv",
        summary="results/{model}/geometry/{story_set}/geometry.json",
        paper=RESOURCES / "paper_figures.json",
    output:
        svg=expand("results/{{model}}/figures/{{story_set}}/{name}.svg", name=GEOMETRY_FIGURES),
        png=expand("results/{{model}}/figures/{{story_set}}/{name}.png", name=GEOMETRY_FIGURES),
    log:
        "results/logs/{model}/draw_geometry/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/draw_geometry/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_geometry"),
    script:
        "../scripts/draw_geometry.py"
