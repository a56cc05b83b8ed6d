# Vectors: concept means minus their mean, raw and denoised.


rule compute_vectors:
    input:
        manifest="results/{model}/activations/{story_set}/manifest.json",
        neutral_manifest=f"results/{{model}}/activations/{NEUTRAL}/manifest.json",
        # The manifests carry the digest of all values: unchanged ones stop a rerun here.
        layers=ancient("results/{model}/activations/{story_set}/layers"),
        neutral=ancient(f"results/{{model}}/activations/{NEUTRAL}/layers"),
    output:
        vectors="results/{model}/vectors/{story_set}/vectors.safetensors",
        summary="results/{model}/vectors/{story_set}/summary.json",
    log:
        "results/logs/{model}/compute_vectors/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/compute_vectors/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cfg=config_of("vectors"),
        code=code_of("compute_vectors"),
    script:
        "../scripts/compute_vectors.py"
