# Row 20: a base model's vectors, read in it and in the same model after its post-training.
SHIFTED = [(pair, story_set) for pair in SETTINGS.run.model_pairs for story_set in STORY_SETS]
PROMPT_LAYERS = [f"results/{{model}}/activations/{kind}/layers" for kind in ("ordinary", "challenging")]
PROMPT_MANIFESTS = [
    f"results/{{model}}/activations/{kind}/manifest.json" for kind in ("ordinary", "challenging")
]


rule compare_pair:
    input:
        base=of_side("base", "results/{model}/model.json"),
        post=of_side("post", "results/{model}/model.json"),
        base_manifests=of_side("base", PROMPT_MANIFESTS),
        post_manifests=of_side("post", PROMPT_MANIFESTS),
        base_layers=ancient(of_side("base", PROMPT_LAYERS)),
        post_layers=ancient(of_side("post", PROMPT_LAYERS)),
        geometry=of_side("base", "results/{model}/geometry/{story_set}/geometry.json"),
        summary_of_vectors=of_side("base", "results/{model}/vectors/{story_set}/summary.json"),
        vectors=ancient(of_side("base", "results/{model}/vectors/{story_set}/vectors.safetensors")),
    output:
        summary="results/comparison/{pair}/{story_set}/shift.json",
        table="results/comparison/{pair}/{story_set}/shift.csv",
    log:
        "results/logs/compare_pair/{pair}/{story_set}.log",
    benchmark:
        "results/benchmarks/compare_pair/{pair}/{story_set}.tsv"
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
        code=code_of("compare_pair"),
    script:
        "../scripts/compare_pair.py"


rule draw_pair:
    input:
        summary="results/comparison/{pair}/{story_set}/shift.json",
        table="results/comparison/{pair}/{story_set}/shift.csv",
    output:
        svg="results/comparison/{pair}/{story_set}/shift.svg",
        png="results/comparison/{pair}/{story_set}/shift.png",
    log:
        "results/logs/draw_pair/{pair}/{story_set}.log",
    benchmark:
        "results/benchmarks/draw_pair/{pair}/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_pair"),
    script:
        "../scripts/draw_pair.py"
