"""Rows 14 to 16 and 20: states, speakers, deflection and post-training, on arrays whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from emotion_concepts.deflection import deflection_summary, deflection_vectors, shares_left, story_space
from emotion_concepts.errors import DataError
from emotion_concepts.factor_effects import effects, half_products, halves, topic_sums, within_groups
from emotion_concepts.figures.speakers import apart, draw_shift, draw_speakers, draw_states, draw_unexpressed
from emotion_concepts.place_scores import unit_rows
from emotion_concepts.post_training import KINDS, check_pair, prompts_by_format, shift_summary
from emotion_concepts.speakers import explained, message_table, speakers_summary
from emotion_concepts.states import CONDITIONS, probe_hits, states_summary, story_transfer
from tests.conftest import ROOT
from tests.known_answers.dialogues import noise_dialogues

OPTIONS = {"permutations": 59, "bootstraps": 60, "seed": 1}
EMOTIONS, TOPICS, WIDTH = list("abcdef"), range(6), 24


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def dialogues() -> pd.DataFrame:
    """Messages of dialogues in which nobody has the other's emotion: the two are not independent."""
    rows = [
        (f"{topic}-{first}{second}", topic, first, second, "plain", f"message {turn}")
        for topic in TOPICS
        for first in EMOTIONS
        for second in EMOTIONS
        if first != second
        for turn in range(4)
    ]
    return pd.DataFrame(rows, columns=["text", "topic", "first_emotion", "second_emotion", "format", "span"])


def places_of(labels: pd.Series) -> np.ndarray:
    return np.array([EMOTIONS.index(name) for name in labels])


# Vectors of several labels


def test_effects_are_those_of_a_plain_regression(rng):
    """With a column for each topic and level, written out, and solved by lstsq."""
    n = 90
    level_FU, topic_U = rng.integers(0, 4, (2, n)), np.arange(n) % 5
    value_UD = rng.standard_normal((n, 7))
    sums = topic_sums(within_groups(value_UD, topic_U), level_FU, 4, topic_U, topic_U)
    found = effects(sums, np.ones((1, 5)))[0]
    columns = [level == k for level in level_FU for k in range(4)] + [topic_U == t for t in range(5)]
    written = np.linalg.lstsq(np.column_stack(columns).astype(float), value_UD, rcond=None)[0]
    expected = written[:8].reshape(2, 4, 7)
    np.testing.assert_allclose(found, expected - expected.mean(1, keepdims=True), atol=1e-9)


def test_a_topic_counted_twice_weighs_as_one_that_is_there_twice(rng):
    n = 80
    level_FU, topic_U = rng.integers(0, 3, (2, n)), np.arange(n) % 4
    value_UD = within_groups(rng.standard_normal((n, 5)), topic_U)
    weighted = effects(topic_sums(value_UD, level_FU, 3, topic_U, topic_U), np.array([[2, 1, 1, 1]]))
    rows = np.concatenate([np.arange(n), np.flatnonzero(topic_U == 0)])
    more = np.concatenate([topic_U, np.full((topic_U == 0).sum(), 4)])
    doubled = effects(topic_sums(value_UD[rows], level_FU[:, rows], 3, more, more), np.ones((1, 5)))
    np.testing.assert_allclose(weighted, doubled, atol=1e-10)


def test_products_across_halves_are_free_of_noise(dialogues, rng):
    """The mean over many draws of the noise is the product of the vectors without any."""
    present = within_groups(rng.standard_normal((len(EMOTIONS), WIDTH)), np.zeros(len(EMOTIONS)))
    messages = message_table(dialogues)
    level_FU = np.array([places_of(messages[kind]) for kind in ("present", "other")])
    topic_U = messages["topic"].to_numpy()
    found = []
    for _ in range(30):
        value_UD = present[level_FU[0]] + 4 * rng.standard_normal((len(messages), WIDTH))
        sums = topic_sums(within_groups(value_UD, topic_U), level_FU, len(EMOTIONS), topic_U, topic_U)
        found.append(half_products(sums, halves(len(TOPICS), 1)))
    found = np.array(found)
    expected = [[np.square(present).sum(), 0], [0, 0]]
    error = found.std(0) / np.sqrt(len(found))
    assert (np.abs(found.mean(0) - expected) < 4 * error).all()


# Row 15


def test_messages_know_whose_emotion_is_whose(dialogues):
    messages = message_table(dialogues)
    of = messages[messages["text"] == "0-ab"].set_index("turn")
    assert of.index.tolist() == [1, 2, 3]
    assert of["present"].tolist() == ["b", "a", "b"] and of["other"].tolist() == ["a", "b", "a"]


@pytest.mark.parametrize("cosine", [0.0, 0.7])
def test_cosine_of_two_speakers_is_told_without_noise(dialogues, rng, cosine):
    """As read it is smaller; with no other's vector at all, there is no cosine and no verdict."""
    present, own = rng.standard_normal((2, len(EMOTIONS), 200))
    other = cosine * present + np.sqrt(1 - cosine**2) * own
    messages = message_table(dialogues)
    value_UD = (
        present[places_of(messages["present"])]
        + other[places_of(messages["other"])]
        + 8 * rng.standard_normal((len(messages), 200))
    )
    summary, table = speakers_summary(
        messages, value_UD, dict(zip(EMOTIONS, present, strict=True)), **OPTIONS
    )
    found = summary["other"]
    low, high = found["interval"]
    assert low - 0.1 < cosine < high + 0.1 and high - low < 0.5
    assert found["p"] < 0.02 and summary["present"]["p"] < 0.02
    assert summary["present"]["value"] == pytest.approx(1, abs=0.1)
    assert summary["present"]["as_read"] < summary["present"]["value"]
    assert abs(found["cosine"]) <= abs(found["value"]) + 0.05 and len(table) == len(EMOTIONS)


def test_nobody_listening_gives_no_other_vectors(dialogues, rng):
    present = rng.standard_normal((len(EMOTIONS), WIDTH))
    messages = message_table(dialogues)
    value_UD = present[places_of(messages["present"])] + rng.standard_normal((len(messages), WIDTH))
    summary, _ = speakers_summary(messages, value_UD, dict(zip(EMOTIONS, present, strict=True)), **OPTIONS)
    assert summary["other"]["p"] > 0.05 and summary["present"]["p"] < 0.02


def test_explained_share_is_that_of_a_regression(rng):
    one, other = rng.standard_normal((2, 5, 9))
    other += one
    factor = (one * other).sum() / (other**2).sum()
    assert explained(one, other) == pytest.approx(1 - ((one - factor * other) ** 2).sum() / (one**2).sum())
    assert explained(one, -other) == 0


# Row 14


def replies_of(concepts: list[str]) -> pd.DataFrame:
    rows = [(c, topic, emotion, 20) for c in CONDITIONS for topic in map(str, TOPICS) for emotion in concepts]
    return pd.DataFrame(rows, columns=["condition", "topic", "emotion", "n_tokens"])


def test_states_are_read_where_they_are_and_words_alone_are_not_enough(rng):
    asked = EMOTIONS[:3]
    replies = replies_of(asked)
    shown = (replies["condition"] != "neutral_topic").to_numpy()
    direction = 3 * rng.standard_normal((len(EMOTIONS), WIDTH))
    value_UD = shown[:, None] * direction[places_of(replies["emotion"])] + rng.standard_normal(
        (len(replies), WIDTH)
    )
    stories = pd.DataFrame({"emotion": asked * 6, "topic": np.repeat(np.arange(6), 3)})
    told = direction[places_of(stories["emotion"])] + rng.standard_normal((18, WIDTH))
    summary, table = states_summary(
        replies, value_UD, ["the same"] * len(replies), (told, stories), shuffles=19, **OPTIONS
    )
    conditions = summary["conditions"]
    assert summary["value"] > 0.4 and summary["p"] < 0.05
    assert conditions["neutral_topic"]["accuracy"] < 0.6 and conditions["hidden"]["accuracy"] > 0.9
    assert conditions["hidden"]["p"] == 0.05 and conditions["hidden"]["word counts"] == pytest.approx(1 / 3)
    assert summary["stories"]["to_stories"]["accuracy"] > 0.9
    assert summary["stories"]["from_stories"]["others"]["accuracy"] > 0.9
    assert len(table) == 4 * len(CONDITIONS)


def test_words_that_give_it_away_are_seen(rng):
    replies = replies_of(EMOTIONS)
    said = [
        "the same" if condition == "neutral_topic" else f"the {emotion}{emotion}"
        for condition, emotion in zip(replies["condition"], replies["emotion"], strict=True)
    ]
    hits = probe_hits(replies, rng.standard_normal((len(replies), WIDTH)), said)
    given = (replies["condition"] != "neutral_topic").to_numpy()
    assert hits["word counts"][given].all() and hits["own"].mean() < 0.35


def test_probes_of_noise_are_at_chance(rng):
    replies = replies_of(EMOTIONS[:4])
    shares = [
        probe_hits(replies, rng.standard_normal((len(replies), 12)), ["x"] * len(replies)) for _ in range(2)
    ]
    for kind in ("own", "pooled"):
        share = np.mean([hits[kind].mean() for hits in shares])
        # 240 replies: three standard errors.
        assert share == pytest.approx(0.25, abs=0.085), kind


def test_emotions_on_some_scenarios_alone_are_left_out(rng):
    """A probe would learn which scenario a reply is of."""
    replies = replies_of(EMOTIONS)
    missing = ((replies["emotion"] == "a") & (replies["topic"] == "2")).to_numpy()
    values = rng.standard_normal((len(replies), WIDTH))
    kept = replies[~missing].reset_index(drop=True)
    summary, _ = states_summary(kept, values[~missing], ["x"] * len(kept), shuffles=0, **OPTIONS)
    assert summary["n_classes"] == 5 and summary["n_scenarios"] == 6 and summary["n"] == 5 * 6 * 5
    alone, table = states_summary(
        replies[replies["emotion"] == "a"], values, ["x"] * len(replies), shuffles=0, **OPTIONS
    )
    assert "value" not in alone and table.empty


def test_stories_that_lack_a_class_are_not_asked(rng):
    replies = replies_of(EMOTIONS)
    stories = pd.DataFrame({"emotion": ["a", "b"], "topic": ["x", "y"]})
    found = story_transfer(
        rng.standard_normal((len(replies), 4)),
        replies,
        rng.standard_normal((2, 4)),
        stories,
        bootstraps=9,
        seed=1,
    )
    assert found == {}


# Row 16


def test_story_space_holds_its_share_of_variance():
    vectors = np.diag([3.0, 2.0, 1.0, 0.0])[:3]
    vectors = np.concatenate([vectors, -vectors])
    assert len(story_space(vectors, 0.64)) == 1 and len(story_space(vectors, 0.65)) == 2
    assert len(story_space(vectors, 1.0)) == 3
    np.testing.assert_allclose(shares_left(np.eye(4), story_space(vectors, 0.9)), [0, 0, 1, 1], atol=1e-12)


@pytest.mark.parametrize("inside", [0.0, 1.0, 3.0])
def test_share_of_norm_left_is_told_without_noise(rng, inside):
    """A vector with norm 1 outside and `inside` within the space leaves 1 / sqrt(1 + inside^2)."""
    space, free = np.linalg.qr(rng.standard_normal((200, 12)))[0].T.reshape(2, 6, 200)
    vectors = dict(zip(EMOTIONS, space, strict=True))
    rows = [(topic, t, s) for topic in TOPICS for t in EMOTIONS for s in EMOTIONS if t != s]
    replies = pd.DataFrame(rows, columns=["topic", "true_emotion", "shown_emotion"])
    values = (
        (free + inside * space)[places_of(replies["true_emotion"])]
        + 2 * space[places_of(replies["shown_emotion"])]
        + 0.3 * rng.standard_normal((len(replies), 200))
    )
    summary, table = deflection_summary(replies, values, vectors, **OPTIONS)
    assert summary["value"] == pytest.approx(1 / np.sqrt(1 + inside**2), abs=0.06)
    assert summary["p"] < 0.02 and summary["as_read"] > summary["value"] - 0.01
    assert summary["shown_story"]["value"] > 0.8 and len(table) == len(EMOTIONS)


def test_deflection_vectors_are_what_lies_outside_the_stories_space(rng):
    space, free = np.linalg.qr(rng.standard_normal((200, 12)))[0].T.reshape(2, 6, 200)
    vectors = dict(zip(EMOTIONS, space, strict=True))
    rows = [(topic, t, s) for topic in TOPICS for t in EMOTIONS for s in EMOTIONS if t != s]
    replies = pd.DataFrame(rows, columns=["topic", "true_emotion", "shown_emotion"])
    values = (free + 2 * space)[places_of(replies["true_emotion"])]
    concepts, raw_CD, left_CD = deflection_vectors(replies, values, vectors)
    assert concepts == EMOTIONS
    expected = free - free.mean(0)
    np.testing.assert_allclose(left_CD @ story_space(space).T, 0, atol=1e-9)
    cosines = (left_CD * expected).sum(1) / np.linalg.norm(left_CD, axis=1) / np.linalg.norm(expected, axis=1)
    assert cosines.min() > 0.999
    np.testing.assert_allclose(raw_CD, expected + 2 * (space - space.mean(0)), atol=1e-6)
    # Vectors of other concepts alone leave none.
    concepts, raw_CD, left_CD = deflection_vectors(replies, values, {"x": space[0], "y": space[1]})
    assert concepts == [] and raw_CD.shape == left_CD.shape == (0, 200)


# Row 20


def test_pairs_with_other_depth_width_or_words_are_refused_in_one_line():
    base = {"source": "a", "n_layers": 4, "width": 8}
    words = {"the": 0, "cat": 1}
    check_pair(base, base | {"source": "b"}, words, words | {"<added>": 2})
    with pytest.raises(DataError, match=r"^a and b: layers 4 and 5; a pair needs the same in both$"):
        check_pair(base, base | {"source": "b", "n_layers": 5}, words, words)
    with pytest.raises(DataError, match="width 8 and 9"):
        check_pair(base, base | {"width": 9}, words, words)
    with pytest.raises(
        DataError, match="1 of 2 tokens differ, 'cat' for one; a pair needs the same tokenizer"
    ):
        check_pair(base, base, words, {"the": 0, "dog": 1})


def test_prompts_are_paired_by_text_and_format():
    places = pd.DataFrame({"text": ["a", "b", "a"], "format": ["plain", "plain", "chat"]})
    other = places.iloc[[1, 0]].reset_index(drop=True)
    base, post = np.arange(3.0)[:, None], np.array([[11.0], [10.0]])
    found = prompts_by_format({"ordinary": (places, base)}, {"ordinary": (other, post)})
    assert list(found) == ["plain"]
    np.testing.assert_array_equal(found["plain"][1]["ordinary"] - found["plain"][0]["ordinary"], 10)


def test_shift_is_told_in_units_of_the_base_norm(rng):
    concepts = ["gloomy", "playful", *(f"c{n}" for n in range(28))]
    unit_CD = unit_rows(rng.standard_normal((30, 400)))
    base = {kind: rng.standard_normal((10, 400)) for kind in KINDS}
    step = 3 * unit_CD[0] - 2 * unit_CD[1]
    post = {kind: of + step + 0.1 * rng.standard_normal(of.shape) for kind, of in base.items()}
    summary, table = shift_summary(base, post, unit_CD, concepts, **OPTIONS | {"permutations": 999})
    norm = np.mean([np.linalg.norm(of, axis=1).mean() for of in base.values()])
    expected = unit_CD @ step / norm
    for _, rows in table.groupby("kind"):
        np.testing.assert_allclose(rows["shift"], expected, atol=0.01)
    assert summary["value"] == pytest.approx(expected[0] - expected[1], abs=0.01)
    assert summary["p"] < 0.01 and summary["risen"][0][0] == "gloomy" and summary["fallen"][0][0] == "playful"
    assert summary["between"]["r"] > 0.95


# Null and figures


def test_summaries_of_noise_are_judged_without_a_hitch():
    found = noise_dialogues(0)
    assert all({"value", "interval", "p"} <= set(found[name]) for name in ("states", "unexpressed", "shift"))


@pytest.mark.parametrize("draw", [draw_states, draw_speakers, draw_unexpressed, draw_shift])
def test_figures_say_so_where_there_is_nothing_to_show(draw):
    axes = Figure().subplots()
    draw(axes, {"n": 3}, pd.DataFrame({"format": []}))
    assert axes.texts[0].get_text().startswith("not applicable")


def test_figure_of_shifts_has_a_point_for_each_concept(rng):
    base = {kind: rng.standard_normal((8, 12)) for kind in KINDS}
    post = {kind: rng.standard_normal((8, 12)) for kind in KINDS}
    names = [f"c{n}" for n in range(20)]
    summary, table = shift_summary(base, post, unit_rows(rng.standard_normal((20, 12))), names, **OPTIONS)
    axes = Figure().subplots()
    draw_shift(axes, summary, table)
    points = axes.collections[0].get_offsets()
    ordinary = table[table["kind"] == "ordinary"].set_index("concept")["shift"]
    np.testing.assert_allclose(np.sort(points[:, 0]), np.sort(ordinary))
    assert summary["kinds"]["ordinary"]["n"] == 8 and "value" not in summary
    # Sixteen names, none on another, each pointing at its concept.
    challenging = table[table["kind"] == "challenging"].set_index("concept")["shift"]
    heights = sorted(text.get_position()[1] for text in axes.texts)
    assert len(heights) == 16 and np.diff(heights).min() > 0.034 * np.ptp(challenging)
    for text in axes.texts:
        assert text.xy[1] == challenging[text.get_text()]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 5, 2], [0, 5, 2]), ([3, 3], [2.5, 3.5]), ([0, 1, 1.4, 9], [-0.2, 0.8, 1.8, 9])],
)
def test_names_are_moved_no_further_than_they_must(values, expected):
    np.testing.assert_allclose(apart(np.array(values), 1.0), expected)


def test_bundled_speakers_have_every_pair_evenly_in_each_topic():
    lines = pd.read_json(ROOT / "resources/text_sets/speakers.jsonl", lines=True)
    labels = pd.json_normalize(lines["labels"])
    by_topic = labels.assign(topic=lines["topic"]).groupby("topic")
    assert (by_topic["first_emotion"].value_counts() == 2).all()
    assert (by_topic["second_emotion"].value_counts() == 2).all()
