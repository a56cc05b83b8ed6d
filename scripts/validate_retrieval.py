"""Find the concepts again on held-out topics, at every layer, with controls, and recommend a layer.

Reads activations and stories; writes tables (CSV) and a summary (JSON).
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json
from emotion_concepts.ratings import write_table
from emotion_concepts.shards import read_layer
from emotion_concepts.text_sets import read_texts
from emotion_concepts.validation import retrieval_by_layer


def main(
    manifest: Path, layers: Path, texts: Path, by_layer: Path, growth: Path, confusion: Path, summary: Path, *,
    cfg: dict, threads: int = 2,
) -> None:  # fmt: skip
    """Validate with `cfg`, the `validation` section."""
    n_layers = read_json(manifest)["n_layers"]
    kept = set(read_layer(layers, 0).id.tolist())
    table, curve, confused, found = retrieval_by_layer(
        lambda layer: read_layer(layers, layer),
        n_layers,
        [text.text for text in read_texts(texts) if text.id in kept],
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
