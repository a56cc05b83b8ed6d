# Vectors: concept means minus their mean, raw and denoised.


rule sum_stories:
    input:
        manifest="results/{model}/activations/{story_set}/manifest.json",
        # The manifest carries the digest of all values: an unchanged one stops a rerun here.
        layers=ancient("results/{model}/activations/{story_set}/layers"),
    output:
        sums="results/{model}/vectors/{story_set}/sums.h5",
        digest="results/{model}/vectors/{story_set}/sums.json",
    log:
        "results/logs/{model}/sum_stories/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/sum_stories/{story_set}.tsv"
    wildcard_constraints:
        story_set=any_of(SETTINGS.story_sets),
    conda:
        "../envs/workflow.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        cfg=keys_of("vectors", "seed"),
        code=code_of("sum_stories"),
    script:
        "../scripts/sum_stories.py"


rule compute_vectors:
    input:
        manifest="results/{model}/activations/{story_set}/manifest.json",
        neutral_manifest=f"results/{{model}}/activations/{NEUTRAL}/manifest.json",
        digest="results/{model}/vectors/{story_set}/sums.json",
        sums=ancient("results/{model}/vectors/{story_set}/sums.h5"),
        # Read for the stories' lengths and norms.
        layers=ancient("results/{model}/activations/{story_set}/layers"),
        neutral=ancient(f"results/{{model}}/activations/{NEUTRAL}/layers"),
    output:
        vectors="results/{model}/vectors/{story_set}/vectors.safetensors",
        controls="results/{model}/vectors/{story_set}/controls.safetensors",
        left_out="results/{model}/vectors/{story_set}/leave_one_out.h5",
        reliable="results/{model}/vectors/{story_set}/reliability.csv",
        summary="results/{model}/vectors/{story_set}/summary.json",
    log:
        "results/logs/{model}/compute_vectors/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/compute_vectors/{story_set}.tsv"
    wildcard_constraints:
        story_set=any_of(SETTINGS.story_sets),
    conda:
        "../envs/workflow.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cfg=config_of("vectors"),
        code=code_of("compute_vectors"),
    script:
        "../scripts/compute_vectors.py"


rule import_vectors:
    input:
        # Named here so that a change in them is seen; the script finds them by the settings.
        files=lambda w: SETTINGS.vector_sets[w.vector_set].files(),
        # The unit of steering strength is the model's: it is measured on the neutral dialogues.
        manifest=lambda w: neutral_of(w, "manifest.json"),
        neutral=lambda w: ancient(neutral_of(w, "layers")),
    output:
        vectors="results/{model}/vectors/{vector_set}/vectors.safetensors",
        summary="results/{model}/vectors/{vector_set}/summary.json",
    log:
        "results/logs/{model}/import_vectors/{vector_set}.log",
    benchmark:
        "results/benchmarks/{model}/import_vectors/{vector_set}.tsv"
    wildcard_constraints:
        model=any_of([*SETTINGS.models, NO_MODEL]),
        vector_set=any_of(SETTINGS.vector_sets),
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cfg=lambda w: {
            **SETTINGS.vector_sets[w.vector_set].model_dump(mode="json"),
            "model": SETTINGS.models[w.model].source if w.model in SETTINGS.models else None,
        },
        code=code_of("import_vectors"),
    script:
        "../scripts/import_vectors.py"
