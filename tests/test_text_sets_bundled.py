"""The bundled text sets: what they promise in number, in balance and in the words that they leave out."""

import csv
import itertools
import re
from collections import Counter

import pytest

from emotion_concepts.concepts import USUAL_CONCEPTS
from emotion_concepts.experiment_texts import experiment_texts
from emotion_concepts.experiments import EXPERIMENTS, PROMPTS
from tests.conftest import ROOT

FOLDER = ROOT / "resources/text_sets"
SETS = {name: experiment_texts(name, FOLDER / of.source) for name, of in (EXPERIMENTS | PROMPTS).items()}
EMOTIONS = (ROOT / "resources/emotions.txt").read_text(encoding="utf-8").split("\n")
with open(ROOT / "resources/leakage/concept_words.csv", encoding="utf-8") as file:
    WORDS = {
        row["emotion"]: [w.strip() for w in f"{row['forms']}; {row['synonyms']}".split(";") if w.strip()]
        for row in csv.DictReader(file)
    }
# The labels that name a concept of a text.
NAMING = ("emotion", "user", "reply", "good concept", "bad concept", "first", "second", "outer", "inner",
          "first_emotion", "second_emotion", "true_emotion", "shown_emotion")  # fmt: skip


def label(text, name):
    return getattr(text, name, None) or text.labels.get(name)


def counted(name, *labels):
    return Counter(tuple(label(text, of) for of in labels) for text in SETS[name])


def contents(text):
    return [m["content"] for m in text.messages] if text.messages else [text.text]


def named_in(said, concept):
    """The concept's own words that stand in what is said, by a plain search for whole words."""
    return [w for w in WORDS[concept] if re.search(rf"(?<!\w){re.escape(w)}(?!\w)", said, re.IGNORECASE)]


def own_words(name):
    """What each text says that must not name some concept: (id, what is said, concept)."""
    for text in SETS[name]:
        if name == "speakers":
            for turn, message in enumerate(text.messages or ()):
                yield text.id, message["content"], text.labels[("first_emotion", "second_emotion")[turn % 2]]
        elif name == "states":
            yield text.id, text.messages[-1]["content"], text.labels["emotion"]
        elif name == "turns":
            yield text.id, text.messages[0]["content"], text.labels["user"]
        elif name == "numbers":
            yield from ((text.id, text.text, concept) for concept in text.labels["expected"])
        else:
            concepts = [label(text, of) for of in NAMING if label(text, of)]
            yield from (
                (text.id, said, concept) for concept, said in itertools.product(concepts, contents(text))
            )


def test_ids_and_texts_are_each_used_once():
    for name, texts in SETS.items():
        assert len({text.id for text in texts}) == len(texts), name
        # An unexpressed state, or one of the `states`, may share its reply but not the whole text.
        assert len({text.text for text in texts}) == len(texts), name


def test_every_span_holds_text_without_space_around_it():
    for texts in SETS.values():
        for text in texts:
            for name, span in text.spans.items():
                of = text.messages[span[0]]["content"] if text.messages else text.text
                said = of[span[-2] : span[-1]]
                assert said and said == said.strip(), (text.id, name)


def test_every_concept_is_one_of_the_list():
    for name, texts in SETS.items():
        for text in texts:
            concepts = {label(text, of) for of in NAMING if label(text, of)}
            concepts |= set(text.labels.get("expected", ()))
            assert concepts <= set(EMOTIONS), (name, text.id)
            assert concepts or name in PROMPTS, text.id


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name != "negation"])
def test_no_text_names_its_own_concept(name):
    found = [(of, words) for of, said, concept in own_words(name) if (words := named_in(said, concept))]
    assert not found


def test_the_search_for_words_finds_what_is_there():
    assert named_in("She was AFRAID, though.", "afraid") == ["afraid"]
    assert named_in("unafraid fearlessness", "afraid") == []
    assert all(named_in(said, concept) for _, said, concept in own_words("negation"))


def test_numbers_are_6_templates_of_8_doses_in_4_phrasings_each_with_its_control():
    found = counted("numbers", "template", "kind", "phrasing", "dose")
    assert len(SETS["numbers"]) == len(found) == 6 * 2 * 4 * 8
    assert len(counted("numbers", "template")) == 6
    by_template = counted("numbers", "template", "place", "dose")
    assert set(by_template.values()) == {2 * 4} and len(by_template) == 6 * 8
    for text in SETS["numbers"]:
        assert re.findall(r"(?<!\d)\d+(?!\d)", text.text).count(str(text.labels["dose"])) >= 1, text.id
        assert "{" not in text.text and set(text.labels["expected"].values()) <= {1, -1}
    for template, kind, phrasing in counted("numbers", "template", "kind", "phrasing"):
        doses = [
            (text.labels["place"], text.labels["dose"])
            for text in SETS["numbers"]
            if (text.labels["template"], text.labels["kind"], text.labels["phrasing"])
            == (template, kind, phrasing)
        ]
        assert [place for place, _ in doses] == list(range(8)) and doses == sorted(doses, key=lambda d: d[1])


def test_only_the_number_changes_within_a_series():
    series = {}
    for text in SETS["numbers"]:
        key = tuple(text.labels[name] for name in ("template", "kind", "phrasing"))
        said = re.sub(rf"(?<!\d){text.labels['dose']}(?!\d)", "#", text.text)
        series.setdefault(key, set()).add(said)
    # Where the dose is also another number of the text (128 of 128), one more form.
    assert all(len(forms) <= 2 for forms in series.values())
    assert sum(len(forms) == 2 for forms in series.values()) <= 8


def test_implicit_is_12_concepts_in_6_topics_and_waits_for_the_reply():
    found = counted("implicit", "emotion", "topic")
    assert set(found.values()) == {1} and len(found) == 12 * 6
    assert {emotion for emotion, _ in found} == set(USUAL_CONCEPTS)
    assert len({topic for _, topic in found}) == 6
    assert all([m["role"] for m in text.messages] == ["user"] for text in SETS["implicit"])


def test_turns_are_24_whose_reply_should_differ_from_the_user():
    assert len(SETS["turns"]) == 24
    for text in SETS["turns"]:
        assert [m["role"] for m in text.messages] == ["user"]
        assert text.labels["user"] != text.labels["reply"]


def test_context_is_12_pairs_with_the_same_words_after_the_change():
    pairs = {}
    for text in SETS["context"]:
        pairs.setdefault(text.labels["pair"], {})[text.labels["side"]] = text
    assert len(pairs) == 12 and all(set(pair) == {"good", "bad"} for pair in pairs.values())
    for name, pair in pairs.items():
        said = {side: text.messages[-1]["content"] for side, text in pair.items()}
        spans = {side: text.spans for side, text in pair.items()}
        after = {side: said[side][spans[side]["suffix"][1] :] for side in pair}
        assert after["good"] == after["bad"], name
        # The suffix runs to the end; before the change the two are the same.
        for side in pair:
            assert spans[side]["suffix"][2] == len(said[side]), name
        before = {side: said[side][: spans[side]["change"][1]] for side in pair}
        assert before["good"] == before["bad"], name
        changes = {side: said[side][slice(*spans[side]["change"][1:])] for side in pair}
        assert changes["good"] != changes["bad"], name
        between = {side: said[side][spans[side]["change"][2] : spans[side]["suffix"][1]] for side in pair}
        assert between["good"] == between["bad"], name
        assert pair["good"].labels | {"side": ""} == pair["bad"].labels | {"side": ""}, name


def test_negation_is_12_concepts_in_6_frames_both_ways():
    found = counted("negation", "emotion", "frame", "form")
    assert set(found.values()) == {1} and len(found) == 12 * 6 * 2
    assert {emotion for emotion, *_ in found} == set(USUAL_CONCEPTS)
    pairs = {}
    for text in SETS["negation"]:
        message, start, end = text.spans["word"]
        said = text.messages[message]["content"]
        assert named_in(said[start:end], text.labels["emotion"]) == [said[start:end]]
        pairs.setdefault((text.labels["frame"], text.labels["emotion"]), {})[text.labels["form"]] = said
    for pair in pairs.values():
        # The negated one has the words of the other in their order, and more between.
        more = iter(pair["negated"].split())
        assert all(word in more for word in pair["affirmed"].split()), pair
        assert pair["affirmed"] != pair["negated"]


def test_binding_is_48_balanced_in_the_order_of_the_people_and_of_the_concepts():
    assert len(SETS["binding"]) == 48
    assert set(counted("binding", "order").values()) == {24}
    # Whoever has a concept is told of first as often as second, and returns first as often as second.
    for place in ("first", "second"):
        ways = counted("binding", place, "order")
        assert set(ways.values()) == {2} and {concept for concept, _ in ways} == set(USUAL_CONCEPTS)
    for text in SETS["binding"]:
        at = {name: span[0] for name, span in text.spans.items()}
        again = [at["first again"], at["second again"]]
        assert at["first state"] < at["second state"] < min(again)
        assert (again[0] < again[1]) == (text.labels["order"] == "same")
        for person in ("first", "second"):
            start, end = text.spans[f"{person} again"]
            name = text.text[start:end]
            state = text.text[slice(*text.spans[f"{person} state"])]
            assert name.istitle() and name in state, text.id
            assert (
                name not in text.text[slice(*text.spans[f"{('second', 'first')[person == 'second']} state"])]
            )


def test_locality_is_8_stories_in_calm_talk_and_8_the_other_way_round():
    found = counted("locality", "outer", "inner")
    assert sum(n for (outer, _), n in found.items() if outer == "calm") == 8
    assert sum(n for (_, inner), n in found.items() if inner == "calm") == 8
    assert all(found[inner, outer] == n for (outer, inner), n in found.items())
    for text in SETS["locality"]:
        afters = sorted((n for n in text.spans if n.startswith("after ")), key=lambda n: int(n.split()[1]))
        assert afters == [f"after {k + 1}" for k in range(len(afters))] and len(afters) >= 2
        order = [text.spans[name] for name in ("before", "inner", *afters)]
        # One after the other, none within another.
        for left, right in itertools.pairwise(order):
            assert left[0] < right[0] or left[2] <= right[1], text.id


def test_states_are_15_emotions_in_5_conditions_of_8_scenarios():
    found = counted("states", "emotion", "condition", "topic")
    assert set(found.values()) == {1} and len(found) == 15 * 5 * 8
    assert len({e for e, *_ in found}) == 15 and len({c for _, c, _ in found}) == 5
    for text in SETS["states"]:
        assert [m["role"] for m in text.messages] == ["user", "assistant"]
        assert re.search(rf"\b{text.labels['emotion']}\b", text.messages[0]["content"])
        assert "{" not in text.text
    replies = {}
    for text in SETS["states"]:
        key = (text.labels["condition"], text.labels["topic"])
        replies.setdefault(key, set()).add(text.messages[-1]["content"])
    for (condition, topic), said in replies.items():
        # Where nothing of the state shows, the reply is one and the same.
        assert len(said) == (1 if condition in ("hidden", "neutral_topic") else 15), (condition, topic)


def test_speakers_are_15_by_15_emotions_at_least_twice_as_dialogue_and_as_script():
    dialogues = [text for text in SETS["speakers"] if text.messages]
    scripts = [text for text in SETS["speakers"] if not text.messages]
    assert len(dialogues) == len(scripts) >= 15 * 15 * 2
    of = Counter((t.labels["first_emotion"], t.labels["second_emotion"]) for t in dialogues)
    firsts, seconds = ({pair[k] for pair in of} for k in (0, 1))
    assert len(firsts) == 15 and firsts == seconds
    assert all(of[pair] >= 2 for pair in itertools.product(firsts, repeat=2))
    for text in dialogues:
        roles = [m["role"] for m in text.messages]
        assert roles == ["user", "assistant"] * (len(roles) // 2) and len(roles) >= 2
    for dialogue, script in zip(dialogues, scripts, strict=True):
        assert script.id == f"{dialogue.id}-named"
        for turn, message in enumerate(dialogue.messages):
            start, end = script.spans[f"message {turn}"]
            name = script.labels["names"][turn % 2]
            assert script.text[start:end] == message["content"]
            assert script.text[:start].endswith(f"{name}: ")


def test_unexpressed_are_15_emotions_behind_4_others_twice():
    found = counted("unexpressed", "true_emotion", "shown_emotion")
    assert len(SETS["unexpressed"]) == 15 * 4 * 2
    assert set(found.values()) == {2} and len(found) == 15 * 4
    assert set(Counter(true for true, _ in found).values()) == {4}
    assert all(true != shown for true, shown in found)
    assert all(text.messages[-1]["role"] == "assistant" for text in SETS["unexpressed"])


def test_prompts_of_a_comparison_are_as_many_of_either_kind():
    assert len(SETS["challenging"]) == len(SETS["ordinary"]) == 24
    for name in PROMPTS:
        assert all([m["role"] for m in text.messages] == ["user"] for text in SETS[name])
        assert counted(name, "kind") == {(name,): 24}
