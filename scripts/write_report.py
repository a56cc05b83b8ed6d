"""The report of a run: one HTML page that holds its figures and needs no network."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_text
from emotion_concepts.report import Section, read_continuations, render_report


def main(
    scorecard: Path, models: list[Path], manifests: list[Path], vectors: list[Path], checks: list[Path],
    retrieval: list[Path], confusion: list[Path], geometry: list[Path], lens: list[Path], steering: list[Path],
    continuations: list[Path], comparisons: list[Path], agreements: list[Path], models_compared: list[Path],
    figures: list[Path], template: Path, report: Path, *,
    cfg: dict,
) -> None:  # fmt: skip
    """One section for each pair (model, set); a stage's inputs are in the order of its pairs, which `cfg` has."""
    by_stage = {
        "manifest": ("stories", map(read_json, manifests)),
        "vectors": ("stories", map(read_json, vectors)),
        "checks": ("stories", map(read_json, checks)),
        "retrieval": ("stories", map(read_json, retrieval)),
        "confusion": ("stories", (pd.read_csv(path).to_dict("records") for path in confusion)),
        "geometry": ("geometry", map(read_json, geometry)),
        "lens": ("model", map(read_json, lens)),
        "steering": ("model", map(read_json, steering)),
        "continuations": ("model", map(read_continuations, continuations)),
    }
    found = {
        name: dict(zip(map(tuple, cfg[stage]), values, strict=True))
        for name, (stage, values) in by_stage.items()
    }
    sections = [
        Section(
            model=model,
            story_set=story_set,
            figures={
                path.stem: path for path in figures if path.parts[-2] == story_set and path.parts[-4] == model
            },
            **{name: values.get((model, story_set)) for name, values in found.items()},
        )
        for model, story_set in cfg["geometry"]
    ]
    names = list(dict.fromkeys(model for model, _ in cfg["model"]))
    described = dict(zip(names, map(read_json, models), strict=True))
    # With one story set there is nothing to compare, for any model.
    by_model = zip(comparisons, agreements, strict=True)
    compared = dict(zip(names, by_model, strict=False))
    by_set = {path.parent.name: path for path in models_compared}
    write_text(report, render_report(template, read_json(scorecard), described, sections, compared, by_set))


if __name__ == "__main__":
    run_script(main, globals())
