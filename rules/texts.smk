# Texts: stories that exist, stories and dialogues that a model writes, their checks; neutral dialogues.


rule import_stories:
    input:
        source=lambda w: story_file(w.story_set, SETTINGS.story_sets[w.story_set], RESOURCES) or [],
    output:
        stories="results/texts/raw/{story_set}.jsonl",
    log:
        "results/logs/texts/import_stories/{story_set}.log",
    benchmark:
        "results/benchmarks/texts/import_stories/{story_set}.tsv"
    wildcard_constraints:
        story_set=any_of(n for n in SETTINGS.story_sets if n not in WRITTEN),
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        cfg=lambda w: {
            **SETTINGS.story_sets[w.story_set].model_dump(mode="json"),
            "emotions": SETTINGS.emotions,
        },
        code=code_of("import_stories"),
    script:
        "../scripts/import_stories.py"


rule write_stories:
    input:
        model=lambda w: writer_of(SETTINGS.story_sets[w.story_set]),
        prompt=RESOURCES / "prompts/story.jinja",
        topics=RESOURCES / "topics.txt",
        words=RESOURCES / "leakage/concept_words.csv",
        idioms=RESOURCES / "leakage/idioms.txt",
    output:
        stories="results/texts/raw/{story_set}.jsonl",
        summary="results/texts/raw/{story_set}.summary.json",
    log:
        "results/logs/texts/write_stories/{story_set}.log",
    benchmark:
        "results/benchmarks/texts/write_stories/{story_set}.tsv"
    wildcard_constraints:
        story_set=any_of(WRITTEN),
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
        # Replies that are sampled together: a machine's matter, which reruns nothing.
        batch_texts=32,
    params:
        cfg=lambda w: {
            **SETTINGS.story_sets[w.story_set].model_dump(mode="json"),
            "emotions": concepts_to_write(w.story_set, SETTINGS, RESOURCES),
            "checks": SETTINGS.checks.model_dump(mode="json"),
        },
        code=code_of("write_stories"),
    script:
        "../scripts/write_stories.py"


rule check_stories:
    input:
        source="results/texts/raw/{story_set}.jsonl",
        words=RESOURCES / "leakage/concept_words.csv",
        idioms=RESOURCES / "leakage/idioms.txt",
    output:
        stories="results/texts/{story_set}.jsonl",
        summary="results/texts/{story_set}.checks.json",
    log:
        "results/logs/texts/check_stories/{story_set}.log",
        dropped="results/texts/{story_set}.dropped.jsonl",
    benchmark:
        "results/benchmarks/texts/check_stories/{story_set}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        cfg=config_of("checks"),
        code=code_of("check_stories"),
    script:
        "../scripts/check_stories.py"


rule write_dialogues:
    input:
        model=lambda w: writer_of(SETTINGS.text_sets[w.dialogue_set]),
        prompt=lambda w: RESOURCES / f"prompts/{SETTINGS.text_sets[w.dialogue_set].kind}.jinja",
        topics=RESOURCES / "topics.txt",
        words=RESOURCES / "leakage/concept_words.csv",
        idioms=RESOURCES / "leakage/idioms.txt",
    output:
        texts="results/texts/{dialogue_set}.jsonl",
        summary="results/texts/{dialogue_set}.summary.json",
    log:
        "results/logs/texts/write_dialogues/{dialogue_set}.log",
    benchmark:
        "results/benchmarks/texts/write_dialogues/{dialogue_set}.tsv"
    wildcard_constraints:
        dialogue_set=any_of(SETTINGS.text_sets),
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
        batch_texts=32,
    params:
        cfg=lambda w: SETTINGS.text_sets[w.dialogue_set].model_dump(mode="json"),
        code=code_of("write_dialogues"),
    script:
        "../scripts/write_dialogues.py"


rule import_neutral:
    input:
        source=neutral_file(SETTINGS, RESOURCES),
    output:
        texts=f"results/texts/{NEUTRAL}.jsonl",
    log:
        f"results/logs/texts/import_neutral/{NEUTRAL}.log",
    benchmark:
        f"results/benchmarks/texts/import_neutral/{NEUTRAL}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        cfg=config_of("neutral"),
        code=code_of("import_neutral"),
    script:
        "../scripts/import_neutral.py"
