# Reading: what the vectors read in texts of our own (method.md, rows 3, 4, 9 to 16).
# The texts of row 20 are read where two models are compared, and by those alone.
READ = [*SETTINGS.reading.experiments, *(PROMPTS if SETTINGS.run.model_pairs else [])]



def text_source(wildcards):
    """An experiment's file: the user's, or the bundled one."""
    own = SETTINGS.reading.paths.get(wildcards.experiment)
    return own or RESOURCES / "text_sets" / (EXPERIMENTS | PROMPTS)[wildcards.experiment].source


def texts_to_read(wildcards):
    """Every experiment's texts; those that the model answers, with its replies."""
    return [
        f"results/{wildcards.model}/texts/{name}.jsonl" if name == ANSWERED else f"results/texts/{name}.jsonl"
        for name in READ
    ]


rule lay_out_texts:
    input:
        source=text_source,
    output:
        texts="results/texts/{experiment}.jsonl",
    log:
        "results/logs/texts/lay_out_texts/{experiment}.log",
    benchmark:
        "results/benchmarks/texts/lay_out_texts/{experiment}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("lay_out_texts"),
    script:
        "../scripts/lay_out_texts.py"


rule write_replies:
    input:
        model="results/{model}/model.json",
        texts=f"results/texts/{ANSWERED}.jsonl",
    output:
        answered=f"results/{{model}}/texts/{ANSWERED}.jsonl",
    log:
        "results/logs/{model}/write_replies.log",
    benchmark:
        "results/benchmarks/{model}/write_replies.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        cfg={
            **keys_of("reading", "formats", "reply_tokens", "seed"),
            "precision": SETTINGS.recording.precision,
        },
        code=code_of("write_replies"),
    script:
        "../scripts/write_replies.py"


rule record_places:
    input:
        texts=texts_to_read,
        model="results/{model}/model.json",
    output:
        layers=directory(expand("results/{{model}}/activations/{experiment}/layers", experiment=READ)),
        manifests=expand("results/{{model}}/activations/{experiment}/manifest.json", experiment=READ),
    log:
        "results/logs/{model}/record_places.log",
    benchmark:
        "results/benchmarks/{model}/record_places.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=120,
        # As in record_texts.
        batch_tokens=0,
        part_seconds=20,
    params:
        cfg={**keys_of("recording", "precision", "storage"), "formats": SETTINGS.reading.limits()},
        code=code_of("record_places"),
    script:
        "../scripts/record_places.py"
