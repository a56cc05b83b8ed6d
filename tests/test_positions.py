"""Rows 9 to 13 on hand-made scores: effects that were planted, or counted by a plain loop."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emotion_concepts import positions
from emotion_concepts.place_scores import PlaceScores

OPTIONS = {"permutations": 499, "bootstraps": 200, "seed": 0}
LAYERS = [1, 4, 6, 7, 9, 12]
EARLY, LATE = [0, 1], [4, 5]


def scores_of(rows, names, concepts, cosine_LUC, controls=None):
    places = pd.DataFrame(rows, columns=["text", "span", *names]).assign(format="plain", token=".")
    if "n_tokens" not in places:
        places["n_tokens"] = 1
    return PlaceScores(places, concepts, LAYERS, cosine_LUC, np.ones(cosine_LUC.shape[:2]), controls or {})


def z_scores(x_UC):
    """Mean 0 and standard deviation 1 in every column."""
    return stats.zscore(x_UC, axis=0)


def stacked_r(x_NC, y_NC):
    """numpy's correlation of all centred columns, one below the other."""
    return np.corrcoef((x_NC - x_NC.mean(0)).T.ravel(), (y_NC - y_NC.mean(0)).T.ravel())[0, 1]


# Correlations of matrices


def test_matrix_correlation_is_numpys_of_the_centred_columns_in_every_resample():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 4)) + np.array([0, 3, -5, 100])
    y = 0.5 * x + rng.standard_normal((6, 4))
    weight = np.vstack([np.ones((1, 6)), rng.multinomial(6, np.full(6, 1 / 6), size=20)])
    expected = [stacked_r(*(np.repeat(of, w.astype(int), axis=0) for of in (x, y))) for w in weight]
    np.testing.assert_allclose(positions._matrix_r(x, y, weight), expected, rtol=1e-7)


def test_matrix_correlation_of_what_does_not_vary_is_nan():
    x = np.random.default_rng(1).standard_normal((5, 3))
    flat = np.tile([0.1, 0.2, 0.3], (5, 1))
    one_text = np.array([[5.0, 0, 0, 0, 0]])
    assert np.isnan(positions._matrix_r(x, flat, np.ones((1, 5)))).all()
    assert np.isnan(positions._matrix_r(flat, x, np.ones((1, 5)))).all()
    assert np.isnan(positions._matrix_r(x, x, one_text)).all()


# Row 9

TURN_SPANS = ("user turn", "before reply", "reply")


def turns(cosine_LUC, controls=None):
    n = cosine_LUC.shape[1] // 3
    rows = [(f"t{k}", span) for k in range(n) for span in TURN_SPANS]
    return scores_of(
        rows,
        (),
        list("abc"),
        cosine_LUC,
        controls or {"random": cosine_LUC, "orthogonal": cosine_LUC[:, :, :0]},
    )


def test_turns_are_three_correlations_and_the_difference_of_two():
    value = np.random.default_rng(2).standard_normal((6, 15, 3))
    # The reply as before it, and a control that has it the other way round.
    value[4, 2::3] = value[4, 1::3] + 0.3 * value[4, 2::3]
    opposite = value.copy()
    opposite[4, 0::3], opposite[4, 2::3] = value[4, 2::3], value[4, 0::3]
    controls = {"random": opposite, "orthogonal": opposite[:, :, :0]}
    summary, table = positions.turns_summary(turns(value, controls), "plain", 4, **OPTIONS)
    user, before, reply = (value[4, k::3] for k in range(3))
    r = {
        "user, before reply": stacked_r(user, before),
        "before reply, reply": stacked_r(before, reply),
        "user, reply": stacked_r(user, reply),
    }
    assert summary["r"] == pytest.approx(r)
    difference = r["before reply, reply"] - r["user, before reply"]
    assert summary["value"] == pytest.approx(difference) and difference > 0.5
    assert summary["controls"]["random_directions"] == pytest.approx(-difference)
    assert summary["controls"]["orthogonal_directions"] is None
    assert (summary["n"], summary["layer"]) == (5, 9)
    assert len(table) == 6 * 3
    for (layer, pair), of in table.groupby(["layer", "pair"]):
        at = {
            span: value[LAYERS.index(layer), k::3] for k, span in enumerate(("user", "before reply", "reply"))
        }
        first, second = pair.split(", ")
        assert of["r"].item() == pytest.approx(stacked_r(at[first], at[second]))
        assert of["low"].item() <= of["high"].item()


def test_the_p_of_turns_is_that_of_all_swaps():
    value = np.random.default_rng(3).standard_normal((6, 15, 3))
    user, before, reply = (value[0, k::3] for k in range(3))

    def difference(swaps):
        first = np.array([reply[k] if swap else user[k] for k, swap in enumerate(swaps)])
        last = np.array([user[k] if swap else reply[k] for k, swap in enumerate(swaps)])
        return stacked_r(before, last) - stacked_r(first, before)

    exact = np.array([difference(swaps) for swaps in itertools.product([False, True], repeat=5)])
    options = OPTIONS | {"permutations": 4000}
    summary, _ = positions.turns_summary(turns(value), "plain", 0, **options)
    # Four standard errors of 4,000 swaps.
    assert summary["p"] == pytest.approx(np.mean(exact >= exact[0] - 1e-9), abs=0.032)
    assert summary["p_below"] == pytest.approx(np.mean(exact <= exact[0] + 1e-9), abs=0.032)


def test_a_text_that_lacks_a_place_takes_no_part_in_turns():
    value = np.random.default_rng(4).standard_normal((6, 15, 3))
    whole = turns(value)
    kept = (whole.places["text"] != "t1") | (whole.places["span"] != "reply")
    part = PlaceScores(
        whole.places[kept].reset_index(drop=True), list("abc"), LAYERS, value[:, kept], whole.norm_LU[:, kept],
        {name: of[:, kept] for name, of in whole.controls.items()},
    )  # fmt: skip
    summary, _ = positions.turns_summary(part, "plain", 0, **OPTIONS)
    others = [0, 2, 3, 4]
    user, before = value[0, 0::3][others], value[0, 1::3][others]
    assert summary["n"] == 4 and summary["r"]["user, before reply"] == pytest.approx(stacked_r(user, before))
    few, table = positions.turns_summary(turns(value[:, :9]), "plain", 0, **OPTIONS)
    assert few == {"n": 3} and table.empty


# Row 10


def context_rows(lengths, concepts=("sad", "happy")):
    """Places of pairs, good and bad, whose suffixes have these many tokens."""
    rows = []
    for pair, of_sides in enumerate(lengths):
        for side, n in zip(("good", "bad"), of_sides, strict=True):
            spans = ["change", *(f"suffix {k}" for k in range(n)), "before reply"]
            rows += [(f"{pair}-{side}", span, f"{pair}", side, *concepts) for span in spans]
    return rows


def context(rows, cosine_LUC):
    return scores_of(
        rows, ("pair", "side", "bad concept", "good concept"), ["happy", "sad", "calm"], cosine_LUC
    )


def test_a_word_that_reaches_the_suffix_from_a_layer_on_is_found_there():
    rows = context_rows([(24, 24)] * 5)
    value = np.zeros((6, len(rows), 3))
    for row, (_, span, _, side, *_) in enumerate(rows):
        sign = 1 if side == "good" else -1
        # From block 7 on (the fourth) everywhere; at the word itself from the first.
        for k in range(6):
            if k >= 3 or span == "change":
                value[k, row, :2] = sign, -sign
    summary, table = positions.context_summary(context(rows, value), "plain", **OPTIONS)
    # Columns of 1 and -1 in equal parts are their own z-scores: (1 + 1) less (-1 - 1).
    assert (
        summary["value"] == summary["late"]["value"] == summary["before_reply"]["value"] == pytest.approx(4)
    )
    assert summary["early"]["value"] == 0 and summary["holds_from"] == 7
    assert summary["before_reply_beyond_suffix"]["value"] == pytest.approx(0)
    assert (summary["n"], summary["n_clusters"]) == (5, 5) and summary["interval"] == pytest.approx([4, 4])
    effect = table.pivot(index="layer", columns="part", values="effect")
    assert set(effect.columns) == {"change", "before reply", *range(12)}
    np.testing.assert_allclose(effect.loc[7:, :].to_numpy(), 4)
    assert (effect.loc[:6, [*range(12), "before reply"]].to_numpy() == 0).all()
    # One token of 26 has it there: a standard deviation of the root of 1/26.
    np.testing.assert_allclose(effect["change"], [4 * np.sqrt(26)] * 3 + [4] * 3)


def test_parts_of_the_suffix_are_in_its_order():
    rows = context_rows([(24, 24)] * 4)
    value = np.zeros((6, len(rows), 3))
    for row, (_, span, _, side, *_) in enumerate(rows):
        if span.startswith("suffix") and int(span.split()[1]) >= 14:
            value[:, row, 0] = 1 if side == "good" else -1
    _, table = positions.context_summary(context(rows, value), "plain", **OPTIONS)
    of_layer = table[(table["layer"] == 6)].set_index("part")["effect"]
    # Two tokens a part.
    assert [of_layer[k] > 0 for k in range(12)] == [False] * 7 + [True] * 5
    assert of_layer["change"] == of_layer["before reply"] == 0


def test_suffixes_of_unlike_length_are_compared_from_their_end_by_a_plain_loop():
    lengths = [(14, 13), (13, 13), (15, 12), (12, 14)]
    rows = context_rows(lengths)
    value = np.random.default_rng(5).standard_normal((6, len(rows), 3))
    summary, _ = positions.context_summary(context(rows, value), "plain", **OPTIONS)
    at = {(pair, side, span): row for row, (_, span, pair, side, *_) in enumerate(rows)}

    def effect(k, pair, good, bad):
        score = z_scores(value[k])[:, 0] - z_scores(value[k])[:, 1]
        return score[at[pair, "good", good]] - score[at[pair, "bad", bad]]

    def of_suffix(k, pair, n_good, n_bad):
        n = min(n_good, n_bad)
        back = range(1, n + 1)
        return np.mean([effect(k, pair, f"suffix {n_good - b}", f"suffix {n_bad - b}") for b in back])

    suffix = np.array([[of_suffix(k, str(p), *of) for k in range(6)] for p, of in enumerate(lengths)])
    before = np.array([[effect(k, str(p), *["before reply"] * 2) for k in range(6)] for p in range(4)])
    assert summary["late"]["value"] == pytest.approx(suffix[:, LATE].mean())
    assert summary["early"]["value"] == pytest.approx(suffix[:, EARLY].mean())
    assert summary["value"] == pytest.approx(suffix[:, LATE].mean() - suffix[:, EARLY].mean())
    assert summary["before_reply"]["value"] == pytest.approx(before[:, LATE].mean())


def test_pairs_of_unknown_concepts_or_with_one_side_take_no_part():
    rows = context_rows([(12, 12)] * 4) + context_rows([(12, 12)], ("sad", "unheard"))
    rows += [("9-good", span, "9", "good", "sad", "happy") for span in ("change", "suffix 0", "before reply")]
    rows = [(*row[:2], "u", *row[3:]) if row[5] == "unheard" else row for row in rows]
    value = np.random.default_rng(6).standard_normal((6, len(rows), 3))
    assert positions.context_summary(context(rows, value), "plain", **OPTIONS)[0]["n"] == 4
    few = context_rows([(12, 12)] * 3)
    summary, table = positions.context_summary(context(few, value[:, : len(few)]), "plain", **OPTIONS)
    assert summary == {"n": 3} and table.empty
    assert positions.context_summary(context(few, value[:, : len(few)]), "chat", **OPTIONS)[0] == {"n": 0}


# Row 11

NEGATION_ROWS = [
    (f"{frame}-{emotion}-{form}", span, emotion, frame, form)
    for frame in range(4)
    for emotion in ("sad", "happy", "calm")
    for form in ("negated", "affirmed")
    for span in ("word", "user turn", "before reply")
]


def negation(cosine_LUC, concepts=("calm", "tired", "happy", "sad")):
    return scores_of(NEGATION_ROWS, ("emotion", "frame", "form"), list(concepts), cosine_LUC)


def test_negation_is_own_less_others_affirmed_less_negated_by_a_plain_loop():
    value = np.random.default_rng(7).standard_normal((6, len(NEGATION_ROWS), 4))
    summary, table = positions.negation_summary(negation(value), "plain", **OPTIONS)
    column = {"calm": 0, "happy": 2, "sad": 3}
    effect = {}
    for span in ("word", "user turn", "before reply"):
        rows = [r for r, row in enumerate(NEGATION_ROWS) if row[1] == span]
        for k in range(6):
            z = dict(zip(rows, z_scores(value[k][rows]), strict=True))
            for r in rows:
                _, _, emotion, frame, form = NEGATION_ROWS[r]
                others = [z[r][c] for name, c in column.items() if name != emotion]
                sign = 1 if form == "affirmed" else -1
                effect.setdefault((span, k), {}).setdefault((emotion, frame), []).append(
                    sign * (z[r][column[emotion]] - np.mean(others))
                )
    mean = {key: np.mean([sum(pair) for pair in of.values()]) for key, of in effect.items()}
    late = np.mean([mean["before reply", k] for k in LATE])
    early = np.mean([mean["before reply", k] for k in EARLY])
    assert summary["late"]["value"] == pytest.approx(late)
    assert summary["early"]["value"] == pytest.approx(early)
    assert summary["value"] == pytest.approx(late - early)
    assert summary["at_word"]["value"] == pytest.approx(np.mean([mean["word", k] for k in LATE]))
    assert (summary["n"], summary["n_clusters"]) == (12, 3)
    for row in table.itertuples():
        assert row.effect == pytest.approx(mean[row.span, LAYERS.index(row.layer)])


def test_a_negation_that_is_resolved_from_a_layer_on_holds_from_there():
    value = 0.1 * np.random.default_rng(8).standard_normal((6, len(NEGATION_ROWS), 4))
    for r, (_, span, emotion, _, form) in enumerate(NEGATION_ROWS):
        own = ("calm", "tired", "happy", "sad").index(emotion)
        value[:, r, own] += 1
        if span == "before reply" and form == "negated":
            value[2:, r, own] -= 2
    # Affirmed and negated are exactly alike in the first two layers.
    affirmed = [r for r, row in enumerate(NEGATION_ROWS) if row[4] == "affirmed"]
    value[:2, affirmed] = value[:2, [r - 3 for r in affirmed]]
    summary, _ = positions.negation_summary(negation(value), "plain", **OPTIONS)
    assert summary["holds_from"] == 6 and summary["late"]["value"] > 1
    assert summary["value"] == pytest.approx(summary["late"]["value"])
    assert summary["early"]["value"] == pytest.approx(0)
    assert abs(summary["at_word"]["value"]) < 0.3


def test_negation_of_fewer_than_two_known_concepts_is_not_asked():
    scores = negation(np.zeros((6, len(NEGATION_ROWS), 2)), ("sad", "tired"))
    summary, table = positions.negation_summary(scores, "plain", **OPTIONS)
    assert summary == {"n": 0} and table.empty


# Row 12

PEOPLE = [
    ("a", "happy", "sad"),
    ("b", "sad", "calm"),
    ("c", "calm", "happy"),
    ("d", "sad", "happy"),
    ("e", "unheard", "sad"),
]
BOUND = ["calm", "happy", "sad"]
BINDING_ROWS = [
    (f"text {name}", f"{person} {kind}", first, second)
    for name, first, second in PEOPLE
    # The second returns first.
    for kind, person in (("state", "first"), ("state", "second"), ("again", "second"), ("again", "first"))
]


def binding(cosine_LUC, shuffled=None):
    controls = {} if shuffled is None else {"shuffled": shuffled}
    return scores_of(BINDING_ROWS, ("first", "second"), BOUND, cosine_LUC, controls)


def bound_effects(value_UC, kind):
    """Own less other concept at each mention, text by text, the first person first."""
    rows = [r for r, (_, span, first, _) in enumerate(BINDING_ROWS) if span.endswith(kind) and first in BOUND]
    z = dict(zip(rows, z_scores(value_UC[rows]), strict=True))
    effects = {}
    for r in rows:
        text, span, first, second = BINDING_ROWS[r]
        own, other = (first, second) if span.startswith("first") else (second, first)
        effects[text, span] = z[r][BOUND.index(own)] - z[r][BOUND.index(other)]
    return np.array([effects[key] for key in sorted(effects)])


def test_binding_is_own_less_the_others_concept_at_each_mention_by_a_plain_loop():
    value, shuffled = np.random.default_rng(9).standard_normal((2, 6, len(BINDING_ROWS), 3))
    summary, table = positions.binding_summary(binding(value, shuffled), "plain", **OPTIONS)
    effect = np.array([bound_effects(value[k], "again") for k in range(6)])
    late = effect[LATE].mean(0)
    assert summary["value"] == pytest.approx(late.mean())
    assert summary["early"]["value"] == pytest.approx(effect[EARLY].mean())
    # Four texts of two mentions; the fifth has a concept without a vector.
    assert (summary["n"], summary["n_clusters"]) == (8, 4)
    assert summary["share"] == np.mean(late > 0)
    control = np.mean([bound_effects(shuffled[k], "again").mean() for k in LATE])
    assert summary["controls"] == {"shuffled_vectors": pytest.approx(control)}
    for row in table.itertuples():
        expected = bound_effects(value[LAYERS.index(row.layer)], row.span).mean()
        assert row.effect == pytest.approx(expected)


def test_the_two_mentions_of_a_text_are_one_cluster():
    """Effects of opposite sign within each text have a mean of 0 in every text: no interval is left."""
    value = np.zeros((6, len(BINDING_ROWS), 3))
    for r, (_, _, first, _) in enumerate(BINDING_ROWS):
        if first in BOUND:
            value[:, r, BOUND.index(first)] = 1
    scores = binding(value)
    summary, _ = positions.binding_summary(scores, "plain", **OPTIONS)
    by_mention = bound_effects(value[0], "again").reshape(4, 2)
    np.testing.assert_allclose(by_mention.sum(1), 0, atol=1e-12)
    assert summary["value"] == pytest.approx(0) and summary["interval"] == pytest.approx([0, 0])
    assert summary["share"] == 0.5


def test_binding_that_holds_from_a_layer_on_is_found_there():
    value = np.zeros((6, len(BINDING_ROWS), 3))
    for r, (_, span, first, second) in enumerate(BINDING_ROWS):
        if first in BOUND:
            own = first if span.startswith("first") else second
            value[0 if span.endswith("state") else 4 :, r, BOUND.index(own)] = 1
    summary, table = positions.binding_summary(binding(value), "plain", **OPTIONS)
    assert summary["holds_from"] == 9 and summary["share"] == 1 and summary["early"]["value"] == 0
    assert (table[table["span"] == "state"]["effect"] > 0).all()


def test_binding_of_too_few_texts_gives_a_count_alone():
    scores = scores_of(BINDING_ROWS[:4], ("first", "second"), BOUND, np.zeros((6, 4, 3)))
    assert positions.binding_summary(scores, "plain", **OPTIONS)[0] == {"n": 2}
    assert positions.binding_summary(scores, "chat", **OPTIONS)[0] == {"n": 0}


# Row 13

COURSE = {"before": 0.0, "inner": 1.0, "after 1": 0.8, "after 2": 0.6, "after 3": 0.4, "after 4": 0.0}
LENGTHS = {"before": 10, "inner": 20, "after 1": 8, "after 2": 8, "after 3": 8, "after 4": 30}


def locality(course, n_texts=6, more=()):
    rows = [
        (f"t{k}", span, "sad", "calm", LENGTHS[span]) for k in range(n_texts) for span in course
    ] + [(f"t{k}", span, "sad", "calm", 5) for k, span in more]  # fmt: skip
    value = np.array([[course.get(span, 9.0), 0.3] for _, span, *_ in rows])
    scores = scores_of(rows, ("inner", "outer", "n_tokens"), ["sad", "calm"], np.stack([value] * 6))
    return scores, value[:, 0].std()


def test_a_story_that_is_left_behind_falls_back_by_what_was_planted():
    scores, sd = locality(COURSE)
    summary, table = positions.locality_summary(scores, "plain", 2, **OPTIONS)
    after = (0.8 + 0.6 + 0.4 + 0.0) / 4
    assert summary["value"] == summary["fall"]["value"] == pytest.approx((1 - after) / sd)
    assert summary["rise"]["value"] == pytest.approx(1 / sd)
    assert summary["remains"] == pytest.approx(after)
    # Below half of the rise first in the third sentence, whose middle is 8 + 8 + 4 tokens on.
    assert summary["half_after"] == 20
    assert (summary["n"], summary["layer"]) == (6, 6)
    assert summary["p"] == max(summary["rise"]["p"], summary["fall"]["p"]) < 0.05
    assert table["place"].tolist() == list(COURSE)
    assert table["tokens"].tolist() == [-30, -10, 4, 12, 20, 39]
    np.testing.assert_allclose(np.diff(table["score"]) * sd, np.diff(list(COURSE.values())), atol=1e-12)


def test_a_story_that_stays_has_no_place_where_half_is_left():
    stays = {"before": 0.0, "inner": 1.0, "after 1": 1.0, "after 2": 0.6}
    summary, _ = positions.locality_summary(locality(stays)[0], "plain", 0, **OPTIONS)
    assert summary["half_after"] is None and summary["remains"] == pytest.approx(0.8)


def test_a_story_that_does_not_rise_leaves_nothing_to_remain():
    falls = {"before": 1.0, "inner": 0.0, "after 1": -1.0}
    summary, _ = positions.locality_summary(locality(falls)[0], "plain", 0, **OPTIONS)
    assert summary["half_after"] is None and summary["remains"] is None
    # It falls back, but both are claimed.
    assert summary["p"] == 1 and summary["fall"]["p"] < 0.05


def test_only_sentences_that_every_text_has_count_after_a_story():
    scores, _ = locality(COURSE, more=[(0, "after 5"), (1, "after 5")])
    summary, table = positions.locality_summary(scores, "plain", 0, **OPTIONS)
    assert table["place"].tolist() == list(COURSE) and summary["half_after"] == 20


def test_locality_of_too_few_texts_gives_a_count_alone():
    assert positions.locality_summary(locality(COURSE, 3)[0], "plain", 0, **OPTIONS)[0] == {"n": 3}
    summary, table = positions.locality_summary(locality(COURSE)[0], "chat", 0, **OPTIONS)
    assert summary == {"n": 0} and table.empty
