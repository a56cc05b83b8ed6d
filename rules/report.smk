# The scorecard and the report.
FIGURES = "results/{model}/figures/{story_set}/{name}.{type}"
# What each stage was asked for, in the order of its summaries below.
ASKED = {
    "stories": PAIRS,
    "geometry": STUDIED,
    "model": WITH_MODEL,
    "experiments": ANALYSED,
    "sweeps": SWEPT,
    "labelled": LABELLED,
    "shifts": SHIFTED,
    "preferences": PREFERRED,
    "conduct": STEERED,
}


rule score_claims:
    input:
        retrieval=summaries(PAIRS, "validation/{story_set}/retrieval.json"),
        geometry=summaries(STUDIED, "geometry/{story_set}/geometry.json"),
        lens=summaries(WITH_MODEL, "lens/{story_set}/summary.json"),
        steering=summaries(WITH_MODEL, "steering/{story_set}/summary.json"),
        reading=readings("json"),
        sweeps=[f"results/{m}/sweep/{s}/{corpus}.json" for m, s, corpus in SWEPT],
        labelled=[f"results/{m}/labelled/{s}/{name}.json" for m, s, name in LABELLED],
        shifts=[f"results/comparison/{pair}/{s}/shift.json" for pair, s in SHIFTED],
        preferences=summaries(PREFERRED, "preferences/{story_set}/summary.json"),
        conduct=summaries(STEERED, "conduct/{story_set}/summary.json"),
        paper=RESOURCES / "paper_figures.json",
    output:
        scorecard="results/scorecard.json",
    log:
        "results/logs/score_claims.log",
    benchmark:
        "results/benchmarks/score_claims.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        cfg=ASKED,
        code=code_of("score_claims"),
    script:
        "../scripts/score_claims.py"


rule write_report:
    input:
        scorecard="results/scorecard.json",
        models=expand("results/{model}/model.json", model=list(dict.fromkeys(m for m, _ in WITH_MODEL))),
        manifests=summaries(PAIRS, "activations/{story_set}/manifest.json"),
        vectors=summaries(PAIRS, "vectors/{story_set}/summary.json"),
        checks=[f"results/texts/{name}.checks.json" for _, name in PAIRS],
        retrieval=summaries(PAIRS, "validation/{story_set}/retrieval.json"),
        confusion=summaries(PAIRS, "validation/{story_set}/confusion.csv"),
        geometry=summaries(STUDIED, "geometry/{story_set}/geometry.json"),
        lens=summaries(WITH_MODEL, "lens/{story_set}/summary.json"),
        steering=summaries(WITH_MODEL, "steering/{story_set}/summary.json"),
        continuations=summaries(WITH_MODEL, "steering/{story_set}/continuations.jsonl"),
        comparisons=expand("results/{model}/figures/story_sets.svg", model=COMPARED),
        agreements=expand("results/{model}/figures/agreement.svg", model=COMPARED),
        models_compared=expand("results/comparison/{story_set}/models.svg", story_set=COMPARED_SETS),
        figures=figures_of(["svg"]),
        shifts=[f"results/comparison/{pair}/{s}/shift.svg" for pair, s in SHIFTED],
        sweeps=[f"results/{m}/sweep/{s}/{corpus}.json" for m, s, corpus in SWEPT],
        snippets=[f"results/{m}/sweep/{s}/{corpus}.snippets.jsonl" for m, s, corpus in SWEPT],
        labelled=[f"results/{m}/labelled/{s}/{name}.json" for m, s, name in LABELLED],
        pictures=summaries(WITH_MODEL, "pictures/{story_set}/parts.jsonl"),
        verdicts=[f"results/{m}/conduct/{s}/{name}.jsonl" for m, s in STEERED for name in CONDUCTED],
        template=RESOURCES / "report/report.html.jinja",
        # Parts of the template.
        parts=[
            RESOURCES / "report" / name
            for name in ("reading.html.jinja", "steering.html.jinja", "picture.css")
        ],
    output:
        report="results/report.html",
    log:
        "results/logs/write_report.log",
    benchmark:
        "results/benchmarks/write_report.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        cfg=ASKED,
        code=code_of("write_report"),
    script:
        "../scripts/write_report.py"
