# Token pictures: texts coloured token by token by the vectors.


rule color_texts:
    input:
        model="results/{model}/model.json",
        summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        texts=RESOURCES / "text_sets/pictures.jsonl",
        geometry="results/{model}/geometry/{story_set}/geometry.json",
        part=RESOURCES / "report/picture.html.jinja",
        page=RESOURCES / "report/picture_page.html.jinja",
        style=RESOURCES / "report/picture.css",
    output:
        parts="results/{model}/pictures/{story_set}/parts.jsonl",
        pages=directory("results/{model}/pictures/{story_set}/pages"),
    log:
        "results/logs/{model}/color_texts/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/color_texts/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        cfg={"precision": SETTINGS.recording.precision},
        code=code_of("color_texts"),
    script:
        "../scripts/color_texts.py"
