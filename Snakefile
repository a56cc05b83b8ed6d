# Emotion concepts in an open-weight language model: from words and stories to a report.
from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.basedir}/config.yaml"


include: "rules/settings.smk"
include: "rules/models.smk"
include: "rules/texts.smk"
include: "rules/recording.smk"
include: "rules/vectors.smk"
include: "rules/export.smk"
include: "rules/validation.smk"
include: "rules/comparison.smk"
include: "rules/lens.smk"
include: "rules/sweep.smk"
include: "rules/steering.smk"
include: "rules/reading.smk"
include: "rules/preferences.smk"
include: "rules/conduct.smk"
include: "rules/pairs.smk"
include: "rules/pictures.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        "results/report.html",
        "results/scorecard.json",
        figures_of(["svg", "png"]),
        for_pairs("results/{model}/vectors/{story_set}/README.md"),
        summaries(WITH_MODEL, "pictures/{story_set}/parts.jsonl"),
        expand("results/{model}/figures/{name}.png", model=COMPARED, name=["story_sets", "agreement"]),
        expand("results/comparison/{story_set}/models.png", story_set=COMPARED_SETS),
        expand(
            "results/comparison/{pair}/{story_set}/shift.png",
            pair=SETTINGS.run.model_pairs,
            story_set=STORY_SETS,
        ),
        expand("results/texts/{dialogue_set}.jsonl", dialogue_set=SETTINGS.run.text_sets),


# On a machine with internet, before the rest runs on one without: every model, dataset and corpus.
rule fetch:
    input:
        expand("results/{model}/model.json", model=used_models(SETTINGS)),
        expand("results/texts/raw/{story_set}.jsonl", story_set=ON_HUB),
        expand("results/texts/corpora/{corpus}.jsonl", corpus=CORPORA),
