"""Find the concepts again on held-out topics, at every layer, with controls, and recommend a layer.

Reads the sums of the activations, single stories' activations, and the stories; writes tables (CSV) and a
summary (JSON).
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json
from emotion_concepts.ratings import write_table
from emotion_concepts.shards import read_labels, read_rows
from emotion_concepts.story_sums import read_sums
from emotion_concepts.text_sets import read_texts
from emotion_concepts.validation import Stories, retrieval_by_layer


def main(
    manifest: Path, layers: Path, sums: Path, texts: Path, by_layer: Path, growth: Path, confusion: Path,
    summary: Path, *, cfg: dict, threads: int = 2,
) -> None:  # fmt: skip
    """Validate with `cfg`, the `validation` section."""
    labels, known = read_labels(layers), read_sums(sums)
    kept = set(labels["id"])
    stories = Stories(
        emotion=labels["emotion"].to_numpy(str),
        topic=labels["topic"].to_numpy(str),
        group=known.topic_N,
        n_tokens=labels["n_tokens"].to_numpy(),
        text=[text.text for text in read_texts(texts) if text.id in kept],
        cells=known.cells,
        rows=lambda layer, rows: read_rows(layers, layer, rows),
    )
    table, curve, confused, found = retrieval_by_layer(
        stories,
        read_json(manifest)["n_layers"],
        max_splits=cfg["max_splits"],
        shuffles=cfg["retrieval_shuffles"],
        bootstraps=cfg["bootstraps"],
        seed=cfg["seed"],
        threads=threads,
    )
    write_table(by_layer, table)
    write_table(growth, curve)
    write_table(confusion, confused)
    write_json(summary, found)


if __name__ == "__main__":
    run_script(main, globals())
