"""The scorecard: a line per claim, model and set of vectors, ours beside the paper's."""

from itertools import product
from pathlib import Path

from emotion_concepts import reading_claims, steering_claims
from emotion_concepts import scorecard as rules
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json


def main(
    retrieval: list[Path], geometry: list[Path], lens: list[Path], steering: list[Path], reading: list[Path],
    sweeps: list[Path], labelled: list[Path], shifts: list[Path], preferences: list[Path], conduct: list[Path],
    paper: Path, scorecard: Path, *, cfg: dict,
) -> None:  # fmt: skip
    """Judge each stage's summaries, which are in the order of its pairs (model, set; and what they read): `cfg` has them by stage."""
    reported, entries = read_json(paper), []
    for pair, path in zip(cfg["stories"], retrieval, strict=True):
        entries.append(rules.retrieval_entry(*pair, read_json(path)))
    for (*pair, _), path in zip(cfg["sweeps"], sweeps, strict=True):
        entries.append(rules.corpus_entry(*pair, read_json(path)))
    for (*pair, _), path in zip(cfg["labelled"], labelled, strict=True):
        entries.append(rules.labelled_entry(*pair, read_json(path)))
    for pair, path in zip(cfg["model"], lens, strict=True):
        entries.append(rules.lens_entry(*pair, read_json(path)))
    for pair, path in zip(cfg["model"], steering, strict=True):
        entries.append(rules.steered_words_entry(*pair, read_json(path)))
    for (pair, experiment), path in zip(product(cfg["model"], cfg["experiments"]), reading, strict=True):
        entries += reading_claims.reading_entries(experiment, *pair, read_json(path))
    for pair, path in zip(cfg["shifts"], shifts, strict=True):
        entries += [
            reading_claims.post_training_entry(*pair, form, of) for form, of in read_json(path).items()
        ]
    for pair, path in zip(cfg["preferences"], preferences, strict=True):
        entries += steering_claims.preference_entries(*pair, read_json(path))
    for pair, path in zip(cfg["conduct"], conduct, strict=True):
        entries += steering_claims.conduct_entries(*pair, read_json(path))
    entries += rules.unasked_entries(cfg)
    for pair, path in zip(cfg["geometry"], geometry, strict=True):
        found = read_json(path)
        for dimension in ("valence", "arousal"):
            figure = reported[f"component_{dimension}_r"]
            entries.append(rules.component_entry(*pair, found["components"], dimension, figure))
            entries.append(rules.regression_entry(*pair, found["regression"], dimension))
    write_json(scorecard, sorted(entries, key=lambda entry: entry["row"]))


if __name__ == "__main__":
    run_script(main, globals())
