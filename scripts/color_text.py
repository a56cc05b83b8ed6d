"""Colour a text of your own by one concept's vector: a page that stands alone.

Reads `model.json`, the vectors and the text (given as it is, or as a file); writes the page (HTML).
Without a layer it is the one that the report's geometry is of.
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.files import write_text
from emotion_concepts.models import open_described
from emotion_concepts.projection import project
from emotion_concepts.token_pictures import coloured, described_layer, narrowed, picture_page, text_to_colour
from emotion_concepts.vectors import load_vectors

TEMPLATE = Path(__file__).parents[1] / "resources/report/picture_page.html.jinja"


def main(
    model: Path, vectors: Path, concept: str, page: Path, text: str | None = None, file: Path | None = None,
    layer: int | None = None,
) -> None:  # fmt: skip
    """Colour `text`, or what `file` holds, and write `page`."""
    words = text_to_colour(text, file)
    known = load_vectors(vectors)
    layer = described_layer(vectors) if layer is None else layer
    known = narrowed(known, [concept], layer)
    picture = coloured(project(open_described(model), known, words), concept, layer)
    write_text(page, picture_page([picture], known, vectors.parent.name, TEMPLATE))


if __name__ == "__main__":
    run_script(main, globals())
