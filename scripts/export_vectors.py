"""Vectors for other programs: a llama.cpp control vector for each concept, and a card.

Reads the vectors with their counts, their reliability, the recommended layer and the model's
description; writes a folder of GGUF files and `README.md`.
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.exporting import model_hint, read_reliability, render_card, write_control_vectors
from emotion_concepts.files import read_json, write_text
from emotion_concepts.vectors import load_vectors


def main(
    model: Path, vectors: Path, summary_of_vectors: Path, reliability: Path, retrieval: Path, template: Path,
    gguf: Path, card: Path, *, cfg: dict,
) -> None:  # fmt: skip
    """Export; `cfg` has `story_set`, the `source` of its stories, and `strength` for the examples."""
    known = load_vectors(vectors)
    write_control_vectors(gguf, known, hint=model_hint(read_json(model)["architecture"]))
    layer = read_json(retrieval)["recommended_layer"]
    text = render_card(
        template,
        known,
        story_set=cfg["story_set"],
        story_source=cfg["source"],
        stories=read_json(summary_of_vectors)["stories"],
        reliability=read_reliability(reliability, layer),
        layer=layer,
        strength=cfg["strength"],
    )
    write_text(card, text)


if __name__ == "__main__":
    run_script(main, globals())
