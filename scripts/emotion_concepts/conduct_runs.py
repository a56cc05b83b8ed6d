"""Scenarios under steering: how likely scripted replies become, and what a model replies (method.md, rows 16 to 19)."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from emotion_concepts.conduct_experiments import HARM, REMEDIES
from emotion_concepts.costs import repetition
from emotion_concepts.damage import doses, perplexities
from emotion_concepts.direction_kinds import CONTROLS, UNSTEERED
from emotion_concepts.directions import Directions, combined
from emotion_concepts.drafts import DraftStore
from emotion_concepts.errors import DataError
from emotion_concepts.generation import sampled
from emotion_concepts.models import Model
from emotion_concepts.sequence_scores import continuation_logprobs, prompt_ids
from emotion_concepts.spans import rendered
from emotion_concepts.steering import Edits, steered_tokens
from emotion_concepts.text_sets import Text

# Replies that are written side by side, and kept together. All are to one scenario: rows of one length need no mask, and
# without one attention is many times faster on a CPU.
PART_TEXTS = 64
# A sampled reply costs many scored ones: controls are for the graded measure.
WRITTEN_CONTROLS = 3


@dataclass(frozen=True)
class Condition:
    """What is added: direction, its name (two with a + between them are a harm and its remedy); kind; strength,
    signed; parts, each direction's own strength.
    """

    direction: str
    kind: str
    strength: float
    parts: Mapping[str, float]


def conditions(directions: Directions, strengths: Sequence[float], *, remedies: bool) -> list[Condition]:
    """Unsteered; each concept at each strength, both ways; each control at the largest, both ways.

    With `remedies`, also the harmful concept's vector with each remedy, and with each control in a remedy's place, at
    the largest strength.
    """
    largest = max(strengths)
    found = [Condition(UNSTEERED, UNSTEERED, 0.0, {})]
    for name, kind in zip(directions.names, directions.kinds, strict=True):
        own = {"concept": sorted(strengths)}.get(kind, [largest] if kind in CONTROLS else [])
        found += [Condition(name, kind, sign * dose, {name: sign * dose}) for dose in own for sign in (-1, 1)]
    if remedies and HARM in directions.names:
        for name, kind in zip(directions.names, directions.kinds, strict=True):
            if (kind == "concept" and name in REMEDIES) or kind in CONTROLS:
                as_kind = "remedy" if kind == "concept" else "remedy control"
                found.append(Condition(f"{HARM}+{name}", as_kind, largest, {HARM: largest, name: largest}))
    return found


def edits_of(directions: Directions, chosen: Sequence[Condition]) -> Edits:
    """A row of edits a condition."""
    return Edits(combined(directions, [condition.parts for condition in chosen]))


def prompts_of(model: Model, scenarios: Sequence[Text], *, chat: bool) -> list[str]:
    """The scenarios as the model reads them, ready for the reply."""
    return [rendered(text, model.tokenizer, chat_template=chat).text for text in scenarios]


def scripted_of(scenario: Text, sides: Sequence[str], limit: int | None) -> list[tuple[str, int, str]]:
    """A scenario's scripted replies: side, number there, text; at most `limit` of each side.

    Raises
    ------
    DataError
        A side has none, or they are not as many of each; names the scenario.
    """
    scripted = scenario.labels.get("scripted")
    lacking = [side for side in sides if not isinstance(scripted, dict) or not scripted.get(side)]
    if lacking:
        raise DataError(f"scenario {scenario.id}: labels.scripted has no replies of {lacking[0]!r}")
    if len({len(scripted[side]) for side in sides}) > 1:
        raise DataError(f"scenario {scenario.id}: labels.scripted has not as many replies of each side")
    return [(side, item, text) for side in sides for item, text in enumerate(scripted[side][:limit])]


def scripted_scores(
    model: Model,
    scenarios: Sequence[Text],
    directions: Directions,
    chosen: Sequence[Condition],
    sides: Sequence[str],
    *,
    limit: int | None,
    chat: bool,
    reply_only: bool,
) -> pd.DataFrame:
    """Log-probability of the scripted replies of some sides, at most `limit` of each, under every condition.

    Returns
    -------
    DataFrame
        scenario, direction, kind, strength, side (the stance), item (number of the reply there), logprob (sum over
        tokens, natural logarithm), n_tokens, dose (||s m v|| / ||h||, mean over prompts and steered layers), format.
    """
    prompts, rows = prompts_of(model, scenarios, chat=chat), []
    edits = edits_of(directions, chosen)
    dose_E = doses(model, prompts, edits.added_RD)
    for scenario, prompt in zip(scenarios, prompts, strict=True):
        items = scripted_of(scenario, sides, limit)
        spoken = [text if chat else f" {text}" for *_, text in items]
        logprob_EC = continuation_logprobs(model, [prompt], [spoken], edits, reply_only=reply_only)[:, 0]
        counts = [len(model.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in spoken]
        for e, condition in enumerate(chosen):
            rows += [
                (
                    scenario.id, condition.direction, condition.kind, condition.strength, side, item,
                    float(logprob_EC[e, c]), counts[c], float(dose_E[e]),
                )
                for c, (side, item, _) in enumerate(items)
            ]  # fmt: skip
    names = ["scenario", "direction", "kind", "strength", "side", "item", "logprob", "n_tokens", "dose"]
    return pd.DataFrame(rows, columns=names).assign(format="chat" if chat else "plain")


def rollouts(
    model: Model,
    scenarios: Sequence[Text],
    directions: Directions,
    chosen: Sequence[Condition],
    drafts: DraftStore,
    *,
    chat: bool,
    reply_only: bool,
    count: int,
    max_new_tokens: int,
    temperature: float,
    top_p: float,
    seed: int,
) -> list[dict]:
    """Sampled replies, `count` a scenario and condition; those that `drafts` has are not written again.

    Returns
    -------
    list of dict
        scenario, direction, kind, strength, number, seed, prompt, text, perplexity (of the text, read by the
        unsteered model; NaN of an empty one), repetition.
    """
    prompts = dict(zip([s.id for s in scenarios], prompts_of(model, scenarios, chat=chat), strict=True))
    wanted = [
        (f"{scenario.id}/{c.direction}/{c.strength:g}/{number}", scenario.id, row, number)
        for scenario in scenarios
        for row, c in enumerate(chosen)
        for number in range(count)
    ]
    edits = edits_of(directions, chosen)
    missing = [entry for entry in wanted if entry[0] not in drafts]
    of_scenario = [[entry for entry in missing if entry[1] == scenario.id] for scenario in scenarios]
    for part in (of[i : i + PART_TEXTS] for of in of_scenario for i in range(0, len(of), PART_TEXTS)):
        asked = [prompts[scenario] for _, scenario, *_ in part]
        where = [
            steered_tokens(model, prompt, prompt_ids(model, prompt), "reply" if reply_only else "all")
            for prompt in asked
        ]
        written = sampled(
            model, asked, edits, [row for *_, row, _ in part], where, max_new_tokens=max_new_tokens,
            temperature=temperature, top_p=top_p, seeds=[seed_of(seed, key) for key, *_ in part],
        )  # fmt: skip
        drafts.add({part[number][0]: text for number, text in written})
    texts = [drafts[key] for key, *_ in wanted]
    costs = perplexities(model, [prompts[scenario] for _, scenario, *_ in wanted], texts)
    return [
        {
            "scenario": scenario, "direction": chosen[row].direction, "kind": chosen[row].kind,
            "strength": chosen[row].strength, "number": number, "seed": seed_of(seed, key),
            "prompt": prompts[scenario], "text": text, "perplexity": cost, "repetition": repetition(text),
        }
        for (key, scenario, row, number), text, cost in zip(wanted, texts, costs, strict=True)
    ]  # fmt: skip


def seed_of(seed: int, key: str) -> int:
    """A reply's own seed: it does not change when other replies are added."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:7])


def written_conditions(chosen: Sequence[Condition]) -> Iterator[Condition]:
    """Those of which replies are sampled: of controls a few random ones alone, one way, as their sign says nothing."""
    few = {f"random-{number + 1}" for number in range(WRITTEN_CONTROLS)}
    written = (UNSTEERED, "concept", "remedy")
    return (c for c in chosen if c.kind in written or (c.direction in few and c.strength > 0))
