"""What steering costs: how unlikely the unsteered model finds a steered text, how it repeats itself, and the dose.

Shape letters: D width.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emotion_concepts.models import Model
from emotion_concepts.sequence_scores import ScoredSequence, prompt_ids, token_logprobs
from emotion_concepts.steering import Edits, residual_norms

# Tokens that are compared: words of a text, in runs of so many.
REPEATED_RUN = 3


def perplexities(model: Model, prompts: Sequence[str], texts: Sequence[str]) -> list[float]:
    """Perplexity of each text after its prompt, read by the unsteered model; NaN of an empty one."""
    sequences, places = [], []
    for place, (prompt, text) in enumerate(zip(prompts, texts, strict=True)):
        tail = model.tokenizer(text, add_special_tokens=False)["input_ids"]
        if tail:
            sequences.append(ScoredSequence(np.array(prompt_ids(model, prompt) + tail), len(tail)))
            places.append(place)
    found = [math.nan] * len(texts)
    for place, logprob in zip(places, token_logprobs(model, sequences, Edits({})), strict=True):
        found[place] = math.exp(-float(logprob.mean(dtype=np.float64)))
    return found


def repetition(text: str) -> float:
    """Share of a text's runs of three words that have stood in it before; 0 of a text without such a run."""
    words = text.lower().split()
    runs = [tuple(words[i : i + REPEATED_RUN]) for i in range(len(words) - REPEATED_RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


@dataclass(frozen=True)
class Cost:
    """Medians over some texts: perplexity, NaN where nothing was written, and repetition."""

    perplexity: float
    repetition: float


def median_cost(texts: Sequence[Mapping]) -> Cost:
    """Of texts with `perplexity` and `repetition`."""
    known = [text["perplexity"] for text in texts if text["perplexity"] == text["perplexity"]]
    return Cost(
        float(np.median(known)) if known else math.nan,
        float(np.median([text["repetition"] for text in texts])) if texts else 0.0,
    )


def is_damaged(cost: Cost, unsteered: Cost, *, max_perplexity_ratio: float, max_repetition: float) -> bool:
    """Is a dose's text beyond what is interpreted: too unlikely against unsteered text, or repeating itself more?"""
    return cost.perplexity > max_perplexity_ratio * unsteered.perplexity or (
        cost.repetition > max(max_repetition, unsteered.repetition)
    )


def dose(model: Model, prompts: Sequence[str], added_D: Mapping[int, np.ndarray]) -> float:
    """Mean of ||s m v|| / ||h|| over the steered layers, h being the prompts' own tokens but the first."""
    ratios = []
    for prompt in prompts:
        norms = residual_norms(model, prompt)
        ratios += [np.linalg.norm(added) / norms[layer] for layer, added in added_D.items()]
    return float(np.mean(ratios))
