# Export: the vectors as llama.cpp's control vectors, and a card that says what they are.


rule export_vectors:
    input:
        model="results/{model}/model.json",
        summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        reliability="results/{model}/vectors/{story_set}/reliability.csv",
        retrieval="results/{model}/validation/{story_set}/retrieval.json",
        template=RESOURCES / "report/card.md.jinja",
    output:
        gguf=directory("results/{model}/vectors/{story_set}/export/gguf"),
        card="results/{model}/vectors/{story_set}/README.md",
    log:
        "results/logs/{model}/export_vectors/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/export_vectors/{story_set}.tsv"
    wildcard_constraints:
        story_set=any_of(SETTINGS.story_sets),
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        cfg=lambda w: {
            "story_set": w.story_set,
            "source": SETTINGS.story_sets[w.story_set].source,
            "strength": SETTINGS.steering.strength,
        },
        code=code_of("export_vectors"),
    script:
        "../scripts/export_vectors.py"
