"""The report of a run: one HTML page that holds its figures and needs no network."""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_text
from emotion_concepts.report import Section, read_continuations, render_report


def main(
    scorecard: Path, models: list[Path], checks: list[Path], manifests: list[Path], vectors: list[Path],
    validation: list[Path], steering: list[Path], continuations: list[Path], figures: list[Path],
    comparisons: list[Path], template: Path, report: Path, *, cfg: dict,
) -> None:  # fmt: skip
    """One section for each pair of `cfg["pairs"]`; inputs are in that order, figures a group a pair."""
    n_figures = len(figures) // len(cfg["pairs"])
    sections = [
        Section(
            model=model,
            story_set=story_set,
            checks=read_json(checks[i]),
            manifest=read_json(manifests[i]),
            vectors=read_json(vectors[i]),
            validation=read_json(validation[i]),
            steering=read_json(steering[i]),
            continuations=read_continuations(continuations[i]),
            figures=figures[i * n_figures : (i + 1) * n_figures],
        )
        for i, (model, story_set) in enumerate(cfg["pairs"])
    ]
    names = list(dict.fromkeys(model for model, _ in cfg["pairs"]))
    described = dict(zip(names, map(read_json, models), strict=True))
    # With one story set there is nothing to compare, for any model.
    compared = dict(zip(names, comparisons, strict=False))
    write_text(report, render_report(template, read_json(scorecard), described, sections, compared))


if __name__ == "__main__":
    run_script(main, globals())
