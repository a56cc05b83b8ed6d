"""How often each claim comes out as "reproduced", by the size of the effect and the number of stories or texts.

    make power                  (python -m tests.known_answers.power)
    make power PART=texts       (about two minutes on one core; PART=stories: about five minutes on two)

Planted models whose markers write ever less, among fillers that each write noise, read stories on two, four or
eight topics; every claim of the scorecard is judged as in a run. The effect size of a set of stories is measured
in its own activations, as it can be in anyone's: see `effect_size`. Claims about what is read in texts have noise
with planted effects instead (`text_power`). Writes docs/power.csv and docs/images/power.svg and .png, and the same
with power_texts.
"""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from tqdm import tqdm

from emotion_concepts import scorecard
from emotion_concepts.cells import cell_sums, vectors_of
from emotion_concepts.figures.canvas import saved_panels
from emotion_concepts.models import Model
from emotion_concepts.shards import LayerActivations
from emotion_concepts.statistics import wilson_interval
from tests.known_answers import text_power
from tests.known_answers.analyses import Effort, analyse
from tests.known_answers.cases import CASES, noise_scores, texts_of_others
from tests.known_answers.planted import MARKED, Plan, Planted, story_set

DOCS = Path(__file__).resolve().parents[2] / "docs"
STRENGTHS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
TOPICS = (2, 4, 8)
SEEDS = 12
EFFORT = Effort(max_splits=20, shuffles=39, permutations=199, bootstraps=200)
BY_STORIES = ("claim", "stories_per_concept", "strength")
BY_TEXTS = ("claim", "number", "planted")
SHARE = "share: “reproduced”"
TITLES = {
    "retrieval": "1 retrieval",
    "corpus": "1 own words in top snippets",
    "labelled": "1 labelled texts",
    "lens": "2 logit lens",
    "words": "5 steered words",
    "component valence": "8 PC and valence",
    "component arousal": "8 PC and arousal",
    "regression valence": "8 valence, word held out",
    "regression arousal": "8 arousal, word held out",
}


def effect_size(stories: LayerActivations) -> float:
    """How far concepts lie apart, in units of how far stories of one concept do.

    Root mean square length of the true concept vectors, over the root mean square distance of a story from
    its concept's mean. The vectors' own noise is taken off: half of the topics is multiplied with the other.
    """
    cells = cell_sums(stories.mean, stories.emotion, stories.topic)
    half = np.arange(len(cells.counts_PC)) % 2 == 0
    signal = (vectors_of(cells, half) * vectors_of(cells, ~half)).sum(1).mean()
    means = {c: stories.mean[stories.emotion == c].mean(0) for c in np.unique(stories.emotion)}
    away = stories.mean - np.stack([means[c] for c in stories.emotion])
    of_one = np.mean([(stories.emotion == c).sum() for c in means])
    noise = (away**2).sum(1).mean() * of_one / (of_one - 1)
    return float(np.sqrt(max(signal, 0) / noise))


def judged(strength: float, topics: int, seed: int) -> list[dict]:
    """The verdict on each claim about stories and their vectors, for one planted model."""
    torch.set_num_threads(1)
    planted = Planted(Plan(strength=strength, topics=topics, filler_noise=0.5, seed=seed))
    # Weights alone: the model is never saved.
    model = Model(
        planted.llama.model().eval().requires_grad_(False),
        planted.llama.tokenizer(),
        Path(),
        "planted",
        str(seed),
    )
    texts = story_set(planted, seed=seed, skip=2, length=24, marked=3)
    others = texts_of_others(planted, seed)
    found = analyse(
        model,
        texts,
        planted.ratings,
        others,
        tfidf_NL=noise_scores(others, seed),
        skip=2,
        effort=EFFORT,
        seed=seed,
    )
    size = effect_size(found.layers[MARKED])
    cases = [case for claim, case in CASES.items() if hasattr(scorecard, claim)]
    lines = {name: line for case in cases for name, line in case.entries(found).items()}
    return [
        {"strength": strength, "stories_per_concept": topics, "seed": seed, "effect": size, "claim": name,
         "found": line["verdict"] == "reproduced", "value": line["value"]}
        for name, line in lines.items()
    ]  # fmt: skip


def study_models() -> pd.DataFrame:
    """All verdicts on planted models that read stories."""
    return _gathered(judged, list(product(STRENGTHS, TOPICS, range(SEEDS))), " models")


def study_texts() -> pd.DataFrame:
    """All verdicts on what is read in texts."""
    return _gathered(text_power.judged, text_power.runs(), " studies")


def _gathered(judge: Callable[..., list[dict]], grid: list[tuple], unit: str) -> pd.DataFrame:
    """The lines of every point of a grid, on two cores."""
    with ProcessPoolExecutor(2) as pool:
        found = pool.map(judge, *zip(*grid, strict=True), chunksize=4)
        return pd.DataFrame([line for lines in tqdm(found, total=len(grid), unit=unit) for line in lines])


def power_table(lines: pd.DataFrame, by: Sequence[str], counted: str) -> pd.DataFrame:
    """Share found by what `by` names, with its Wilson interval and the mean effect; `counted` names what is counted."""
    rows = []
    for key, group in lines.groupby(list(by)):
        low, high = wilson_interval(int(group["found"].sum()), len(group))
        rows.append((*key, group["effect"].mean(), group["found"].mean(), low, high, len(group)))
    return pd.DataFrame(rows, columns=[*by, "effect", "power", "low", "high", counted])


def smallest_found(table: pd.DataFrame, number: str, power: float = 0.8) -> pd.DataFrame:
    """The smallest effect that is found in such a share of cases, by claim (rows) and number of texts."""
    enough = table[table["power"] >= power]
    return enough.pivot_table(index="claim", columns=number, values="effect", aggfunc="min")


def draw(table: pd.DataFrame, svg: Path, png: Path) -> None:
    """A panel a claim: share found against effect size, a line for each number of stories."""
    with saved_panels(svg, png, width=14, height=3.2, count=len(TITLES)) as panels:
        for axes, (claim, title) in zip(panels, TITLES.items(), strict=True):
            _draw_claim(axes, table[table["claim"] == claim], "stories_per_concept")
            axes.set_title(title, fontsize=9)
            axes.set(xlabel="effect size", xscale="log")
            axes.set_xticks([0.05, 0.1, 0.2, 0.5], [".05", ".1", ".2", ".5"], minor=False)
            axes.minorticks_off()
        panels[0].set_ylabel(SHARE)
        panels[1].legend(title="stories a concept", loc="lower right", fontsize=7, title_fontsize=7)


def draw_texts(table: pd.DataFrame, svg: Path, png: Path) -> None:
    """The same of claims about texts, each with a legend of its own: what is counted differs."""
    claims = [
        (claim, title, study)
        for study in text_power.STUDIES.values()
        for claim, (title, _) in study.titles.items()
    ]
    with saved_panels(svg, png, width=16, height=3.2, count=len(claims)) as panels:
        for axes, (claim, title, study) in zip(panels, claims, strict=True):
            _draw_claim(axes, table[table["claim"] == claim], "number")
            axes.set_title(title, fontsize=9)
            axes.set_xlabel(study.unit, fontsize=8)
            axes.legend(title=study.counted, loc="lower right", fontsize=7, title_fontsize=7)
        panels[0].set_ylabel(SHARE)


def _draw_claim(axes: Axes, table: pd.DataFrame, number: str) -> None:
    for colour, (count, line) in enumerate(table.groupby(number)):
        line = line.sort_values("effect")
        axes.plot(line["effect"], line["power"], marker="o", ms=3, color=f"C{colour}", label=str(count))
        axes.fill_between(line["effect"], line["low"], line["high"], color=f"C{colour}", alpha=0.12, lw=0)
    axes.axhline(0.8, color="0.6", lw=0.8, ls="--")
    axes.set_ylim(-0.03, 1.03)


def main(part: str) -> None:
    """Run a part of the study, "stories" or "texts", and write its table and figure."""
    if part == "stories":
        name, number, drawn = "power", BY_STORIES[1], draw
        table = power_table(study_models(), BY_STORIES, "models")
    else:
        name, number, drawn = "power_texts", BY_TEXTS[1], draw_texts
        table = power_table(study_texts(), BY_TEXTS, "studies")
    table.round(3).to_csv(DOCS / f"{name}.csv", index=False)
    drawn(table, DOCS / f"images/{name}.svg", DOCS / f"images/{name}.png")
    print(smallest_found(table, number).round(2).to_string())


if __name__ == "__main__":
    for chosen in sys.argv[1:] or ("stories", "texts"):
        main(chosen)
