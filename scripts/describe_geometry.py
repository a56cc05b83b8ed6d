"""The shape of the vectors: components and human ratings, similarities, clusters, likeness of layers.

Reads vectors, ratings and, where the vectors were made here, the layer that retrieval recommends and what
might explain a correlation as well; writes tables (CSV) and a summary (JSON).
"""

from pathlib import Path

import numpy as np
import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json
from emotion_concepts.geometry import (
    clusterings,
    cosines,
    hierarchical_order,
    layers_table,
    principal_components,
)
from emotion_concepts.layers import described_layer
from emotion_concepts.ratings import write_table
from emotion_concepts.valence_arousal import (
    components_by_layer,
    components_summary,
    held_out_ratings,
    plane_table,
    read_covariates,
)
from emotion_concepts.vectors import load_vectors

CLUSTER_NUMBERS = range(2, 21)
PAPER_CLUSTERS = 10


def main(
    vectors: Path, ratings: Path, retrieval: list[Path], covariates: list[Path],
    components: Path, regression: Path, similarity: Path, plane: Path, clusters: Path, layers: Path, summary: Path, *,
    cfg: dict,
) -> None:  # fmt: skip
    """Describe with `cfg`, the `validation` section; `retrieval` and `covariates` are none for imported vectors."""
    known, rated = load_vectors(vectors), pd.read_csv(ratings)
    recommended = read_json(retrieval[0])["recommended_layer"] if retrieval else None
    layer = described_layer(known.layers, cfg["layer"], recommended)
    at = known.layers.index(layer)
    options = {name: cfg[name] for name in ("permutations", "bootstraps", "seed")}
    others = read_covariates(covariates[0], known.layers, known.concepts) if covariates else None
    write_table(components, components_by_layer(known.denoised_LCD, known.concepts, rated))
    predicted, readable = held_out_ratings(known.denoised_LCD, known.concepts, rated, others, **options)
    write_table(regression, predicted)

    cosines_CC = cosines(known.denoised_LCD[at])
    order = hierarchical_order(cosines_CC)
    names = [known.concepts[i] for i in order]
    ordered = pd.DataFrame(cosines_CC[order][:, order], columns=names)
    ordered.insert(0, "concept", names)
    write_table(similarity, ordered)

    chosen, labels = clusterings(
        known.denoised_LCD[at], CLUSTER_NUMBERS, starts=cfg["cluster_starts"], seed=cfg["seed"]
    )
    write_table(clusters, chosen)
    scores, shares = principal_components(known.denoised_LCD[at], 5)
    points = plane_table(scores, known.concepts, rated)
    points["cluster"] = labels.get(PAPER_CLUSTERS, np.zeros(len(points), int))
    write_table(plane, points)

    write_table(layers, layers_table(known.denoised_LCD, known.layers, layer, seed=cfg["seed"]))
    given = None if others is None else others[at]
    geometry = components_summary(known.denoised_LCD, known.concepts, rated, at, given, **options)
    write_json(
        summary,
        {"layer": layer, "recommended": recommended == layer, "shares": shares.tolist(), "components": geometry,
         "regression": readable, "clusters": chosen.to_dict("records")},
    )  # fmt: skip


if __name__ == "__main__":
    run_script(main, globals())
