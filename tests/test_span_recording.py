"""Places of texts: which tokens count, and values that are transformers' own, killed or not."""

import dataclasses
import logging

import numpy as np
import pandas as pd
import pytest
import torch

from emotion_concepts import load_model, recording
from emotion_concepts.errors import DataError
from emotion_concepts.experiments import Experiment
from emotion_concepts.shards import PartStore, read_places, read_values, write_places
from emotion_concepts.span_recording import places_table, read_in_formats, record_places, some_of
from emotion_concepts.text_sets import Text
from tests.conftest import TEXTS, make_model_folder
from tests.test_spans import TEMPLATE

HOWS = {"lamp": "each", "user turn": "last", "before reply": "last", "reply": "mean"}
BOTH = {"plain": None, "chat": None}


def dialogue(k, **labels):
    """A dialogue whose user's turn ends with a span, `lamp`."""
    asked, replied = f"{TEXTS[k][:60]} Where is the lamp?", TEXTS[k + 10][:40]
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": replied}]
    return Text(
        f"d{k}", "", labels=labels, messages=messages, spans={"lamp": (0, len(asked) - 9, len(asked))}
    )


DIALOGUES = [dialogue(k) for k in range(5)]
STORIES = [
    Text(f"s{k}", TEXTS[k][:100], spans={"start": (0, 12), "after 1": (20, 40), "after 2": (41, 60)})
    for k in range(3)
]
OF_DIALOGUES = Experiment(0, "", HOWS)
OF_STORIES = Experiment(0, "", {"start": "mean", "after *": "last"})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    made = load_model(str(make_model_folder(tmp_path_factory.mktemp("chat"), bos=True)), dtype="float32")
    made.tokenizer.chat_template = TEMPLATE
    return made


@pytest.fixture(scope="module")
def read(model):
    """Dialogues in both formats, then stories, as one recording reads them."""
    return [
        *read_in_formats(DIALOGUES, OF_DIALOGUES, model.tokenizer, BOTH),
        *read_in_formats(STORIES, OF_STORIES, model.tokenizer, BOTH),
    ]


def rendered_by_hand(text, form, tokenizer):
    """What the model reads: the text itself, or a dialogue put together here."""
    if not text.messages:
        return text.text
    user, reply = (m["content"].strip() for m in text.messages)
    if form == "plain":
        return f"Human: {text.messages[0]['content']}\n\nAssistant: {text.messages[1]['content']}"
    return f"<s><|user|>\n{user}</s>\n<|assistant|>\n{reply}</s>\n"


def tokens_at(text, form, tokenizer, start, end):
    """Ids of what is read, and the tokens that stand for these characters, by a loop over offsets."""
    whole = rendered_by_hand(text, form, tokenizer)
    encoded = tokenizer(whole, add_special_tokens=form == "plain", return_offsets_mapping=True)
    return encoded["input_ids"], [
        t for t, (low, high) in enumerate(encoded["offset_mapping"]) if low < end and high > start
    ]


# Which tokens


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_places_are_the_tokens_of_their_spans_in_each_format(model, read, form):
    for text in DIALOGUES:
        (of,) = [r for r in read if r.id == text.id and r.format == form]
        whole = rendered_by_hand(text, form, model.tokenizer)
        asked, replied = (m["content"].strip() for m in text.messages)
        ends = {
            "lamp": (whole.index("the lamp?"), whole.index("the lamp?") + 9),
            "user turn": (whole.index(asked), whole.index(asked) + len(asked)),
            "reply": (whole.rindex(replied), whole.rindex(replied) + len(replied)),
        }
        ends["before reply"] = (ends["user turn"][1], ends["reply"][0])
        found = {name: tokens_at(text, form, model.tokenizer, *span) for name, span in ends.items()}
        expected = {f"lamp {k}": [t] for k, t in enumerate(found["lamp"][1])}
        expected |= {name: found[name][1][-1:] for name in ("user turn", "before reply")}
        expected["reply"] = found["reply"][1]
        assert of.tokens.ids.tolist() == found["lamp"][0]
        assert {place.span: np.flatnonzero(place.counted).tolist() for place in of.places} == expected
        assert len(expected) > 4
        for place in of.places:
            assert place.token == model.tokenizer.decode([of.tokens.ids[expected[place.span][-1]]])


def test_a_text_that_is_no_dialogue_is_read_as_it_is(model, read):
    of = {(r.id, r.format): r for r in read if r.id.startswith("s")}
    assert set(of) == {(f"s{k}", "plain") for k in range(3)}
    assert [place.span for place in of["s0", "plain"].places] == ["start", "after 1", "after 2"]
    assert [int(place.counted.sum()) for place in of["s0", "plain"].places[1:]] == [1, 1]


def test_a_format_label_is_the_only_format(model):
    texts = [dialogue(0, format="chat"), dialogue(1, format="plain"), dialogue(2)]
    found = read_in_formats(texts, OF_DIALOGUES, model.tokenizer, BOTH)
    assert [(r.id, r.format) for r in found] == [
        ("d1", "plain"), ("d2", "plain"), ("d0", "chat"), ("d2", "chat")
    ]  # fmt: skip


def test_a_model_without_a_chat_template_reads_no_chat(tiny_model):
    found = read_in_formats(DIALOGUES, OF_DIALOGUES, tiny_model.tokenizer, BOTH)
    assert [(r.id, r.format) for r in found] == [(text.id, "plain") for text in DIALOGUES]


def test_a_missing_span_is_named_with_those_that_are_there(model):
    with pytest.raises(DataError) as error:
        read_in_formats(DIALOGUES[:1], Experiment(0, "", {"after *": "mean"}), model.tokenizer, BOTH)
    assert str(error.value) == (
        "text d0: no span 'after *'; it has message 0, message 1, user turn, before reply, reply, lamp"
    )
    with pytest.raises(DataError, match="text s: no span 'start'; it has none"):
        read_in_formats([Text("s", "Once.")], OF_STORIES, model.tokenizer, BOTH)


def test_a_span_that_no_token_stands_for_is_an_error(model):
    text = Text("s", "Once.", spans={"start": (5, 5), "after 1": (0, 1)})
    with pytest.raises(DataError, match=r"^text s: no token stands for span 'start'$"):
        read_in_formats([text], OF_STORIES, model.tokenizer, BOTH)


def test_a_limit_is_of_each_format(model):
    found = read_in_formats(DIALOGUES, OF_DIALOGUES, model.tokenizer, {"plain": 5, "chat": 2})
    assert [r.id for r in found if r.format == "plain"] == ["d0", "d1", "d2", "d3", "d4"]
    drawn = [r.id for r in found if r.format == "chat"]
    assert len(drawn) == 2 and set(drawn) < {"d0", "d1", "d2", "d3", "d4"}


IN_GROUPS = Experiment(0, "", {}, ("a", "b"))


@pytest.mark.parametrize(("limit", "kept"), [(None, 6), (24, 6), (23, 5), (12, 3), (11, 2), (4, 1), (3, 0)])
def test_groups_are_kept_whole_as_far_as_there_is_room(limit, kept):
    texts = [
        Text(f"{g}-{k}", "", labels={"a": g // 2, "b": g % 2, "k": k}) for k in range(4) for g in range(6)
    ]
    chosen = some_of(texts, IN_GROUPS, limit)
    groups = [text.id[0] for text in chosen]
    assert len(chosen) == 4 * kept and all(groups.count(g) == 4 for g in set(groups))
    assert chosen == [text for text in texts if text in chosen]


def test_fewer_groups_than_the_experiment_can_do_with_are_not_read():
    texts = [Text(f"{g}-{k}", "", labels={"a": g, "b": 0}) for g in range(6) for k in range(4)]
    needy = dataclasses.replace(IN_GROUPS, fewest=3)
    assert some_of(texts, needy, 11) == [] and len(some_of(texts, needy, 12)) == 12


def test_no_column_of_a_grid_is_favoured():
    """Every fourth of a grid of four columns would be one of them alone."""
    texts = [Text(f"{row}-{column}", "") for row in range(100) for column in range(4)]
    columns = [int(text.id[-1]) for text in some_of(texts, Experiment(0, ""), 100)]
    assert min(np.bincount(columns, minlength=4)) > 15


def test_a_script_has_the_named_format_alone(model):
    script = Text("s", "Ann: Hello there.", labels={"format": "named"}, spans={"reply": (5, 17)})
    texts = [*DIALOGUES, script]
    formats = {"plain": None, "named": None}
    found = read_in_formats(texts, Experiment(0, "", {"reply": "mean"}), model.tokenizer, formats)
    assert [(r.id, r.format) for r in found if r.id == "s" or r.format == "named"] == [("s", "named")]


# Values


def layers_of(folder, model, read, storage="float32", **options):
    store = record_places(folder / "parts", model, read, batch_tokens=150, **options)
    depth = len(model.blocks)
    digest = write_places(
        folder / "layers", store, places_table(read), depth, {"source": "tiny"}, storage=storage
    )
    return digest, np.stack([read_values(folder / "layers", k) for k in range(depth)])


def test_values_are_transformers_own_hidden_states_read_one_by_one(tmp_path, model, read):
    _, value_LUD = layers_of(tmp_path, model, read)
    places = read_places(tmp_path / "layers")
    row = 0
    for text in read:
        with torch.no_grad():
            ids = torch.tensor([text.tokens.ids.tolist()])
            hidden = [h[0].numpy() for h in model.hf(ids, output_hidden_states=True).hidden_states]
        for place in text.places:
            at = np.flatnonzero(place.counted)
            for layer in range(len(model.blocks) - 1):
                expected = sum(hidden[layer + 1][t].astype(float) for t in at) / len(at)
                np.testing.assert_allclose(value_LUD[layer, row], expected, rtol=1e-3, atol=1e-4)
            if len(at) == 1:
                # transformers gives the last block's output after the final norm alone.
                normed = model.hf.model.norm(torch.from_numpy(value_LUD[-1, row])).detach().numpy()
                np.testing.assert_allclose(normed, hidden[-1][at[0]], rtol=1e-3, atol=1e-4)
            assert places.iloc[row].tolist() == [text.id, text.format, place.span, place.token, len(at)]
            row += 1
    assert row == len(places) == value_LUD.shape[1]


class Killed(BaseException):
    """Stands for the process's end: nothing in the code may catch it."""


def kill_after(monkeypatch, passes):
    real, calls = recording.pool_within_memory, []

    def pool_within_memory(*arguments):
        if len(calls) == passes:
            raise Killed
        calls.append(1)
        return real(*arguments)

    monkeypatch.setattr(recording, "pool_within_memory", pool_within_memory)


def counted_passes(monkeypatch):
    """Tokens of every text that goes through the model."""
    real, seen = recording.pool_within_memory, []

    def pool_within_memory(reading, rows):
        seen.extend(tuple(reading.texts[row].ids.tolist()) for row in rows)
        return real(reading, rows)

    monkeypatch.setattr(recording, "pool_within_memory", pool_within_memory)
    return seen


@pytest.mark.parametrize("passes", [0, 1, 3])
def test_a_killed_recording_ends_in_the_same_bytes(tmp_path, model, read, monkeypatch, passes):
    whole, _ = layers_of(tmp_path / "whole", model, read)
    kill_after(monkeypatch, passes)
    with pytest.raises(Killed):
        layers_of(tmp_path / "cut", model, read, part_seconds=-1)
    monkeypatch.undo()
    assert len(list((tmp_path / "cut/parts").glob("part-*.h5"))) == passes
    seen = counted_passes(monkeypatch)
    assert layers_of(tmp_path / "cut", model, read)[0] == whole
    assert len(seen) < len(read) or not passes


def test_a_killed_recording_of_sets_that_share_a_text_ends_in_the_same_bytes(tmp_path, model, monkeypatch):
    """A text of two sets, at other places in each: what one set has read is not read with the other's."""
    wider = Experiment(0, "", {"user turn": "last", "before reply": "last"})
    read = [
        *read_in_formats(
            DIALOGUES, Experiment(0, "", {"user turn": "last"}), model.tokenizer, {"plain": None}
        ),
        *read_in_formats(DIALOGUES[:2], wider, model.tokenizer, {"plain": None}),
    ]
    for name, kill in (("whole", False), ("cut", True)):
        if kill:
            kill_after(monkeypatch, 3)
            with pytest.raises(Killed):
                layers_of(tmp_path / name, model, read, part_seconds=-1)
            monkeypatch.undo()
        seen = counted_passes(monkeypatch)
        digest, value_LUD = layers_of(tmp_path / name, model, read)
        monkeypatch.undo()
        if not kill:
            whole = digest
            # Each text once for the narrow set, those of the wider one once more.
            assert len(seen) == 5 + 2
    assert digest == whole
    np.testing.assert_array_equal(value_LUD[:, 0], value_LUD[:, 5])


def test_an_edited_text_costs_its_own_pass(tmp_path, model, monkeypatch):
    def read(texts):
        return read_in_formats(texts, OF_DIALOGUES, model.tokenizer, BOTH)

    _, before = layers_of(tmp_path, model, read(DIALOGUES))
    edited = [dialogue(7) if k == 2 else text for k, text in enumerate(DIALOGUES)]
    seen = counted_passes(monkeypatch)
    _, after = layers_of(tmp_path, model, read(edited))
    assert sorted(seen) == sorted(tuple(r.tokens.ids.tolist()) for r in read(edited) if r.id == "d7")
    rows = [places_table(read(texts)) for texts in (DIALOGUES, edited)]
    others = [(of["text"].isin(["d0", "d1", "d3", "d4"])).to_numpy() for of in rows]
    np.testing.assert_array_equal(before[:, others[0]], after[:, others[1]])


def test_the_same_text_in_two_sets_is_read_once(tmp_path, model, monkeypatch, caplog):
    renamed = [Text("other", t.text, messages=t.messages, spans=t.spans) for t in DIALOGUES[:1]]
    read = [
        *read_in_formats(DIALOGUES[:2], OF_DIALOGUES, model.tokenizer, {"plain": None}),
        *read_in_formats(renamed, OF_DIALOGUES, model.tokenizer, {"plain": None}),
    ]
    seen = counted_passes(monkeypatch)
    with caplog.at_level(logging.INFO):
        _, value_LUD = layers_of(tmp_path, model, read)
    assert sorted(seen) == sorted(tuple(r.tokens.ids.tolist()) for r in read[:2])
    table = places_table(read)
    np.testing.assert_array_equal(
        value_LUD[:, (table["text"] == "d0").to_numpy()], value_LUD[:, (table["text"] == "other").to_numpy()]
    )
    assert f"read 3 texts at {table['digest'].nunique()} places" in caplog.text


# Files


def table_of(tokens):
    return pd.DataFrame(
        [(f"t{k % 2}", "plain", f"span {k}", token, f"{k:064d}") for k, token in enumerate(tokens)],
        columns=["text", "format", "span", "token", "digest"],
    )


def store_of(folder, value_LUD):
    store = PartStore(folder, {})
    n_layers, n_places, _ = value_LUD.shape
    norm = np.ones((n_layers, n_places), np.float32)
    store.write_part([f"{k:064d}" for k in range(n_places)], value_LUD, norm, np.arange(1, n_places + 1))
    return store


@pytest.mark.parametrize("storage", ["float32", "float16"])
def test_places_come_back_from_their_files(tmp_path, storage):
    rng = np.random.default_rng(0)
    # Some far beyond what float16 holds.
    value = (rng.standard_normal((2, 4, 8)) * np.array([1e-6, 1, 1e3, 1e7])[:, None]).astype(np.float32)
    table = table_of(["a", " the", "ü🙂", "\n"])
    write_places(tmp_path / "l", store_of(tmp_path / "p", value), table, 2, {"source": "x"}, storage=storage)
    for layer in range(2):
        found = read_values(tmp_path / "l", layer)
        assert found.dtype == np.float32
        if storage == "float32":
            np.testing.assert_array_equal(found, value[layer])
        # Eleven bits of a row's largest value.
        largest = np.abs(value[layer]).max(1, keepdims=True)
        assert (np.abs(found - value[layer]) <= largest * 2.0**-11).all()
    expected = table.drop(columns="digest").assign(n_tokens=[1, 2, 3, 4])
    pd.testing.assert_frame_equal(read_places(tmp_path / "l"), expected, check_dtype=False)


def test_a_digest_of_places_tells_values_and_labels_apart(tmp_path):
    value = np.random.default_rng(1).standard_normal((1, 2, 4)).astype(np.float32)
    store, table = store_of(tmp_path / "p", value), table_of(["a", "b"])
    digests = {
        write_places(tmp_path / "l", of, places, 1, {})
        for of, places in [
            (store, table),
            (store, table),
            (store, table.assign(token=["a", "c"])),
            (store_of(tmp_path / "q", value + 1), table),
        ]
    }
    assert len(digests) == 3


def test_a_token_with_a_nul_is_kept_to_its_end(tmp_path, model):
    text = Text("s", "Once\0 upon a time.", spans={"start": (4, 5), "after 1": (5, 10)})
    (read,) = read_in_formats([text], OF_STORIES, model.tokenizer, {"plain": None})
    layers_of(tmp_path, model, [read])
    assert read_places(tmp_path / "layers")["token"].tolist() == [place.token for place in read.places]
    assert read.places[0].token == "\N{REPLACEMENT CHARACTER}"
