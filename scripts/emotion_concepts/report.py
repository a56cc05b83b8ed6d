"""The report: what a run found, as one HTML page. Everything that a model wrote is escaped."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emotion_concepts import __version__
from emotion_concepts.conduct_experiments import CONDUCT
from emotion_concepts.experiments import EXPERIMENTS


@dataclass(frozen=True)
class Swept:
    """A corpus: its summary, and the top snippet of each concept."""

    summary: dict
    snippets: list[dict]


@dataclass(frozen=True)
class Section:
    """What the report shows of one model and one set of vectors: summaries as the stages left them.

    None is what there is not: vectors that were made elsewhere have no stories (checks, manifest, vectors,
    retrieval, confusion), and without a model nothing that needs one (lens, steering, continuations).
    figures : by name; experiments : those that read texts of our own; sweeps, labelled : what was found in corpora
    and in texts that people have labelled, by name; pictures : texts coloured token by token, as parts of a page;
    preferred : activities were compared; replies : of each experiment on conduct, as `shown_replies` gives them.
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
    experiments: Sequence[str] = ()
    sweeps: Mapping[str, Swept] = field(default_factory=dict)
    labelled: Mapping[str, dict] = field(default_factory=dict)
    pictures: list[dict] | None = None
    preferred: bool = False
    replies: Mapping[str, dict] = field(default_factory=dict)


def shown_replies(experiment: str, replies: Sequence[dict]) -> dict:
    """What the report shows of an experiment on conduct: its measures, and the replies to one scenario.

    Of those unsteered and under each concept's vector, the first of each strength.
    """
    measures = CONDUCT[experiment].measures
    first: dict[tuple, dict] = {}
    for reply in replies:
        if reply["scenario"] == replies[0]["scenario"] and reply["kind"] in (
            "unsteered",
            "concept",
            "remedy",
        ):
            first.setdefault((reply["direction"], reply["strength"]), reply)
    return {
        "row": CONDUCT[experiment].row,
        "measures": list(measures),
        "toward": {name: measure.toward for name, measure in measures.items()},
        "away": {name: measure.away for name, measure in measures.items()},
        "remedies": CONDUCT[experiment].remedies,
        "samples": list(first.values()),
        "criteria": [name for name, value in replies[0].items() if isinstance(value, bool)],
    }


def top_snippets(snippets: Sequence[dict]) -> list[dict]:
    """The first snippet of every concept, in the order of the concepts' names."""
    first = [snippet for snippet in snippets if snippet["kind"] == "concept" and snippet["rank"] in (0, 1)]
    best: dict[str, dict] = {}
    for snippet in sorted(first, key=lambda snippet: snippet["rank"]):
        best.setdefault(snippet["vector"], snippet)
    return [best[name] for name in sorted(best)]


def render_report(
    template: Path,
    scorecard: list[dict],
    models: Mapping[str, dict],
    sections: Sequence[Section],
    comparisons: Mapping[str, tuple[Path, Path]],
    models_compared: Mapping[str, Path],
    shifts: Mapping[tuple[str, str], Path] = MappingProxyType({}),
) -> str:
    """The page, with every figure inside it.

    `comparisons` has a model's two figures of its story sets; `models_compared` a story set's figure of the
    models that read it; `shifts` the figure of each pair of models and story set (row 20).
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
        shifts=shifts,
        rows={name: experiment.row for name, experiment in EXPERIMENTS.items()},
        version=__version__,
    )


def _number(value: float | list[float] | dict | None) -> str:
    """A figure as the scorecard shows it: two decimals, or three where two would say nothing; an interval as "low to high".

    Several by name are shown one after another.
    """
    if value is None:
        return "–"
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name.replace('_', ' ')} {_number(of)}" for name, of in value.items()) + ")"
    if isinstance(value, list):
        return " to ".join(map(_number, value))
    return f"{value:.3f}" if 0 < abs(value) < 0.095 else f"{value:.2f}"


def _data_uri(path: Path) -> str:
    # As an image, not as markup: nothing in a figure can act on the page.
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"
