# Recording: texts in, pooled residual streams of every layer out.


rule record_texts:
    input:
        texts="results/texts/{text_set}.jsonl",
        model="results/{model}/model.json",
    output:
        layers=directory("results/{model}/activations/{text_set}/layers"),
        manifest="results/{model}/activations/{text_set}/manifest.json",
    log:
        "results/logs/{model}/record_texts/{text_set}.log",
    benchmark:
        "results/benchmarks/{model}/record_texts/{text_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
        # Tokens in a batch, padding included (0: tried out when a large recording begins), and how often
        # finished work is written out: a machine's matter, which changes no result and reruns nothing.
        batch_tokens=0,
        part_seconds=20,
    params:
        cfg=recording_of,
        code=code_of("record_texts"),
    script:
        "../scripts/record_texts.py"
