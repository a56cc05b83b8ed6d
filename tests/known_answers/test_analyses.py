"""Every claim of the scorecard where its answer is planted, where there is none, and where it is length."""

import inspect
from functools import cache

import numpy as np
import pytest
import torch
from scipy import stats

from emotion_concepts import project, reading_claims, scorecard, steering_claims
from emotion_concepts.directions import made_controls, steered_directions
from emotion_concepts.layers import steered_layers
from emotion_concepts.lens_words import word_tokens
from emotion_concepts.steered_words import word_changes
from emotion_concepts.valence_arousal import components_by_layer
from tests.known_answers.analyses import PROMPTS, analyse, recorded
from tests.known_answers.cases import (
    CASES,
    Found,
    noise_found,
    null_found,
    null_study,
    texts_of_others,
    told_stories,
)
from tests.known_answers.cases import planted_found as found_in_planted
from tests.known_answers.conftest import SHIFT
from tests.known_answers.nulls import length_model
from tests.known_answers.planted import CONCEPTS, MARKED, N_LAYERS, Plan, Planted, story_set
from tests.known_answers.reading import planted_texts, unread_places

CLAIMS = [
    name
    for module in (scorecard, reading_claims, steering_claims)
    for name, _ in inspect.getmembers(module, inspect.isfunction)
    if name.strip("_").endswith("_entry")
]
# One in a thousand for each of some ten p-values: the seeds are fixed, so a pass is a pass.
LEVEL = 1e-3
CHANCE = 1 / len(CONCEPTS)


@pytest.fixture(scope="session")
def planted_found(planted, planted_model) -> Found:
    return found_in_planted(planted, planted_model)


NULLS = [
    ("random model", 20),
    ("noise", 40),
    pytest.param("random model", 200, marks=pytest.mark.slow),
    pytest.param("noise", 400, marks=pytest.mark.slow),
]


@pytest.fixture(scope="session")
def null_of():
    """Many null models: gives the study of a kind and number of seeds, made once."""
    fewer_topics = Planted(Plan(topics=5))
    tokenizer = fewer_topics.llama.tokenizer()
    texts = planted_texts(fewer_topics, fewer_topics.plan.topics - 1)
    places_of = {name: unread_places(tokenizer, name, of) for name, of in texts.items()}
    kinds = {
        "random model": lambda seed: null_found(fewer_topics, tokenizer, seed),
        "noise": lambda seed: noise_found(fewer_topics, places_of, seed),
    }
    return cache(lambda kind, seeds: null_study(kinds[kind], range(seeds)))


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_has_a_planted_and_a_null_case(claim):
    assert claim in CASES, f"{claim} has no planted and null case: add one to {__package__}.cases"


@pytest.mark.parametrize("claim", CASES)
def test_planted_answers_are_found(claim, planted_found):
    case = CASES[claim]
    for name, line in case.entries(planted_found).items():
        assert line["verdict"] == "reproduced" and line["value"] >= case.least, (name, line)
    for name, p in case.more_p(planted_found).items():
        assert p <= 0.01, name


@pytest.mark.parametrize("claim", CASES)
@pytest.mark.parametrize(("kind", "seeds"), NULLS)
def test_null_p_values_are_uniform_or_conservative(claim, kind, seeds, null_of):
    for name, p in null_of(kind, seeds).of(claim).p.items():
        above = stats.kstest(p, "uniform", alternative="greater")
        assert above.pvalue > LEVEL, f"{name}: P(p <= x) exceeds x by {above.statistic:.2f}"


@pytest.mark.parametrize("claim", CASES)
@pytest.mark.parametrize(("kind", "seeds"), NULLS)
@pytest.mark.parametrize("verdict", ["reproduced", "opposite"])
def test_null_verdicts_are_wrong_in_at_most_five_of_a_hundred(claim, verdict, kind, seeds, null_of):
    for name, verdicts in null_of(kind, seeds).of(claim).verdicts.items():
        wrong = int(np.sum(verdicts == verdict))
        most = stats.binom.ppf(1 - LEVEL, len(verdicts), scorecard.ALPHA)
        assert wrong <= most, f"{name}: {verdict} {wrong} times in {len(verdicts)}"


def test_planted_directions_are_found_at_their_layers_and_not_before(planted, planted_found):
    for layer in range(N_LAYERS):
        units = np.stack([planted_found.vectors.unit(concept, layer) for concept in CONCEPTS])
        cosines = (units * planted.units).sum(1)
        if layer < MARKED:
            assert np.abs(cosines).max() < 0.01
        else:
            assert cosines.min() >= 0.95, (layer, CONCEPTS[int(cosines.argmin())])


def test_planted_retrieval_begins_at_its_layer(planted_found):
    top1 = planted_found.retrieval_table["top1"].to_numpy()
    assert (top1[MARKED:] > 0.99).all() and (top1[:MARKED] < 3 * CHANCE).all()
    assert planted_found.retrieval["best_layer"] == MARKED
    # No marker is used on two topics: words tell nothing.
    assert planted_found.retrieval["tfidf"] < 3 * CHANCE


def test_planted_plane_comes_first_at_its_layers(planted, planted_found):
    table = components_by_layer(
        planted_found.vectors.raw_LCD, planted_found.vectors.concepts, planted.ratings
    )
    for component, dimension in enumerate(("valence", "arousal"), 1):
        r = table[table["component"] == component].set_index("layer")[f"{dimension}_r"].abs()
        assert (r[MARKED:] >= 0.95).all() and (r[:MARKED] < 0.6).all()
        assert planted_found.components[dimension]["best_component"] == component


def test_steered_words_follow_the_closed_form(planted, planted_model, planted_found):
    """Both steered blocks come before the context is spread, which doubles what is added to all tokens."""
    vectors, layers = planted_found.vectors, steered_layers(N_LAYERS, None)
    directions = steered_directions(vectors, CONCEPTS[:6], layers, made_controls(vectors, 5, 1), n_controls=5)
    for strength in (0.005, 0.02, 0.05):
        table = word_changes(planted_model, PROMPTS[:1], CONCEPTS[:6], directions, strength)
        measured = table["change"].to_numpy().reshape(-1, 6)
        added = 2 * strength * sum(directions.scaled_RD[layer] for layer in layers)
        ids = torch.tensor([planted_model.tokenizer(PROMPTS[0].text)["input_ids"]])
        base = planted_model.hf(ids).logits[0, -1].double().numpy()
        read = np.zeros((len(base), planted.llama.width))
        read[planted_model.tokenizer.convert_tokens_to_ids(list(CONCEPTS))] = (
            planted.plan.gain * planted.units
        )
        steered = base + added.astype(float) @ read.T
        logprob = steered - np.logaddexp.reduce(steered, axis=1, keepdims=True)
        words = planted_model.tokenizer.convert_tokens_to_ids(list(CONCEPTS[:6]))
        expected = (logprob - logprob[0])[:, words]
        own = np.arange(1, 7), np.arange(6)
        np.testing.assert_allclose(measured[own], expected[own], rtol=0.05)
        # Random directions touch coordinates that planted ones leave alone, and have no closed form.
        tolerance = {"rtol": 0.05, "atol": 0.05 * np.abs(expected[:7]).max()}
        np.testing.assert_allclose(measured[:7], expected[:7], **tolerance)


def test_shift_moves_projections_and_no_vector(planted, planted_model, shifted_model, planted_found):
    """As row 20 will ask it: the same vectors, another model, the same text."""
    layer, text = 5, " ".join(planted.words_of["fillers"][:12])
    vectors = planted_found.vectors
    before, after = (
        project(model, vectors, text).projection_LTC[layer] for model in (planted_model, shifted_model)
    )
    added = sum(times * planted.directions[CONCEPTS.index(concept)] for concept, times in SHIFT.items())
    units = np.stack([vectors.unit(concept, layer) for concept in CONCEPTS])
    np.testing.assert_allclose((after - before).mean(0), units @ added, atol=0.02)
    assert CONCEPTS[int((after - before).mean(0).argmax())] == "gloomy"
    shifted = recorded(shifted_model, told_stories(planted), 8)[layer]
    own = np.stack([shifted.mean[shifted.emotion == c].mean(0) for c in CONCEPTS])
    own -= own.mean(0)
    cosines = (own * units).sum(1) / np.linalg.norm(own, axis=1)
    assert cosines.min() > 0.999


@pytest.fixture(scope="session")
def long_is_pleasant(planted) -> dict[str, int]:
    """Words of a story: more, the more pleasant its concept is."""
    rank = planted.plane[:, 0].argsort().argsort()
    return dict(zip(CONCEPTS, np.linspace(24, 90, len(CONCEPTS))[rank], strict=True))


@pytest.fixture(scope="session")
def length_found(planted, planted_model, long_is_pleasant) -> list[Found]:
    """Five story sets read by a model that knows nothing but their length."""
    model = length_model(planted, planted_model.tokenizer)
    return [
        analyse(
            model,
            story_set(planted, lengths=long_is_pleasant, seed=seed),
            planted.ratings,
            texts_of_others(planted, seed),
        )
        for seed in range(1, 6)
    ]


def test_length_model_is_explained_by_length_in_retrieval(length_found):
    for found in length_found:
        line = CASES["retrieval_entry"].entries(found)["retrieval"]
        assert line["value"] > 5 * CHANCE and line["p"] < 0.05 and line["verdict"] == "explained by length"
        # Word counts do not see it.
        assert found.retrieval["tfidf"] < 3 * CHANCE


def test_length_does_not_explain_what_is_planted_in_retrieval(planted, planted_model, long_is_pleasant):
    stories = story_set(planted, lengths=long_is_pleasant)
    found = analyse(planted_model, stories, planted.ratings, texts_of_others(planted, 1))
    line = CASES["retrieval_entry"].entries(found)["retrieval"]
    assert line["verdict"] == "reproduced" and line["interval"][0] > 2 * found.retrieval["length"]


@pytest.mark.parametrize("claim", ["component_entry", "regression_entry"])
def test_length_model_is_explained_by_length_in_geometry(length_found, claim):
    """What grows with length need not grow in proportion to it."""
    lines = [CASES[claim].entries(found) for found in length_found]
    valence = [line for of in lines for name, line in of.items() if name.endswith("valence")]
    assert all(line["value"] > 0.9 and line["p"] < 0.01 for line in valence)
    assert {line["verdict"] for line in valence} == {"explained by length"}


@pytest.fixture(scope="session")
def same_words_found(planted) -> Found:
    """An untrained model, and stories in which a concept has the same words on all topics."""
    return null_found(planted, planted.llama.tokenizer(), seed=1, same_words=True)


def test_words_alone_are_seen_by_the_word_count_control(same_words_found):
    found = same_words_found.retrieval
    assert found["top1"] > 0.9 and found["tfidf"] >= found["top1"]


def test_words_alone_are_not_reproduced(same_words_found):
    line = CASES["retrieval_entry"].entries(same_words_found)["retrieval"]
    assert line["verdict"] != "reproduced"


def test_no_concept_is_known_by_the_unknown_word(planted_model):
    own = word_tokens(planted_model.tokenizer, {"happy": ["happy", "glad"], "sad": ["sad", "unhappy"]})
    assert not any(planted_model.tokenizer.unk_token_id in ids for ids in own.values())
