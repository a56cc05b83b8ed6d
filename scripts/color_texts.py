"""Colour a few texts by the vectors: the parts that the report shows, and a page for each.

Reads `model.json`, the vectors, the texts and the layer that the geometry is described at; writes the
parts (JSON lines: id, concept, layer, html) and a folder of pages (HTML).
"""

from pathlib import Path

import torch

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json_lines, write_text
from emotion_concepts.models import open_described
from emotion_concepts.text_sets import read_texts
from emotion_concepts.token_pictures import picture_html, picture_page, pictures_of
from emotion_concepts.vectors import load_vectors


def main(
    model: Path, vectors: Path, texts: Path, geometry: Path, part: Path, page: Path, parts: Path, pages: Path,
    *, cfg: dict, threads: int = 2,
) -> None:  # fmt: skip
    """Colour with `cfg`: precision; `part` and `page` are templates."""
    torch.set_num_threads(threads)
    known, opened = load_vectors(vectors), open_described(model, cfg["precision"])
    pictures = pictures_of(opened, known, read_texts(texts), read_json(geometry)["layer"])
    pages.mkdir(parents=True, exist_ok=True)
    for name, shown in pictures.items():
        write_text(pages / f"{name}.html", picture_page(shown, known, vectors.parent.name, page))
    rows = [
        {"id": name, "concept": picture.concept, "layer": picture.layer, "html": picture_html(picture, part)}
        for name, shown in pictures.items()
        for picture in shown
    ]
    write_json_lines(parts, rows)


if __name__ == "__main__":
    run_script(main, globals())
