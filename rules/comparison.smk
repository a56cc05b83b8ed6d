# Comparison: the same model, different stories.
COMPARED = MODELS if len(STORY_SETS) > 1 else []


rule compare_story_sets:
    input:
        summaries=for_sets("results/{model}/vectors/{story_set}/summary.json"),
        vectors=ancient(for_sets("results/{model}/vectors/{story_set}/vectors.safetensors")),
    output:
        agreement="results/{model}/comparison/story_sets.csv",
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
        cfg={"story_sets": STORY_SETS},
        code=code_of("compare_story_sets"),
    script:
        "../scripts/compare_story_sets.py"


rule draw_story_sets:
    input:
        retrieval=for_sets("results/{model}/validation/{story_set}/retrieval.csv"),
        regression=for_sets("results/{model}/validation/{story_set}/regression.csv"),
        agreement="results/{model}/comparison/story_sets.csv",
    output:
        svg="results/{model}/figures/story_sets.svg",
        png="results/{model}/figures/story_sets.png",
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
        cfg={"story_sets": STORY_SETS},
        code=code_of("draw_story_sets"),
    script:
        "../scripts/draw_story_sets.py"
