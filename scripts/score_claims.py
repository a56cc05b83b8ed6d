"""The scorecard: a line per claim, model and story set, ours beside the paper's."""

from pathlib import Path

from emotion_concepts import scorecard as rules
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json


def main(validation: list[Path], steering: list[Path], paper: Path, scorecard: Path, *, cfg: dict) -> None:
    """Judge the summaries of each pair in `cfg["pairs"]` (model, story set), given in that order."""
    reported = read_json(paper)
    entries = []
    for (model, story_set), checked, steered in zip(cfg["pairs"], validation, steering, strict=True):
        found = read_json(checked)
        entries.append(rules.retrieval_entry(model, story_set, found["retrieval"]))
        entries.append(rules.steered_words_entry(model, story_set, read_json(steered)))
        for dimension in ("valence", "arousal"):
            figure = reported[f"component_{dimension}_r"]
            entries.append(rules.component_entry(model, story_set, found["components"], dimension, figure))
            entries.append(rules.regression_entry(model, story_set, found["regression"], dimension))
    write_json(scorecard, sorted(entries, key=lambda entry: entry["row"]))


if __name__ == "__main__":
    run_script(main, globals())
