"""Check the vectors of a story set at every layer: held-out retrieval, similarity, components.

Reads activations, vectors, stories and human ratings; writes tables (CSV) and a summary (JSON).
"""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json
from emotion_concepts.geometry import cosines, hierarchical_order, principal_components
from emotion_concepts.layers import single_layer
from emotion_concepts.ratings import write_table
from emotion_concepts.shards import read_layer
from emotion_concepts.text_sets import read_texts
from emotion_concepts.validation import (
    components_by_layer,
    components_summary,
    held_out_ratings,
    plane_table,
    retrieval_by_layer,
)
from emotion_concepts.vectors import load_vectors


def main(
    vectors: Path, manifest: Path, layers: Path, texts: Path, ratings: Path,
    retrieval: Path, components: Path, regression: Path, similarity: Path, plane: Path, summary: Path, *, cfg: dict,
) -> None:  # fmt: skip
    """Validate with `cfg`, the `validation` section."""
    n_layers = read_json(manifest)["n_layers"]
    layer = single_layer(n_layers, cfg["layer"])
    rated = pd.read_csv(ratings)
    known = load_vectors(vectors)
    kept = set(read_layer(layers, 0).id.tolist())
    table, found = retrieval_by_layer(
        lambda: (read_layer(layers, k) for k in range(n_layers)),
        [text.text for text in read_texts(texts) if text.id in kept],
        max_splits=cfg["max_splits"],
        shuffles=cfg["retrieval_shuffles"],
        bootstraps=cfg["bootstraps"],
        seed=cfg["seed"],
    )
    write_table(retrieval, table)
    write_table(components, components_by_layer(known.denoised_LCD, known.concepts, rated))
    cosines_CC = cosines(known.denoised_LCD[layer])
    order = hierarchical_order(cosines_CC)
    names = [known.concepts[i] for i in order]
    write_table(
        similarity,
        pd.DataFrame(cosines_CC[order][:, order], columns=names)
        .assign(concept=names)
        .set_index("concept")
        .reset_index(),
    )
    scores, shares = principal_components(known.denoised_LCD[layer], 2)
    write_table(plane, plane_table(scores, known.concepts, rated))
    geometry = components_summary(
        known.denoised_LCD, known.concepts, rated, layer,
        permutations=cfg["permutations"], bootstraps=cfg["bootstraps"], seed=cfg["seed"],
    )  # fmt: skip
    predicted, readable = held_out_ratings(
        known.denoised_LCD, known.concepts, rated,
        permutations=cfg["permutations"], bootstraps=cfg["bootstraps"], seed=cfg["seed"],
    )  # fmt: skip
    write_table(regression, predicted)
    write_json(
        summary,
        {"retrieval": found, "components": geometry, "regression": readable, "layer": layer,
         "shares": shares.tolist()},
    )  # fmt: skip


if __name__ == "__main__":
    run_script(main, globals())
