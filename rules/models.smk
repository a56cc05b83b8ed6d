# Models: brought to this disk once, and described.


rule fetch_model:
    input:
        # A folder's own files, so that a changed checkpoint is seen.
        files=lambda w: source_files(SETTINGS.models[w.model].source),
    output:
        model="results/{model}/model.json",
    log:
        "results/logs/{model}/fetch_model.log",
    benchmark:
        "results/benchmarks/{model}/fetch_model.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        cfg=lambda w: SETTINGS.models[w.model].model_dump(mode="json"),
        code=code_of("fetch_model"),
    script:
        "../scripts/fetch_model.py"
