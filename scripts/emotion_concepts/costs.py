"""Steered texts that have fallen apart: how unlikely they are, how they repeat themselves, and what is not interpreted.

numpy alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Words of a text are compared in runs of so many.
REPEATED_RUN = 3


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
    # None, too, is how NaN comes back from JSON.
    known = [of for of in (text["perplexity"] for text in texts) if of is not None and of == of]
    return Cost(
        float(np.median(known)) if known else math.nan,
        float(np.median([text["repetition"] for text in texts])) if texts else 0.0,
    )


def is_damaged(cost: Cost, unsteered: Cost, *, max_perplexity_ratio: float, max_repetition: float) -> bool:
    """Is a dose's text beyond what is interpreted: too unlikely against unsteered text, or repeating itself more?"""
    return cost.perplexity > max_perplexity_ratio * unsteered.perplexity or (
        cost.repetition > max(max_repetition, unsteered.repetition)
    )
