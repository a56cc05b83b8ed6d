# Comparison: the same model, different stories; the same stories, different models.
COMPARED = MODELS if len(STORY_SETS) > 1 else []
COMPARED_SETS = STORY_SETS if len(MODELS) > 1 else []


rule compare_story_sets:
    input:
        summaries=for_sets("results/{model}/vectors/{story_set}/summary.json"),
        vectors=ancient(for_sets("results/{model}/vectors/{story_set}/vectors.safetensors")),
    output:
        agreement="results/{model}/comparison/story_sets.csv",
        concepts="results/{model}/comparison/concepts.csv",
    log:
        "results/logs/{model}/compare_story_sets.log",
    benchmark:
        "results/benchmarks/{model}/compare_story_sets.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cfg={"names": STORY_SETS, "seed": SETTINGS.validation.seed},
        code=code_of("compare_story_sets"),
    script:
        "../scripts/compare_story_sets.py"


rule draw_story_sets:
    input:
        retrieval=for_sets("results/{model}/validation/{story_set}/retrieval.csv"),
        regression=for_sets("results/{model}/geometry/{story_set}/regression.csv"),
        agreement="results/{model}/comparison/story_sets.csv",
    output:
        svg=expand("results/{{model}}/figures/{name}.svg", name=["story_sets", "agreement"]),
        png=expand("results/{{model}}/figures/{name}.png", name=["story_sets", "agreement"]),
    log:
        "results/logs/{model}/draw_story_sets.log",
    benchmark:
        "results/benchmarks/{model}/draw_story_sets.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        cfg={"names": STORY_SETS},
        code=code_of("draw_story_sets"),
    script:
        "../scripts/draw_story_sets.py"


rule compare_models:
    input:
        summaries=expand("results/{model}/vectors/{story_set}/summary.json", model=MODELS, allow_missing=True),
        vectors=ancient(
            expand(
                "results/{model}/vectors/{story_set}/vectors.safetensors", model=MODELS, allow_missing=True
            )
        ),
    output:
        agreement="results/comparison/{story_set}/models.csv",
    log:
        "results/logs/compare_models/{story_set}.log",
    benchmark:
        "results/benchmarks/compare_models/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cfg={"names": MODELS, "seed": SETTINGS.validation.seed},
        code=code_of("compare_models"),
    script:
        "../scripts/compare_models.py"


rule draw_models:
    input:
        agreement="results/comparison/{story_set}/models.csv",
    output:
        svg="results/comparison/{story_set}/models.svg",
        png="results/comparison/{story_set}/models.png",
    log:
        "results/logs/draw_models/{story_set}.log",
    benchmark:
        "results/benchmarks/draw_models/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_models"),
    script:
        "../scripts/draw_models.py"
