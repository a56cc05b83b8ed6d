# Texts: stories that exist, stories that a model writes, and neutral dialogues.


rule import_stories:
    input:
        source=lambda w: story_file(w.story_set, SETTINGS.story_sets[w.story_set], RESOURCES),
    output:
        stories="results/texts/{story_set}.jsonl",
    log:
        "results/logs/texts/{story_set}.log",
    benchmark:
        "results/benchmarks/texts/{story_set}.tsv"
    wildcard_constraints:
        story_set="|".join(re.escape(n) for n in SETTINGS.story_sets if n not in GENERATED) or "none^",
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        cfg={"emotions": SETTINGS.emotions},
        code=code_of("import_stories"),
    script:
        "../scripts/import_stories.py"


rule write_stories:
    input:
        model=lambda w: f"results/{SETTINGS.story_sets[w.story_set].model}/model.json",
        prompt=RESOURCES / "prompts/story.jinja",
        topics=RESOURCES / "topics.txt",
    output:
        stories="results/texts/{story_set}.jsonl",
        summary="results/texts/{story_set}.summary.json",
    log:
        "results/logs/texts/{story_set}.log",
    benchmark:
        "results/benchmarks/texts/{story_set}.tsv"
    wildcard_constraints:
        story_set="|".join(map(re.escape, GENERATED)) or "none^",
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        cfg=lambda w: {
            **SETTINGS.story_sets[w.story_set].model_dump(mode="json"),
            "emotions": concepts_to_write(SETTINGS, RESOURCES),
        },
        code=code_of("write_stories"),
    script:
        "../scripts/write_stories.py"


rule import_neutral:
    input:
        source=SETTINGS.neutral.path or RESOURCES / "neutral/dialogues.jsonl",
    output:
        texts=f"results/texts/{NEUTRAL}.jsonl",
    log:
        f"results/logs/texts/{NEUTRAL}.log",
    benchmark:
        f"results/benchmarks/texts/{NEUTRAL}.tsv"
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
