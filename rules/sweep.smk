# Texts of others: corpora in which the vectors' top snippets are looked for, and texts with labels.
CORPORA = SETTINGS.run.corpora
LABELLED_SETS = SETTINGS.run.labelled_sets
SWEPT = [(*pair, corpus) for pair in WITH_MODEL for corpus in CORPORA]
LABELLED = [(*pair, labelled_set) for pair in WITH_MODEL for labelled_set in LABELLED_SETS]


wildcard_constraints:
    corpus=any_of(SETTINGS.corpora),
    labelled_set=any_of(SETTINGS.labelled_sets),


rule fetch_corpus:
    input:
        files=lambda w: corpus_files(SETTINGS.corpora[w.corpus]),
    output:
        documents="results/texts/corpora/{corpus}.jsonl",
    log:
        "results/logs/texts/fetch_corpus/{corpus}.log",
    benchmark:
        "results/benchmarks/texts/fetch_corpus/{corpus}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=120,
    params:
        cfg=lambda w: SETTINGS.corpora[w.corpus].model_dump(mode="json"),
        code=code_of("fetch_corpus"),
    script:
        "../scripts/fetch_corpus.py"


rule sweep_corpus:
    input:
        documents="results/texts/corpora/{corpus}.jsonl",
        model="results/{model}/model.json",
        summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        geometry="results/{model}/geometry/{story_set}/geometry.json",
        words=RESOURCES / "leakage/concept_words.csv",
        idioms=RESOURCES / "leakage/idioms.txt",
    output:
        snippets="results/{model}/sweep/{story_set}/{corpus}.snippets.jsonl",
        rates="results/{model}/sweep/{story_set}/{corpus}.csv",
        summary="results/{model}/sweep/{story_set}/{corpus}.json",
    log:
        "results/logs/{model}/sweep_corpus/{story_set}.{corpus}.log",
    benchmark:
        "results/benchmarks/{model}/sweep_corpus/{story_set}.{corpus}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
        # Tokens in a batch (0: what is usual for the device): a machine's matter, which reruns nothing.
        batch_tokens=0,
    params:
        cfg={
            **config_of("sweep"),
            "precision": SETTINGS.recording.precision,
            "permutations": SETTINGS.validation.permutations,
            "bootstraps": SETTINGS.validation.bootstraps,
        },
        code=code_of("sweep_corpus"),
    script:
        "../scripts/sweep_corpus.py"


rule score_labelled:
    input:
        texts=lambda w: SETTINGS.labelled_sets[w.labelled_set].files()["path"],
        concepts=lambda w: SETTINGS.labelled_sets[w.labelled_set].files()["concepts"],
        names=lambda w: SETTINGS.labelled_sets[w.labelled_set].files().get("names", []),
        model="results/{model}/model.json",
        summary_of_vectors="results/{model}/vectors/{story_set}/summary.json",
        vectors=ancient("results/{model}/vectors/{story_set}/vectors.safetensors"),
        geometry="results/{model}/geometry/{story_set}/geometry.json",
    output:
        scores="results/{model}/labelled/{story_set}/{labelled_set}.csv",
        summary="results/{model}/labelled/{story_set}/{labelled_set}.json",
    log:
        "results/logs/{model}/score_labelled/{story_set}.{labelled_set}.log",
    benchmark:
        "results/benchmarks/{model}/score_labelled/{story_set}.{labelled_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        cfg=lambda w: {
            **keys_of("recording", "precision", "max_tokens"),
            **keys_of("sweep", "random_directions", "seed"),
            **keys_of("validation", "permutations", "bootstraps"),
            "columns": SETTINGS.labelled_sets[w.labelled_set].columns,
        },
        code=code_of("score_labelled"),
    script:
        "../scripts/score_labelled.py"


rule draw_sweep:
    input:
        rates="results/{model}/sweep/{story_set}/{corpus}.csv",
        summary="results/{model}/sweep/{story_set}/{corpus}.json",
    output:
        svg="results/{model}/figures/{story_set}/sweep-{corpus}.svg",
        png="results/{model}/figures/{story_set}/sweep-{corpus}.png",
    log:
        "results/logs/{model}/draw_sweep/{story_set}.{corpus}.log",
    benchmark:
        "results/benchmarks/{model}/draw_sweep/{story_set}.{corpus}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_sweep"),
    script:
        "../scripts/draw_sweep.py"


rule draw_labelled:
    input:
        scores="results/{model}/labelled/{story_set}/{labelled_set}.csv",
    output:
        svg="results/{model}/figures/{story_set}/labelled-{labelled_set}.svg",
        png="results/{model}/figures/{story_set}/labelled-{labelled_set}.png",
    log:
        "results/logs/{model}/draw_labelled/{story_set}.{labelled_set}.log",
    benchmark:
        "results/benchmarks/{model}/draw_labelled/{story_set}.{labelled_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("draw_labelled"),
    script:
        "../scripts/draw_labelled.py"
