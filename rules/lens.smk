# Logit lens: the vectors as words, through the model's final norm and unembedding.


rule read_lens:
    input:
        model="results/{model}/model.json",
        summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        words=RESOURCES / "leakage/concept_words.csv",
        idioms=RESOURCES / "leakage/idioms.txt",
        geometry="results/{model}/geometry/{story_set}/geometry.json",
    output:
        tokens="results/{model}/lens/{story_set}/lens.csv",
        scores="results/{model}/lens/{story_set}/scores.csv",
        summary="results/{model}/lens/{story_set}/summary.json",
    log:
        "results/logs/{model}/read_lens/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/read_lens/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        cfg={
            "precision": SETTINGS.recording.precision,
            "permutations": SETTINGS.validation.permutations,
            "bootstraps": SETTINGS.validation.bootstraps,
            "seed": SETTINGS.validation.seed,
        },
        code=code_of("read_lens"),
    script:
        "../scripts/read_lens.py"


rule draw_lens:
    input:
        scores="results/{model}/lens/{story_set}/scores.csv",
        summary="results/{model}/lens/{story_set}/summary.json",
    output:
        svg="results/{model}/figures/{story_set}/lens.svg",
        png="results/{model}/figures/{story_set}/lens.png",
    log:
        "results/logs/{model}/draw_lens/{story_set}.log",
    benchmark:
        "results/benchmarks/{model}/draw_lens/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_lens"),
    script:
        "../scripts/draw_lens.py"
