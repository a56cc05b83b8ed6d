"""What the workflow reads at the places of an experiment's texts, without files."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from emotion_concepts.experiments import EXPERIMENTS, PROMPTS
from emotion_concepts.models import Model
from emotion_concepts.place_scores import with_labels
from emotion_concepts.span_recording import places_table, read_batch, read_in_formats
from emotion_concepts.text_sets import Text


def read_places_of(
    model: Model, name: str, texts: Sequence[Text], formats: Sequence[str] = ("plain",)
) -> tuple[pd.DataFrame, Callable[[int], np.ndarray]]:
    """The places of an experiment's texts with their labels, and the residual stream there by layer."""
    limits = dict.fromkeys(formats)
    read = read_in_formats(texts, (EXPERIMENTS | PROMPTS)[name], model.tokenizer, limits)
    table = places_table(read)
    places = with_labels(table.drop(columns="digest"), texts)
    digests = list(dict.fromkeys(table["digest"]))
    batch = read_batch(model, read, "padded", digests, list(range(len(read))))
    rows = [digests.index(digest) for digest in table["digest"]]
    value_LUD = batch.value_LUD[:, rows]
    places["n_tokens"] = batch.n_tokens_U[rows]
    return places, lambda layer: value_LUD[layer]
