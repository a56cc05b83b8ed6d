"""Rows 3 and 4 on planted cosines: what they must find is known, or counted by a plain loop."""

import math
import re
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emotion_concepts.experiment_texts import number_texts
from emotion_concepts.messages import implicit_summary, numbers_summary, word_scores
from emotion_concepts.place_scores import PlaceScores, with_labels
from emotion_concepts.reading_claims import reading_entries
from emotion_concepts.text_sets import Text

OPTIONS = {"permutations": 199, "bootstraps": 200, "seed": 0}
CONCEPTS, TOPICS, LAYERS = ["afraid", "calm", "proud", "sad"], list("abcdef"), [3, 5, 9]
# The vectors know one concept that no message has, and not in the order of the alphabet.
KNOWN = ["sad", "tired", "afraid", "calm", "proud"]


def implicit(cosine_LUC, controls=None):
    places = pd.DataFrame(
        [(f"{topic}-{concept}", "plain", "before reply", ":", 1, concept, topic) for topic in TOPICS for concept in CONCEPTS],
        columns=["text", "format", "span", "token", "n_tokens", "emotion", "topic"],
    )  # fmt: skip
    return PlaceScores(places, KNOWN, LAYERS, cosine_LUC, np.ones(cosine_LUC.shape[:2]), controls or {})


def noise(seed):
    return np.random.default_rng(seed).standard_normal((3, 24, 5))


def own(cosine_LUC, layer, topics, size=9.0):
    """The same with each message's own concept far up, at a layer and in some topics."""
    for row, (topic, concept) in enumerate((t, c) for t in TOPICS for c in CONCEPTS):
        if topic in topics:
            cosine_LUC[layer, row, KNOWN.index(concept)] += size
    return cosine_LUC


# Row 3


def test_own_concepts_that_are_always_first_are_all_found():
    cosine_LUC = own(noise(0) * 0.1, 1, TOPICS)
    # One that is always active is no sign of its concept.
    cosine_LUC[:, :, KNOWN.index("calm")] += 50
    summary, table = implicit_summary(implicit(cosine_LUC), "plain", None, **OPTIONS)
    assert (summary["value"], summary["layer"], summary["n"], summary["n_concepts"]) == (1, 5, 12, 4)
    assert summary["p"] == 1 / 200 and summary["interval"][1] == 1
    # Wilson's lower bound of 12 of 12: n / (n + z²).
    assert summary["interval"][0] == pytest.approx(12 / (12 + stats.norm.isf(0.025) ** 2))
    assert summary["concepts"] == CONCEPTS and summary["controls"]["chance"] == 0.25
    matrix = np.array(summary["matrix"])
    # A column of 0 and 1, a quarter of them 1: (1 - 1/4) / sqrt(3/16) is the square root of 3.
    np.testing.assert_allclose(np.diag(matrix), math.sqrt(3), atol=0.05)
    np.testing.assert_allclose(matrix[~np.eye(4, dtype=bool)], -1 / math.sqrt(3), atol=0.05)
    assert summary["diagonal"] == pytest.approx(np.diag(matrix).mean())
    assert table["layer"].tolist() == LAYERS and table["all"][1] == table["held_out"][1] == 1


def test_the_layer_is_chosen_on_the_topics_that_do_not_judge():
    # Layer 3 would be perfect on the topics that judge, layer 9 is on those that choose.
    cosine_LUC = own(own(noise(1), 0, "bdf"), 2, "ace")
    summary, table = implicit_summary(implicit(cosine_LUC), "plain", None, **OPTIONS)
    z = stats.zscore(cosine_LUC[2][:, [KNOWN.index(c) for c in CONCEPTS]])
    hits = [
        CONCEPTS[int(z[row].argmax())] == concept
        for row, (topic, concept) in enumerate((t, c) for t in TOPICS for c in CONCEPTS)
        if topic in "bdf"
    ]
    assert summary["layer"] == 9 and summary["value"] == np.mean(hits) < 1
    assert table["chosen_half"][2] == table["held_out"][0] == 1
    assert table["all"][2] == pytest.approx((1 + np.mean(hits)) / 2)


def test_noise_is_called_a_finding_no_more_often_than_5_percent():
    p = [
        implicit_summary(implicit(noise(k)), "plain", None, permutations=19, bootstraps=2, seed=k)[0]["p"]
        for k in range(150)
    ]
    # The 99.9% point of a binomial; ties make it rarer still.
    assert np.sum(np.array(p) <= 0.05) <= stats.binom.isf(0.001, 150, 0.05)
    assert np.mean(p) > 0.4


def test_control_vectors_and_words_are_judged_as_the_vectors_are():
    perfect, planted = own(noise(2) * 0.1, 0, TOPICS), noise(3)
    # The four random directions that stand in the concepts' places, in the concepts' order.
    random = own(noise(4) * 0.1, 1, TOPICS)[:, :, [KNOWN.index(c) for c in CONCEPTS] + [1]]
    scores = implicit(planted, {"shuffled": perfect, "random": random})
    words = pd.DataFrame(
        [[float(c == concept) for c in KNOWN] for _ in TOPICS for concept in CONCEPTS],
        index=scores.places["text"], columns=KNOWN,
    )  # fmt: skip
    controls = implicit_summary(scores, "plain", words.iloc[::-1], **OPTIONS)[0]["controls"]
    assert controls["shuffled_vectors"] == controls["random_vectors"] == controls["word_counts"] == 1
    too_few = implicit(planted, {"random": random[:, :, :3]})
    assert "random_vectors" not in implicit_summary(too_few, "plain", None, **OPTIONS)[0]["controls"]


def test_too_few_concepts_or_topics_give_a_count_alone():
    scores = implicit(noise(5))
    one_topic = PlaceScores(
        scores.places.assign(topic="a"), KNOWN, LAYERS, scores.cosine_LUC, scores.norm_LU, {}
    )
    summary, table = implicit_summary(one_topic, "plain", None, **OPTIONS)
    assert summary == {"n": 24, "n_concepts": 4} and table.empty
    assert implicit_summary(scores, "chat", None, **OPTIONS)[0] == {"n": 0, "n_concepts": 0}


def test_word_scores_are_cosines_of_tf_idf_counted_by_hand():
    stories = [
        Text("1", "rain rain on the grave", "sad"), Text("2", "the grave was cold", "sad"),
        Text("3", "sun on the sea", "happy"), Text("4", "the sea the sea the sun laughed", "happy"),
        Text("5", "the wolf", "afraid"),
    ]  # fmt: skip
    messages = [Text("m", "Rain at sea, rain."), Text("n", "A wolf!"), Text("o", "Nothing known")]
    counts = [{w: s.text.split().count(w) for w in s.text.split()} for s in stories]
    idf = {w: math.log(6 / (1 + sum(w in c for c in counts))) + 1 for c in counts for w in c}

    def unit(count):
        weight = {w: (1 + math.log(k)) * idf[w] for w, k in count.items() if w in idf}
        size = math.sqrt(sum(v * v for v in weight.values())) or 1
        return np.array([weight.get(w, 0) / size for w in sorted(idf)])

    names = ["afraid", "happy", "sad"]
    means = np.array(
        [
            np.mean([unit(c) for c, s in zip(counts, stories, strict=True) if s.emotion == name], 0)
            for name in names
        ]
    )
    means -= means.mean(0)
    found = word_scores(messages, stories)
    assert found.columns.tolist() == names and found.index.tolist() == ["m", "n", "o"]
    for row, message in zip(found.to_numpy(), messages, strict=True):
        said = re.findall(r"\w+", message.text.lower())
        expected = [unit({w: said.count(w) for w in said}) @ m / np.linalg.norm(m) for m in means]
        np.testing.assert_allclose(row, expected, atol=1e-12)
    assert found.loc["n"].idxmax() == "afraid" and (found.loc["o"] == 0).all()


# Row 4

DOSES = [1, 2, 4, 8, 16, 32]
GRID = {
    "templates": [
        {
            "name": name, "doses": DOSES, "expected": expected,
            "phrasings": [f"{name} {k} {{dose}}" for k in range(3)],
            "control": {"phrasings": [f"tiles {name} {k} {{dose}}" for k in range(3)]},
        }
        for name, expected in (("pills", {"afraid": 1, "calm": -1}), ("runway", {"afraid": -1, "unknown": 1}))
    ]
}  # fmt: skip
SIGNS = {"pills": {"afraid": 1, "calm": -1}, "runway": {"afraid": -1}}


def numbers(score, order=None, seed=0):
    """Scores at one layer of two: `score(labels, concept)` for each text of the grid, in any order."""
    texts = list(number_texts(GRID))
    texts = [texts[k] for k in (order if order is not None else range(len(texts)))]
    places = pd.DataFrame(
        [(text.id, "plain", "before reply", ":", 1) for text in texts],
        columns=["text", "format", "span", "token", "n_tokens"],
    )
    values = np.array(
        [[score(text.labels, concept) for concept in ("calm", "afraid")] for text in texts], float
    )
    random = np.random.default_rng(seed).standard_normal((2, len(texts), 5))
    return PlaceScores(
        with_labels(places, texts), ["calm", "afraid"], [4, 8], np.stack([np.zeros_like(values), values]),
        np.ones((2, len(texts))), {"random": random},
    )  # fmt: skip


def rising(labels, concept):
    """A step a dose in the direction that the template claims, whatever is counted."""
    return SIGNS[labels["template"]].get(concept, 0) * labels["place"]


def threatening(labels, concept):
    return rising(labels, concept) if labels["kind"] == "threat" else 0.0


def test_a_linear_rise_is_1_and_a_control_that_rises_alike_leaves_nothing_beyond():
    summary, table = numbers_summary(numbers(rising), "plain", 1, **OPTIONS)
    assert summary["value"] == pytest.approx(1) and summary["interval"] == pytest.approx([1, 1])
    assert summary["controls"]["same_number_without_threat"] == pytest.approx(1)
    assert summary["beyond_control"]["value"] == pytest.approx(0)
    # Of 9 series in two templates and three phrasings; `unknown` has no vector.
    assert (summary["n"], summary["n_phrasings"], summary["layer"]) == (9, 6, 8)
    assert summary["p"] < 0.02 and summary["p_below"] == 1
    assert len(table) == 3 * 2 * len(DOSES)


def test_a_rise_of_the_threat_alone_is_beyond_the_control():
    summary, table = numbers_summary(numbers(threatening), "plain", 1, **OPTIONS)
    assert summary["controls"]["same_number_without_threat"] == 0
    assert summary["beyond_control"]["value"] == pytest.approx(1)
    # 6 phrasings as clusters: 1 of 64 flips is as large.
    assert summary["beyond_control"]["n_clusters"] == 6 and summary["beyond_control"]["p"] < 0.05
    claims = [
        {key: of[key] for key in ("template", "concept", "expected", "rho")} for of in summary["by_template"]
    ]
    assert claims == [
        {"template": t, "concept": c, "expected": e, "rho": pytest.approx(float(e * SIGNS[t][c]))}
        for t, c, e in (("pills", "afraid", 1), ("pills", "calm", -1), ("runway", "afraid", -1))
    ]
    # A step in standard deviations over all messages, by a loop over them.
    scores = numbers(threatening)
    steps = [
        1 / scores.cosine_LUC[1][:, scores.concepts.index(c)].std() for c in ("afraid", "calm", "afraid")
    ]
    assert summary["per_doubling"] == pytest.approx(np.mean(steps))
    shown = table[(table["concept"] == "calm") & (table["kind"] == "threat")]
    assert shown["dose"].tolist() == DOSES
    np.testing.assert_allclose(np.diff(shown["score"]), -steps[1])


def test_a_fall_where_a_rise_was_claimed_is_minus_1():
    summary, _ = numbers_summary(numbers(lambda *of: -rising(*of)), "plain", 1, **OPTIONS)
    assert summary["value"] == pytest.approx(-1) and summary["p"] == 1 and summary["p_below"] < 0.02


def noisy(labels, concept):
    seed = [labels["place"], labels["phrasing"], *map(ord, labels["kind"] + labels["template"] + concept)]
    return np.random.default_rng(seed).standard_normal() + 0.3 * threatening(labels, concept)


def test_a_noisy_trend_is_the_mean_signed_rank_correlation_in_any_order_of_texts():
    rho = {"threat": [], "control": []}
    for kind, found in rho.items():
        for template, signs in SIGNS.items():
            for phrasing in range(3):
                for concept, sign in signs.items():
                    labels = {"kind": kind, "template": template, "phrasing": phrasing}
                    values = [noisy(labels | {"place": k}, concept) for k in range(6)]
                    found.append(sign * stats.spearmanr(values, DOSES).statistic)
    order = np.random.default_rng(1).permutation(len(list(number_texts(GRID))))
    straight, mixed = (numbers_summary(numbers(noisy, o), "plain", 1, **OPTIONS)[0] for o in (None, order))
    assert straight["value"] == pytest.approx(np.mean(rho["threat"]))
    control = straight["controls"]["same_number_without_threat"]
    assert control == pytest.approx(np.mean(rho["control"]))
    assert straight["beyond_control"]["value"] == pytest.approx(np.mean(rho["threat"]) - control)
    assert (mixed["value"], mixed["p"]) == (pytest.approx(straight["value"]), straight["p"])
    assert mixed["beyond_control"] == straight["beyond_control"]
    assert mixed["interval"] == pytest.approx(straight["interval"])


def test_each_claim_has_its_own_p_and_one_adjusted_for_their_number():
    def pills_alone(labels, concept):
        return 3 * noisy(labels, concept) if labels["template"] == "runway" else rising(labels, concept)

    summary, _ = numbers_summary(numbers(pills_alone), "plain", 1, **OPTIONS)
    afraid, calm, runway = summary["by_template"]
    assert max(afraid["p"], calm["p"]) < 0.02 and runway["p"] > 0.05
    p = [of["p"] for of in summary["by_template"]]
    adjusted = [of["adjusted_p"] for of in summary["by_template"]]
    assert adjusted == pytest.approx(stats.false_discovery_control(p).tolist())
    (line,) = reading_entries("numbers", "tiny", "bundled", {"plain": summary})
    assert "2 of 3 with p < 0.05 after adjustment" in line["reason"]


def test_p_of_a_claim_is_that_of_all_orders_of_its_doses():
    """Of 6 doses there are 720 orders: all of them in the place of shuffles."""
    summary, _ = numbers_summary(numbers(noisy), "plain", 1, **OPTIONS | {"permutations": 4000})
    scores = numbers(noisy)
    for of in summary["by_template"]:
        here = scores.places[
            (scores.places["template"] == of["template"]) & (scores.places["kind"] == "threat")
        ].sort_values(["phrasing", "dose"])
        values = scores.cosine_LUC[1][here.index, scores.concepts.index(of["concept"])].reshape(3, 6)
        ranks = stats.rankdata(values, axis=1).sum(0) * of["expected"]
        orders = np.array(list(permutations(range(6)))) @ ranks
        expected = np.mean(orders >= np.arange(6) @ ranks - 1e-9)
        # Four standard errors of 4,000 shuffles.
        assert of["p"] == pytest.approx(expected, abs=4 * math.sqrt(0.25 / 4000))


def test_a_claims_p_is_uniform_where_a_number_does_the_same_to_all_phrasings():
    """What a number's token does, it does in every phrasing: their doses are not independent."""

    def found(seed):
        rng = np.random.default_rng(seed)
        of_number, own = rng.standard_normal((2, 6)), rng.standard_normal((2, 2, 3, 6, 2))

        def score(labels, concept):
            kinds, templates, concepts = ["threat", "control"], list(SIGNS), ["calm", "afraid"]
            k, t, c = (
                kinds.index(labels["kind"]),
                templates.index(labels["template"]),
                concepts.index(concept),
            )
            return of_number[t, labels["place"]] + 0.3 * own[k, t, labels["phrasing"], labels["place"], c]

        options = {"permutations": 99, "bootstraps": 2, "seed": seed}
        return numbers_summary(numbers(score), "plain", 1, **options)[0]["by_template"]

    by_seed = [found(seed) for seed in range(80)]
    for claim in range(3):
        p = np.array([claims[claim]["p"] for claims in by_seed])
        assert stats.kstest(p, "uniform", alternative="greater").pvalue > 1e-3
        assert np.mean(p) == pytest.approx(0.5, abs=4 / math.sqrt(12 * len(p)))
    # Any of the claims, adjusted for their number: the 99.9% point of a binomial.
    any_found = sum(min(of["adjusted_p"] for of in claims) < 0.05 for claims in by_seed)
    assert any_found <= stats.binom.isf(0.001, len(by_seed), 0.05)


def test_random_directions_stand_in_the_concepts_places_by_a_plain_loop():
    scores = numbers(rising)
    random = scores.controls["random"][1]
    labels = scores.places
    trends = []
    for k in range(5):
        rho = []
        for template, signs in SIGNS.items():
            for phrasing in range(3):
                for concept, sign in signs.items():
                    here = labels[
                        (labels["template"] == template) & (labels["kind"] == "threat")
                        & (labels["phrasing"] == phrasing)
                    ].sort_values("dose")  # fmt: skip
                    column = (scores.concepts.index(concept) + k) % 5
                    rho.append(sign * stats.spearmanr(random[here.index, column], DOSES).statistic)
        trends.append(np.mean(rho))
    controls = numbers_summary(scores, "plain", 1, **OPTIONS)[0]["controls"]
    assert controls["random_directions"] == pytest.approx(np.mean(trends))
    assert controls["random_95"] == pytest.approx(np.quantile(trends, 0.95))


def test_numbers_without_a_known_concept_give_a_count_alone():
    scores = numbers(rising)
    unknown = PlaceScores(scores.places, ["proud", "sad"], [4, 8], scores.cosine_LUC, scores.norm_LU, {})
    assert numbers_summary(unknown, "plain", 1, **OPTIONS)[0] == {"n": 0}
    assert numbers_summary(scores, "chat", 1, **OPTIONS)[0] == {"n": 0}
