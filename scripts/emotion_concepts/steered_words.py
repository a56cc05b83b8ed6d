"""Does steering toward a concept raise its own word? (method.md, row 5)

Shape letters: R directions (unsteered, concepts, random), W words, P prompts, D width.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emotion_concepts.concepts import USUAL_CONCEPTS
from emotion_concepts.generation import sample
from emotion_concepts.models import Model
from emotion_concepts.steering import continuation_logprobs, residual_norms
from emotion_concepts.text_sets import Text
from emotion_concepts.vectors import EmotionVectors, random_directions

UNSTEERED = "unsteered"


@dataclass(frozen=True)
class Directions:
    """What is added after each steered block, one row a direction.

    names : R; kinds : "unsteered", "concept" or "random"; addition_RD : {layer: float32 [R, D]}.
    """

    names: list[str]
    kinds: list[str]
    addition_RD: dict[int, np.ndarray]


def concepts_to_steer(known: Sequence[str], chosen: Sequence[str] | None) -> list[str]:
    """The chosen concepts that have vectors; without a choice the usual twelve, filled up with others."""
    if chosen is not None:
        return [concept for concept in chosen if concept in known]
    usual = [concept for concept in USUAL_CONCEPTS if concept in known]
    others = [concept for concept in known if concept not in usual]
    return [*usual, *others][: len(USUAL_CONCEPTS)]


def steered_directions(
    vectors: EmotionVectors,
    concepts: Sequence[str],
    layers: Sequence[int],
    *,
    strength: float,
    n_random: int,
    seed: int,
) -> Directions:
    """The unsteered baseline, the concepts' vectors and random directions, all at one norm a layer."""
    names = [UNSTEERED, *concepts, *(f"random-{i + 1}" for i in range(n_random))]
    kinds = [UNSTEERED, *["concept"] * len(concepts), *["random"] * n_random]
    additions = {}
    for layer in layers:
        # The same random direction at all layers, as a concept keeps its own from layer to layer.
        random = random_directions(n_random, vectors.raw_LCD.shape[-1], seed)
        units = np.stack([vectors.unit(concept, layer) for concept in concepts])
        zeros = np.zeros((1, units.shape[1]))
        scale = strength * vectors.residual_norm[layer]
        additions[layer] = (scale * np.concatenate([zeros, units, random])).astype(np.float32)
    return Directions(names, kinds, additions)


def word_changes(
    model: Model, prompts: Sequence[Text], words: Sequence[str], directions: Directions
) -> pd.DataFrame:
    """Log-probability of each word after each prompt, under each direction.

    Returns
    -------
    DataFrame
        prompt, direction, kind, word, logprob (natural logarithm), change (against unsteered).
    """
    rows = []
    for prompt in prompts:
        logprob_RW = continuation_logprobs(
            model, prompt.text, [f" {word}" for word in words], directions.addition_RD
        )
        for r, (name, kind) in enumerate(zip(directions.names, directions.kinds, strict=True)):
            for w, word in enumerate(words):
                change = float(logprob_RW[r, w] - logprob_RW[0, w])
                rows.append((prompt.id, name, kind, word, float(logprob_RW[r, w]), change))
    return pd.DataFrame(rows, columns=["prompt", "direction", "kind", "word", "logprob", "change"])


def continuations(
    model: Model, prompts: Sequence[Text], directions: Directions, max_new_tokens: int
) -> list[dict]:
    """The likeliest continuation of each prompt under each direction, and what it cost.

    Each has prompt, direction, kind, text, and perplexity: of the text, read by the unsteered
    model; NaN where nothing was written.
    """
    found = []
    n_rows = len(directions.names)
    for prompt in prompts:
        texts = sample(model, [prompt.text] * n_rows, directions.addition_RD, max_new_tokens=max_new_tokens)
        nothing = {k: np.zeros_like(v[:1]) for k, v in directions.addition_RD.items()}
        logprob_W = continuation_logprobs(model, prompt.text, texts, nothing)[0]
        for r, text in enumerate(texts):
            n_tokens = len(model.tokenizer(text, add_special_tokens=False)["input_ids"])
            perplexity = math.exp(-logprob_W[r] / n_tokens) if n_tokens else math.nan
            found.append(
                {
                    "prompt": prompt.id,
                    "direction": directions.names[r],
                    "kind": directions.kinds[r],
                    "text": text,
                    "perplexity": perplexity,
                }
            )
    return found


def dose(model: Model, prompts: Sequence[Text], directions: Directions) -> float:
    """Mean of ||s m v|| / ||h|| over the steered layers, h being the prompts' own tokens but the first."""
    ratios = []
    for prompt in prompts:
        norms = residual_norms(model, prompt.text)
        for layer, addition_RD in directions.addition_RD.items():
            ratios.append(np.linalg.norm(addition_RD[1]) / norms[layer])
    return float(np.mean(ratios))
