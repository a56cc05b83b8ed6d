"""What the workflow makes of a model and its stories, without files: the summaries that the scorecard judges.

The one place here that knows which analyses there are. `Found` holds one summary for each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from emotion_concepts import label_scores, lens_scores, sweep_scores, valence_arousal, validation
from emotion_concepts.cells import cell_sums
from emotion_concepts.corpora import Passage
from emotion_concepts.directions import made_controls, steered_directions
from emotion_concepts.layers import steered_layers
from emotion_concepts.lens_words import word_tokens
from emotion_concepts.logit_lens import LogitLens, flat_directions
from emotion_concepts.models import Model
from emotion_concepts.place_scores import PlaceScores
from emotion_concepts.recording import Pooling, pooled_at, record_pooled
from emotion_concepts.shards import LayerActivations
from emotion_concepts.steered_words import word_changes
from emotion_concepts.story_checks import Vocabulary
from emotion_concepts.sweep import ScoredPassage, swept
from emotion_concepts.text_sets import Text
from emotion_concepts.token_scores import token_cosines
from emotion_concepts.tokens import counted_tokens, tokenise
from emotion_concepts.vectors import EmotionVectors, centred, concept_means, random_directions, units_at
from emotion_concepts.word_effects import words_summary
from tests.known_answers.reading import reading_summaries

# Snippets kept of each vector: one document speaks of each concept.
SNIPPETS = 2
N_RANDOM = 10
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
    sweep: dict
    labels: dict
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


@dataclass(frozen=True)
class TextsOfOthers:
    """What the vectors are asked to find: a corpus, and labelled texts.

    corpus, labelled : texts, the latter with their label as `emotion`.
    """

    corpus: Sequence[Text]
    labelled: Sequence[Text]

    @property
    def labels(self) -> list[str]:
        """The labels that there are, sorted."""
        return sorted({text.emotion for text in self.labelled})

    @property
    def truth(self) -> np.ndarray:
        """Which label each text has: bool [N, L]."""
        return np.array([[text.emotion == label for label in self.labels] for text in self.labelled])


@dataclass(frozen=True)
class ReadTexts:
    """How the texts of others read at a layer: functions of the layer, and word counts.

    passages : scored passages of the corpus, vectors first, then random directions; values : float32
    [labelled texts, D]; tfidf_NL : what word counts say of the labels.
    """

    texts: TextsOfOthers
    passages: Callable[[int], list[ScoredPassage]]
    values: Callable[[int], np.ndarray]
    tfidf_NL: np.ndarray


def analyse(
    model: Model,
    stories: Sequence[Text],
    ratings: pd.DataFrame,
    others: TextsOfOthers,
    *,
    tfidf_NL: np.ndarray | None = None,
    skip: int = 8,
    strength: float = 0.05,
    effort: Effort = Effort(),
    seed: int = 1,
) -> Found:
    """Everything that ends in the scorecard, with the default layers.

    `tfidf_NL` takes the place of word counts of the labelled texts: counting takes longest.
    """
    layers = recorded(model, stories, skip)
    vectors = vectors_of(layers)
    changes, chosen = _changes(model, vectors, strength, seed)
    texts = [story.text for story in stories]
    lens = _lens_tokens(model, vectors, seed)
    if tfidf_NL is None:
        counted = [text.text for text in others.labelled]
        tfidf_NL = label_scores.word_count_scores(counted, others.truth, seed)
    read = ReadTexts(
        others, lambda layer: _passages(model, vectors, others.corpus, layer, seed),
        lambda layer: _values(model, others.labelled, layer), tfidf_NL,
    )  # fmt: skip
    return summarised(
        layers,
        texts,
        ratings,
        changes,
        lens,
        read,
        steered=chosen,
        strength=strength,
        effort=effort,
        seed=seed,
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
    others: ReadTexts,
    *,
    steered: list[int],
    strength: float,
    effort: Effort,
    seed: int,
) -> Found:
    """The summaries of recorded layers, of a table of word changes, as `word_changes` gives it, of the lens and of texts of others."""
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
    cost |= {"damaged": False, "event_change": None}
    words = words_summary(changes, sorted(set(changes["prompt"])), **options) | cost
    _, read = lens_scores.scored(lens.top_LCK, lens.random_NK, lens.own, vectors.layers, at, **options)
    return Found(
        layers, vectors, table, retrieval, components, regression, words, read | {"top": lens_scores.TOP},
        _sweep_summary(others, vectors.concepts, at, options), _label_summary(others, vectors, at, options),
    )  # fmt: skip


def _sweep_summary(others: ReadTexts, concepts: list[str], layer: int, options: dict) -> dict:
    """As `sweep_corpus` leaves it; a concept's own word is its name."""
    found = swept(others.passages(layer), SNIPPETS)
    vocabulary = Vocabulary({concept: (concept,) for concept in concepts}, {}, ())
    texts = sweep_scores.snippet_texts(found)
    rates = np.split(sweep_scores.own_word_rates(texts, concepts, vocabulary), [len(concepts)])
    about = {"corpus": "others", "layer": layer, "n_tokens": found.n_tokens, "n_documents": len(concepts)}
    return sweep_scores.own_words_summary(*rates, **options) | about | {"n_snippets": SNIPPETS}


def _label_summary(others: ReadTexts, vectors: EmotionVectors, layer: int, options: dict) -> dict:
    """As `score_labelled` leaves it; a label's concept has its name."""
    value_ND, labels = others.values(layer), others.texts.labels
    random_RD = random_directions(N_RANDOM, value_ND.shape[1], options["seed"])
    units = np.stack([vectors.unit(label, layer) for label in labels])
    score_NV = label_scores.centred_cosines(value_ND, np.concatenate([units, random_RD]))
    _, found = label_scores.label_scores(
        score_NV[:, : len(labels)], others.texts.truth, labels, tfidf_NL=others.tfidf_NL,
        length_N=np.array([len(text.text.split()) for text in others.texts.labelled]),
        random_NR=score_NV[:, len(labels) :], **options,
    )  # fmt: skip
    return found | {"labelled_set": "others", "layer": layer}


def _passages(model, vectors, corpus: Sequence[Text], layer: int, seed: int) -> list[ScoredPassage]:
    """As `sweep_corpus` reads them, a passage a document."""
    tokens = tokenise(model.tokenizer, [text.text for text in corpus], with_places=True)
    random_RD = random_directions(N_RANDOM, model.width, seed)
    units = np.concatenate([units_at(vectors, layer, model.width), random_RD])
    cosines = token_cosines(model, tokens, range(len(tokens)), units, layer=layer, way="padded")
    return [
        ScoredPassage(
            Passage(text.id, 0, text.text, len(own.ids)), own.places, counted_tokens(own, 2), cosine_TV
        )
        for text, own, cosine_TV in zip(corpus, tokens, cosines, strict=True)
    ]


def _values(model: Model, labelled: Sequence[Text], layer: int) -> np.ndarray:
    """As `score_labelled` reads them."""
    tokens = tokenise(model.tokenizer, [text.text for text in labelled])
    return pooled_at(model, tokens, Pooling([counted_tokens(text, 1) for text in tokens]), layer)


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
    directions = steered_directions(vectors, concepts, chosen, made_controls(vectors, 5, seed), n_controls=5)
    return word_changes(model, PROMPTS, concepts, directions, strength), chosen
