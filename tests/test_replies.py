"""Replies of a tiny random model: reproducible, cut where the other speaks, and labelled with their format."""

import logging

import pytest

from emotion_concepts import load_model, replies
from emotion_concepts.errors import DataError
from emotion_concepts.experiments import EXPERIMENTS
from emotion_concepts.replies import replies_to
from emotion_concepts.span_recording import read_in_formats
from emotion_concepts.text_sets import Text, read_texts, write_texts
from tests.conftest import make_model_folder
from tests.test_spans import TEMPLATE

ASKED = ["Where is the lamp?", "Who came home last night, and why so late?", "Is it raining?"]
TEXTS = [
    Text(f"t{k}", f"Human: {asked}", labels={"user": "sad"}, messages=[{"role": "user", "content": asked}])
    for k, asked in enumerate(ASKED)
]
OPTIONS = {"max_new_tokens": 8, "seed": 3}


@pytest.fixture(scope="module")
def chat_model(tmp_path_factory):
    made = load_model(str(make_model_folder(tmp_path_factory.mktemp("chat"), bos=True)), dtype="float32")
    made.tokenizer.chat_template = TEMPLATE
    return made


def said(texts):
    return {text.id: text.messages[-1]["content"] for text in texts}


def test_each_message_is_answered_once_in_each_format(chat_model):
    found = replies_to(chat_model, TEXTS, ["plain", "chat"], **OPTIONS)
    assert [text.id for text in found] == [f"t{k}-{form}" for form in ("plain", "chat") for k in range(3)]
    for text in found:
        form, asked = text.id.split("-")[1], ASKED[int(text.id[1])]
        assert text.labels == {"user": "sad", "format": form, "seed": text.labels["seed"]}
        assert [m["role"] for m in text.messages] == ["user", "assistant"]
        assert text.messages[0]["content"] == asked
        reply = text.messages[1]["content"]
        assert reply == reply.strip() != "" and text.text == f"Human: {asked}\n\nAssistant: {reply}"
    # The messages that were answered are left as they were.
    assert all(len(text.messages) == 1 and text.labels == {"user": "sad"} for text in TEXTS)


def test_replies_are_those_of_their_seed_whatever_else_is_answered(tiny_model):
    first, again = (said(replies_to(tiny_model, TEXTS, ["plain"], **OPTIONS)) for _ in range(2))
    assert first == again
    assert said(replies_to(tiny_model, TEXTS[:1], ["plain"], **OPTIONS))["t0-plain"] == first["t0-plain"]
    other = said(replies_to(tiny_model, TEXTS, ["plain"], **OPTIONS | {"seed": 4}))
    assert all(other[name] != first[name] for name in first)
    # The same question twice is answered by two draws.
    twice = [TEXTS[0], Text("u", "", messages=TEXTS[0].messages)]
    assert len(set(said(replies_to(tiny_model, twice, ["plain"], **OPTIONS)).values())) == 2


def test_a_model_without_a_chat_template_replies_in_plain_turns_alone(tiny_model):
    found = replies_to(tiny_model, TEXTS, ["plain", "chat"], **OPTIONS)
    assert [text.labels["format"] for text in found] == ["plain"] * 3


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_the_model_replies_to_the_tokens_that_it_is_read_with(chat_model, form):
    """One BOS, be it the tokenizer's or the template's."""
    seen = []
    hook = chat_model.trunk.register_forward_pre_hook(
        lambda _, args, given: seen.append(given["input_ids"][0].tolist()), with_kwargs=True
    )
    try:
        replies_to(chat_model, TEXTS[:1], [form], **OPTIONS)
    finally:
        hook.remove()
    if form == "chat":
        messages = TEXTS[0].messages
        expected = chat_model.tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=False
        )
    else:
        expected = chat_model.tokenizer(f"Human: {ASKED[0]}\n\nAssistant:")["input_ids"]
    # First two tokens look what kind of cache there is; then the prompt but for its last token, and that.
    assert seen[1] + seen[2] == expected and expected.count(chat_model.tokenizer.bos_token_id) == 1


def answering(monkeypatch, *written):
    monkeypatch.setattr(replies, "sample", lambda *_, **__: list(written))


def test_a_reply_ends_where_the_model_speaks_for_the_other(tiny_model, monkeypatch):
    written = (" On it.\n\nHuman: Thanks!\n\nAssistant: Yes.", "A Human: no turn.", "No.\nHuman:")
    answering(monkeypatch, *written)
    found = replies_to(tiny_model, TEXTS, ["plain"], **OPTIONS)
    assert list(said(found).values()) == ["On it.", "A Human: no turn.", "No."]


def test_empty_replies_are_left_out_and_counted(tiny_model, monkeypatch, caplog):
    answering(monkeypatch, "  \n", "Here.", "\nHuman: And?")
    with caplog.at_level(logging.INFO):
        found = replies_to(tiny_model, TEXTS, ["plain"], **OPTIONS)
    assert said(found) == {"t1-plain": "Here."} and "1 replies, 2 empty" in caplog.text


def test_nothing_but_empty_replies_is_an_error(tiny_model, monkeypatch):
    answering(monkeypatch, "", " ", "\n")
    with pytest.raises(DataError, match=r"^the model's replies to all 3 messages are empty$"):
        replies_to(tiny_model, TEXTS, ["plain"], **OPTIONS)


def test_each_reply_is_read_in_its_own_format_alone(tmp_path, chat_model):
    write_texts(tmp_path / "t.jsonl", replies_to(chat_model, TEXTS, ["plain", "chat"], **OPTIONS))
    texts = read_texts(tmp_path / "t.jsonl")
    formats = {"plain": None, "chat": None}
    read = read_in_formats(texts, EXPERIMENTS["turns"], chat_model.tokenizer, formats)
    assert [(r.id, r.format) for r in read] == [
        (f"t{k}-{form}", form) for form in ("plain", "chat") for k in range(3)
    ]
    assert all([p.span for p in r.places] == ["user turn", "before reply", "reply"] for r in read)
