# The scorecard and the report.
FIGURES = "results/{model}/figures/{story_set}/{name}.{type}"
# Every pair of model and vectors of the run, and what there is of each: imported vectors have no stories,
# and without a model nothing that needs one.
STUDIED = [*PAIRS, *IMPORTED]
WITH_MODEL = [pair for pair in STUDIED if pair[0] != NO_MODEL]


def figure_names(pair):
    """Figures of a pair, in the report's order."""
    names = [*RETRIEVAL_FIGURES] if pair in PAIRS else []
    return [*names, *GEOMETRY_FIGURES, *(["lens", "words"] if pair in WITH_MODEL else [])]


def figures_of(types):
    """Every figure of every pair of the run."""
    return [
        path
        for pair in STUDIED
        for path in expand(FIGURES, model=pair[0], story_set=pair[1], name=figure_names(pair), type=types)
    ]


def summaries(pairs, stage):
    """A stage's summary for each pair that has one."""
    return [f"results/{model}/{stage.format(story_set=name)}" for model, name in pairs]


PAIRS_BY_STAGE = {"stories": PAIRS, "geometry": STUDIED, "model": WITH_MODEL}


rule score_claims:
    input:
        retrieval=summaries(PAIRS, "validation/{story_set}/retrieval.json"),
        geometry=summaries(STUDIED, "geometry/{story_set}/geometry.json"),
        lens=summaries(WITH_MODEL, "lens/{story_set}/summary.json"),
        steering=summaries(WITH_MODEL, "steering/{story_set}/summary.json"),
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
        cfg=PAIRS_BY_STAGE,
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
        template=RESOURCES / "report/report.html.jinja",
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
        cfg=PAIRS_BY_STAGE,
        code=code_of("write_report"),
    script:
        "../scripts/write_report.py"
