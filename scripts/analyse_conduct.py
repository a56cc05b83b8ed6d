"""Rows 16 to 19: does steering move what a model would say, and what it said? And what do remedies undo?

Reads the scripted replies' log-probabilities and the judged replies of each set; writes a summary (JSON) and tables of
effects and of rates (CSV).
"""

from pathlib import Path

import pandas as pd

from emotion_concepts.conduct_findings import experiment_findings
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json_lines, write_json
from emotion_concepts.ratings import write_table


def main(
    scores: list[Path], verdicts: list[Path], summary: Path, effects: Path, rates: Path, *, cfg: dict
) -> None:
    """Analyse the experiments of `cfg`, in their order, with its permutations, bootstraps, seed and bounds of damage."""
    options = {key: cfg[key] for key in ("permutations", "bootstraps", "seed")}
    bounds = {key: cfg[key] for key in ("max_perplexity_ratio", "max_repetition")}
    found, tables = {}, []
    for name, path, judged in zip(cfg["experiments"], scores, verdicts, strict=True):
        scored, replies = pd.read_csv(path), pd.DataFrame(read_json_lines(judged))
        found[name], *of = experiment_findings(name, scored, replies, bounds=bounds, **options)
        tables.append([table.assign(experiment=name) for table in of])
    # One model: what it was asked in is the same for all.
    write_json(
        summary, {"format": scored["format"].iloc[0], "strength": max(cfg["strengths"]), "found": found}
    )
    for path, of in zip((effects, rates), zip(*tables, strict=True), strict=True):
        write_table(path, pd.concat(of))


if __name__ == "__main__":
    run_script(main, globals())
