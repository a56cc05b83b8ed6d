"""Does steering toward a concept raise its own word? (method.md, row 5)

Shape letters: R directions (unsteered, concepts, controls), W words, P prompts.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion_concepts.costs import repetition
from emotion_concepts.damage import perplexities
from emotion_concepts.directions import Directions
from emotion_concepts.generation import sample
from emotion_concepts.models import Model
from emotion_concepts.sequence_scores import continuation_logprobs
from emotion_concepts.steering import Edits
from emotion_concepts.text_sets import Text


def word_changes(
    model: Model, prompts: Sequence[Text], words: Sequence[str], directions: Directions, strength: float
) -> pd.DataFrame:
    """Log-probability of each word after each prompt, under each direction.

    Returns
    -------
    DataFrame
        prompt, direction, kind, word, logprob (natural logarithm), change (against unsteered).
    """
    spoken = [f" {word}" for word in words]
    logprob_RPW = continuation_logprobs(
        model, [prompt.text for prompt in prompts], [spoken] * len(prompts), _edits(directions, strength)
    )
    rows = []
    for p, prompt in enumerate(prompts):
        for r, (name, kind) in enumerate(zip(directions.names, directions.kinds, strict=True)):
            for w, word in enumerate(words):
                logprob = float(logprob_RPW[r, p, w])
                rows.append((prompt.id, name, kind, word, logprob, logprob - float(logprob_RPW[0, p, w])))
    return pd.DataFrame(rows, columns=["prompt", "direction", "kind", "word", "logprob", "change"])


def continuations(
    model: Model, prompts: Sequence[Text], directions: Directions, strength: float, max_new_tokens: int
) -> list[dict]:
    """The likeliest continuation of each prompt under each direction, and what it cost.

    Each has prompt, direction, kind, text; perplexity: of the text, read by the unsteered model, NaN where nothing was
    written; repetition: share of its runs of three words that stood in it before.
    """
    n = len(directions.names)
    asked = [prompt for prompt in prompts for _ in range(n)]
    texts = sample(
        model, [prompt.text for prompt in asked], _edits(directions, strength), list(range(n)) * len(prompts),
        max_new_tokens=max_new_tokens,
    )  # fmt: skip
    costs = perplexities(model, [prompt.text for prompt in asked], texts)
    return [
        {
            "prompt": prompt.id,
            "direction": directions.names[row % n],
            "kind": directions.kinds[row % n],
            "text": text,
            "perplexity": cost,
            "repetition": repetition(text),
        }
        for row, (prompt, text, cost) in enumerate(zip(asked, texts, costs, strict=True))
    ]


def _edits(directions: Directions, strength: float) -> Edits:
    rows = np.arange(len(directions.names))
    return Edits(directions.added(rows, np.full(len(rows), strength)))
