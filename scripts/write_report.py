"""The report of a run: one HTML page that holds its figures and needs no network."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, read_json_lines, write_text
from emotion_concepts.report import Section, Swept, render_report, shown_replies, top_snippets


def main(
    scorecard: Path, models: list[Path], manifests: list[Path], vectors: list[Path], checks: list[Path],
    retrieval: list[Path], confusion: list[Path], geometry: list[Path], lens: list[Path], steering: list[Path],
    continuations: list[Path], comparisons: list[Path], agreements: list[Path], models_compared: list[Path],
    figures: list[Path], shifts: list[Path], sweeps: list[Path], snippets: list[Path], labelled: list[Path],
    pictures: list[Path], verdicts: list[Path], template: Path, report: Path, *,
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
        "continuations": ("model", map(read_json_lines, continuations)),
        "pictures": ("model", map(read_json_lines, pictures)),
    }
    found = {
        name: dict(zip(map(tuple, cfg[stage]), values, strict=True))
        for name, (stage, values) in by_stage.items()
    }
    swept = [
        (*key, Swept(read_json(path), top_snippets(read_json_lines(shown))))
        for key, path, shown in zip(cfg["sweeps"], sweeps, snippets, strict=True)
    ]
    asked = [(*key, read_json(path)) for key, path in zip(cfg["labelled"], labelled, strict=True)]
    replies: dict[tuple, dict] = {}
    for path in verdicts:
        # results/MODEL/conduct/STORY_SET/EXPERIMENT.jsonl
        of = replies.setdefault((path.parts[-4], path.parts[-2]), {})
        of[path.stem] = shown_replies(path.stem, read_json_lines(path))
    sections = [
        Section(
            model=model,
            story_set=story_set,
            figures={
                path.stem: path for path in figures if path.parts[-2] == story_set and path.parts[-4] == model
            },
            experiments=cfg["experiments"] if (model, story_set) in map(tuple, cfg["model"]) else [],
            sweeps={name: of for m, s, name, of in swept if (m, s) == (model, story_set)},
            labelled={name: of for m, s, name, of in asked if (m, s) == (model, story_set)},
            preferred=(model, story_set) in map(tuple, cfg["preferences"]),
            replies=replies.get((model, story_set), {}),
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
    moved = dict(zip(map(tuple, cfg["shifts"]), shifts, strict=True))
    write_text(
        report, render_report(template, read_json(scorecard), described, sections, compared, by_set, moved)
    )


if __name__ == "__main__":
    run_script(main, globals())
