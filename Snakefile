# Emotion concepts in an open-weight language model: from words and stories to a report.
from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.basedir}/config.yaml"


include: "rules/settings.smk"
include: "rules/models.smk"
include: "rules/texts.smk"
include: "rules/recording.smk"
include: "rules/vectors.smk"
include: "rules/validation.smk"
include: "rules/steering.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        "results/report.html",
        "results/scorecard.json",
        for_pairs(FIGURES, name=FIGURE_NAMES, type=["svg", "png"]),


# On a machine with internet, before the rest runs on one without: every model, and the ratings.
rule fetch:
    input:
        expand("results/{model}/model.json", model=used_models(SETTINGS)),
