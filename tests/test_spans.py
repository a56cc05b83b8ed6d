"""Spans: characters to tokens, in plain texts, plain turns and chat templates."""

import json

import numpy as np
import pytest

from emotion_concepts.errors import DataError
from emotion_concepts.spans import last_token_of, rendered, tokenise_rendered, tokens_of
from emotion_concepts.text_sets import Text, read_texts
from tests.conftest import make_tokenizer

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] | trim }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
MESSAGES = [
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": "  Where is the lamp?  "},
    {"role": "assistant", "content": "On the table. 🙂 It is lit."},
]


@pytest.fixture(scope="module")
def tokenizer():
    made = make_tokenizer(bos=True)
    made.chat_template = TEMPLATE
    return made


def read_back(tokenizer, text, chat_template, choose=tokens_of):
    """What the tokens of each span say when they are decoded."""
    made = rendered(text, tokenizer, chat_template=chat_template)
    (tokens,) = tokenise_rendered(tokenizer, [made], chat_template=chat_template)
    said = {}
    for name, span in made.spans.items():
        ids = np.array(tokens.ids)[choose(tokens, span)]
        said[name] = tokenizer.decode(ids)
    return said


@pytest.mark.parametrize("chat_template", [True, False])
def test_spans_of_a_dialogue_decode_to_its_messages(tokenizer, chat_template):
    dialogue = Text("d", "", messages=MESSAGES, spans={"lamp": (1, 15, 19), "smile": (2, 14, 15)})
    said = read_back(tokenizer, dialogue, chat_template)
    assert said["message 0"].strip() == "Be short."
    # A token may begin with the space before a word.
    assert said["user turn"].strip() == said["message 1"].strip() == "Where is the lamp?"
    assert said["reply"].strip() == MESSAGES[2]["content"]
    assert "lamp".startswith(said["lamp"].strip()[:2]) and "🙂" in said["smile"]
    assert "Where" not in said["before reply"] and "table" not in said["before reply"]


@pytest.mark.parametrize(("chat_template", "ending"), [(True, "<|assistant|>\n"), (False, "Assistant:")])
def test_a_dialogue_that_waits_for_its_reply_ends_with_the_opening(tokenizer, chat_template, ending):
    dialogue = Text("d", "", messages=MESSAGES[:2])
    made = rendered(dialogue, tokenizer, chat_template=chat_template)
    assert made.text.endswith(ending) and "reply" not in made.spans
    (tokens,) = tokenise_rendered(tokenizer, [made], chat_template=chat_template)
    # The token that the reply is computed from is the very last one.
    assert np.flatnonzero(last_token_of(tokens, made.spans["before reply"])).tolist() == [len(tokens.ids) - 1]


def test_a_template_writes_the_special_tokens_once(tokenizer):
    made = rendered(Text("d", "", messages=MESSAGES), tokenizer, chat_template=True)
    (tokens,) = tokenise_rendered(tokenizer, [made], chat_template=True)
    assert (tokens.ids == tokenizer.bos_token_id).sum() == 1 and tokens.ids[0] == tokenizer.bos_token_id


def test_a_span_of_a_plain_text_covers_the_words_it_names(tokenizer):
    text = "The lamp stood on the table, and the wind went by."
    start = text.index("table")
    said = read_back(tokenizer, Text("t", text, spans={"thing": (start, start + 5)}), False)
    assert said["thing"].strip() == "table"
    last = read_back(tokenizer, Text("t", text, spans={"thing": (start, start + 5)}), False, last_token_of)
    assert "table".endswith(last["thing"].strip())


def test_a_template_that_changes_a_message_is_refused(tokenizer):
    tokenizer = make_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] | upper }}{% endfor %}"
    with pytest.raises(DataError, match="text d: the chat template changes message 0"):
        rendered(Text("d", "", messages=MESSAGES), tokenizer, chat_template=True)


def test_a_model_without_a_template_is_refused():
    with pytest.raises(DataError, match="no chat template; read it as plain turns"):
        rendered(Text("d", "", messages=MESSAGES), make_tokenizer(), chat_template=True)


BAD_SPANS = {
    '{"text": "abc", "spans": {"reply": [0, 812]}}': "span 'reply' goes from 0 to 812, but the text has 3 characters",
    '{"text": "abc", "spans": {"a": [2, 2]}}': "span 'a' goes from 2 to 2",
    '{"text": "abc", "spans": {"a": [1, 1, 2]}}': r"span 'a' should be \[start, end\]",
    '{"text": "abc", "spans": {"a": "0-1"}}': r"span 'a' should be \[start, end\]",
    json.dumps({"messages": MESSAGES, "spans": {"a": [0, 1]}}): r"span 'a' should be \[message, start, end\]",
    json.dumps(
        {"messages": MESSAGES, "spans": {"a": [7, 0, 1]}}
    ): "span 'a' is in message 7, but there are 3",
    json.dumps(
        {"messages": MESSAGES, "spans": {"a": [0, 0, 99]}}
    ): "span 'a' goes from 0 to 99, but the message has 9 characters",
}


@pytest.mark.parametrize("line", BAD_SPANS)
def test_a_bad_span_is_told_with_its_line(tmp_path, line):
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"t\.jsonl:2: " + BAD_SPANS[line]):
        read_texts(path)
