"""What steering costs: how unlikely the unsteered model finds a steered text, and the dose.

Shape letters: D width.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from emotion_concepts.models import Model
from emotion_concepts.sequence_scores import ScoredSequence, prompt_ids, token_logprobs
from emotion_concepts.steering import Edits, residual_norms


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


def doses(model: Model, prompts: Sequence[str], added_RD: Mapping[int, np.ndarray]) -> np.ndarray:
    """Mean of ||s m v|| / ||h|| over prompts and steered layers, h being a prompt's tokens but the first: float64 [R]."""
    norm_PL = np.array([residual_norms(model, prompt) for prompt in prompts], np.float64)
    ratios = [
        np.linalg.norm(added.astype(np.float64), axis=1)[:, None] / norm_PL[:, layer]
        for layer, added in added_RD.items()
    ]
    return np.mean(ratios, axis=(0, 2))
