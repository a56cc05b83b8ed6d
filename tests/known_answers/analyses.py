"""What the workflow makes of a model and its stories, without files: the summaries that the scorecard judges.

The one place here that knows which analyses there are. `Found` holds one summary for each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from emotion_concepts import lens_scores, valence_arousal, validation
from emotion_concepts.cells import cell_sums
from emotion_concepts.layers import steered_layers
from emotion_concepts.lens_words import word_tokens
from emotion_concepts.logit_lens import LogitLens, flat_directions
from emotion_concepts.models import Model
from emotion_concepts.place_scores import PlaceScores
from emotion_concepts.recording import Pooling, record_pooled
from emotion_concepts.shards import LayerActivations
from emotion_concepts.steered_words import steered_directions, word_changes
from emotion_concepts.text_sets import Text
from emotion_concepts.tokens import counted_tokens, tokenise
from emotion_concepts.vectors import EmotionVectors, centred, concept_means, random_directions
from emotion_concepts.word_effects import words_summary
from tests.known_answers.reading import reading_summaries

PROMPTS = (Text("he", "He says that he is"), Text("you", "Right now I am"))


@dataclass(frozen=True)
class Effort:
    """How hard the statistics try: seconds for a test, minutes for a study."""

    max_splits: int = 20
    shuffles: int = 39
    permutations: int = 199
    bootstraps: int = 200


@dataclass(frozen=True)
class Found:
    """Vectors and summaries of one model and story set; reading: summaries by experiment."""

    layers: list[LayerActivations]
    vectors: EmotionVectors
    retrieval_table: pd.DataFrame
    retrieval: dict
    components: dict
    regression: dict
    words: dict
    lens: dict
    reading: dict[str, dict] = field(default_factory=dict)


def recorded(model: Model, stories: Sequence[Text], skip: int) -> list[LayerActivations]:
    """Every layer of a story set, as `record_texts` leaves it."""
    tokens = tokenise(model.tokenizer, [story.text for story in stories])
    (pooled,) = record_pooled(model, tokens, [Pooling([counted_tokens(text, skip) for text in tokens])])
    ids, emotions, topics = (
        np.array([getattr(s, key) for s in stories]) for key in ("id", "emotion", "topic")
    )
    return [
        LayerActivations(ids, emotions, topics, value_ND, norm_N, pooled.n_tokens_B)
        for value_ND, norm_N in zip(pooled.value_LBD, pooled.norm_LB, strict=True)
    ]


def vectors_of(layers: Sequence[LayerActivations]) -> EmotionVectors:
    """Concept vectors; the denoised ones are the raw ones, as there are no neutral texts."""
    concepts = sorted(set(layers[0].emotion.tolist()))
    raw = np.stack([centred(concept_means(k.mean, k.emotion, concepts)) for k in layers]).astype(np.float32)
    norms = {number: float(k.norm.mean(dtype=np.float64)) for number, k in enumerate(layers)}
    return EmotionVectors(raw, raw, concepts, list(norms), "made here", "1", norms)


def analyse(
    model: Model,
    stories: Sequence[Text],
    ratings: pd.DataFrame,
    *,
    skip: int = 8,
    strength: float = 0.05,
    effort: Effort = Effort(),
    seed: int = 1,
) -> Found:
    """Everything that ends in the scorecard, with the default layers."""
    layers = recorded(model, stories, skip)
    vectors = vectors_of(layers)
    changes, chosen = _changes(model, vectors, strength, seed)
    texts = [story.text for story in stories]
    lens = _lens_tokens(model, vectors, seed)
    return summarised(
        layers, texts, ratings, changes, lens, steered=chosen, strength=strength, effort=effort, seed=seed
    )


def with_reading(
    found: Found, scores_of: Callable[[str], PlaceScores], at: int, effort: Effort = Effort(), seed: int = 1
) -> Found:
    """The same with what the experiments that read find; `at` is the layer of those that want one."""
    options = {"permutations": effort.permutations, "bootstraps": effort.bootstraps, "seed": seed}
    return replace(found, reading=reading_summaries(scores_of, at, **options))


@dataclass(frozen=True)
class LensTokens:
    """What the logit lens reads: top tokens of vectors and of random directions, and each concept's own."""

    top_LCK: np.ndarray
    random_NK: np.ndarray
    own: dict[str, set[int]]


def summarised(
    layers: list[LayerActivations],
    texts: list[str],
    ratings: pd.DataFrame,
    changes: pd.DataFrame,
    lens: LensTokens,
    *,
    steered: list[int],
    strength: float,
    effort: Effort,
    seed: int,
) -> Found:
    """The summaries of recorded layers, of a table of word changes, as `word_changes` gives it, and of the lens."""
    vectors = vectors_of(layers)
    emotion, topic = layers[0].emotion, layers[0].topic
    stories = validation.Stories(
        emotion, topic, topic, layers[0].n_tokens, texts,
        cells=lambda k: cell_sums(layers[k].mean, emotion, topic),
        rows=lambda k, rows: layers[k].mean[rows],
    )  # fmt: skip
    table, _, _, retrieval = validation.retrieval_by_layer(
        stories, len(layers), max_splits=effort.max_splits, shuffles=effort.shuffles,
        bootstraps=effort.bootstraps, seed=seed,
    )  # fmt: skip
    options = {"permutations": effort.permutations, "bootstraps": effort.bootstraps, "seed": seed}
    at = retrieval["recommended_layer"]
    covariates_LCM = np.stack(
        [
            concept_means(
                np.column_stack([k.n_tokens, np.log(k.n_tokens), k.norm]), k.emotion, vectors.concepts
            )
            for k in layers
        ]
    )
    of = vectors.denoised_LCD, vectors.concepts, ratings
    components = valence_arousal.components_summary(*of, at, covariates_LCM[at], **options)
    _, regression = valence_arousal.held_out_ratings(*of, covariates_LCM, **options)
    cost = {"dose": strength, "perplexity_unsteered": None, "perplexity_steered": None, "layers": steered}
    words = words_summary(changes, sorted(set(changes["prompt"])), **options) | cost
    _, read = lens_scores.scored(lens.top_LCK, lens.random_NK, lens.own, vectors.layers, at, **options)
    return Found(
        layers, vectors, table, retrieval, components, regression, words, read | {"top": lens_scores.TOP}
    )


def _lens_tokens(model: Model, vectors: EmotionVectors, seed: int) -> LensTokens:
    """As `read_lens` reads them, for the concepts' names alone."""
    lens, shape = LogitLens(model), vectors.denoised_LCD.shape
    top = lens.read(flat_directions(vectors, model.width), top=lens_scores.TOP, bottom=1).top_NK
    random = random_directions(shape[1], model.width, seed)
    own = word_tokens(model.tokenizer, {concept: [concept] for concept in vectors.concepts})
    return LensTokens(
        top.reshape(*shape[:2], -1), lens.read(random, top=lens_scores.TOP, bottom=1).top_NK, own
    )


def _changes(
    model: Model, vectors: EmotionVectors, strength: float, seed: int
) -> tuple[pd.DataFrame, list[int]]:
    """As `steer_words` leaves them, and the steered layers."""
    concepts = vectors.concepts[::2][:12]
    chosen = steered_layers(len(vectors.layers), None)
    directions = steered_directions(vectors, concepts, chosen, strength=strength, n_random=5, seed=seed)
    return word_changes(model, PROMPTS, concepts, directions), chosen
