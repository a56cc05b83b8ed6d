# The scorecard and the report.
FIGURES = "results/{model}/figures/{story_set}/{name}.{type}"
FIGURE_NAMES = [*VALIDATION_FIGURES, "words"]


rule score_claims:
    input:
        validation=for_pairs("results/{model}/validation/{story_set}/summary.json"),
        steering=for_pairs("results/{model}/steering/{story_set}/summary.json"),
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
        cfg={"pairs": PAIRS},
        code=code_of("score_claims"),
    script:
        "../scripts/score_claims.py"


rule write_report:
    input:
        scorecard="results/scorecard.json",
        models=expand("results/{model}/model.json", model=MODELS),
        manifests=for_pairs("results/{model}/activations/{story_set}/manifest.json"),
        vectors=for_pairs("results/{model}/vectors/{story_set}/summary.json"),
        validation=for_pairs("results/{model}/validation/{story_set}/summary.json"),
        steering=for_pairs("results/{model}/steering/{story_set}/summary.json"),
        checks=for_pairs("results/texts/{story_set}.checks.json"),
        continuations=for_pairs("results/{model}/steering/{story_set}/continuations.jsonl"),
        comparisons=expand("results/{model}/figures/story_sets.svg", model=COMPARED),
        figures=for_pairs(FIGURES.replace("{type}", "svg"), name=FIGURE_NAMES),
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
        cfg={"pairs": PAIRS},
        code=code_of("write_report"),
    script:
        "../scripts/write_report.py"
