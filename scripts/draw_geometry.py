"""Draw the shape of the vectors: similarity, components and ratings, clusters, likeness of layers, UMAP."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures import geometry as figures
from emotion_concepts.figures.canvas import saved_figure, saved_panels
from emotion_concepts.files import read_json
from emotion_concepts.valence_arousal import HUMAN_CEILING


def main(
    components: Path, regression: Path, similarity: Path, plane: Path, clusters: Path, layers: Path, umap: Path,
    summary: Path, paper: Path, svg: list[Path], png: list[Path],
) -> None:  # fmt: skip
    """Draw seven figures, in the order of the rule's outputs."""
    found, reported = read_json(summary), read_json(paper)
    pairs = iter(zip(svg, png, strict=True))
    cosines, points = pd.read_csv(similarity, index_col="concept"), pd.read_csv(plane)
    with saved_figure(*next(pairs), width=7, height=6) as axes:
        figures.draw_cosines(axes, cosines.to_numpy(), list(cosines.columns))
    with saved_figure(*next(pairs), width=7, height=5) as axes:
        figures.draw_plane(
            axes, points[["pc1", "pc2"]].to_numpy(), list(points["concept"]), points["valence"].to_numpy(),
            found["shares"],
        )  # fmt: skip
    table, predicted = pd.read_csv(components), pd.read_csv(regression)
    for dimension in ("valence", "arousal"):
        with saved_figure(*next(pairs), width=6.4, height=3.6) as axes:
            figures.draw_components(
                axes,
                table,
                predicted,
                dimension,
                reported[f"component_{dimension}_r"],
                HUMAN_CEILING[dimension],
            )
    with saved_figure(*next(pairs), width=6.4, height=3.6) as axes:
        figures.draw_clusters(axes, pd.read_csv(clusters))
    with saved_panels(*next(pairs), width=9.6, height=4, count=2) as panels:
        figures.draw_layers(*panels, pd.read_csv(layers), found["layer"])
    mapped = pd.read_csv(umap).merge(points[["concept", "valence"]], on="concept")
    with saved_panels(*next(pairs), width=10, height=5, count=2) as panels:
        figures.draw_maps(panels, mapped)


if __name__ == "__main__":
    run_script(main, globals())
