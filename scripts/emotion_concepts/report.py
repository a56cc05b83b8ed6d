"""The report: what a run found, as one HTML page. Everything that a model wrote is escaped."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emotion_concepts import __version__


@dataclass(frozen=True)
class Section:
    """What the report shows of one model and one set of vectors: summaries as the stages left them.

    None is what there is not: vectors that were made elsewhere have no stories (checks, manifest, vectors,
    retrieval, confusion), and without a model nothing that needs one (lens, steering, continuations).
    figures : by name.
    """

    model: str
    story_set: str
    checks: dict | None
    manifest: dict | None
    vectors: dict | None
    retrieval: dict | None
    confusion: list[dict] | None
    geometry: dict
    lens: dict | None
    steering: dict | None
    continuations: list[dict] | None
    figures: Mapping[str, Path]


def read_continuations(path: Path) -> list[dict]:
    """Continuations under steering, one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def render_report(
    template: Path,
    scorecard: list[dict],
    models: Mapping[str, dict],
    sections: Sequence[Section],
    comparisons: Mapping[str, tuple[Path, Path]],
    models_compared: Mapping[str, Path],
) -> str:
    """The page, with every figure inside it.

    `comparisons` has a model's two figures of its story sets; `models_compared` a story set's figure of the
    models that read it.
    """
    environment = Environment(
        loader=FileSystemLoader(template.parent), undefined=StrictUndefined, autoescape=True
    )
    environment.filters |= {"number": _number, "data_uri": _data_uri}
    return environment.get_template(template.name).render(
        scorecard=scorecard,
        models=models,
        sections=sections,
        comparisons=comparisons,
        models_compared=models_compared,
        version=__version__,
    )


def _number(value: float | None) -> str:
    """A figure as the scorecard shows it: two decimals, or three where two would say nothing."""
    if value is None:
        return "–"
    return f"{value:.3f}" if 0 < abs(value) < 0.095 else f"{value:.2f}"


def _data_uri(path: Path) -> str:
    # As an image, not as markup: nothing in a figure can act on the page.
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"
