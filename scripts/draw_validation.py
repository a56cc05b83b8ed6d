"""Draw the checks of the vectors: retrieval, similarity, the plane of PC1 and PC2, components by layer."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures import validation as figures
from emotion_concepts.figures.canvas import saved_figure
from emotion_concepts.files import read_json


def main(
    retrieval: Path, components: Path, regression: Path, similarity: Path, plane: Path, summary: Path, paper: Path,
    svg: list[Path], png: list[Path],
) -> None:  # fmt: skip
    """Draw five figures, in the order of the rule's outputs."""
    found, reported = read_json(summary), read_json(paper)
    pairs = iter(zip(svg, png, strict=True))
    with saved_figure(*next(pairs), width=6.4, height=3.6) as axes:
        figures.draw_retrieval(axes, pd.read_csv(retrieval), found["retrieval"])
    cosines = pd.read_csv(similarity, index_col="concept")
    with saved_figure(*next(pairs), width=7, height=6) as axes:
        figures.draw_cosines(axes, cosines.to_numpy(), list(cosines.columns))
    points = pd.read_csv(plane)
    with saved_figure(*next(pairs), width=7, height=5) as axes:
        scores = points[["pc1", "pc2"]].to_numpy()
        figures.draw_plane(
            axes, scores, list(points["concept"]), points["valence"].to_numpy(), found["shares"]
        )
    table, predicted = pd.read_csv(components), pd.read_csv(regression)
    for dimension in ("valence", "arousal"):
        with saved_figure(*next(pairs), width=6.4, height=3.6) as axes:
            figures.draw_components(axes, table, predicted, dimension, reported[f"component_{dimension}_r"])


if __name__ == "__main__":
    run_script(main, globals())
