"""Every family is read as transformers reads one text alone, whatever way its batches go."""

from pathlib import Path

import numpy as np
import pytest
import torch

from emotion_concepts import record, recording
from emotion_concepts.generation import sample
from emotion_concepts.models import Model
from emotion_concepts.sequence_scores import continuation_logprobs
from emotion_concepts.steering import Edits
from tests.architectures import FAMILIES, make_model
from tests.conftest import TEXTS, make_tokenizer

# Of different lengths, the shortest first.
SOME = [TEXTS[0][:200], *TEXTS[1:4], TEXTS[4] + " " + TEXTS[5]]


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer()


def opened(family, tokenizer):
    return Model(make_model(family), tokenizer, Path("nowhere"), family, "r")


def alone(model, text, skip):
    """Mean of transformers' own hidden states of one text without padding: [layers, width].

    The last entry of `hidden_states` is normed, so the last block's output is taken from a hook.
    """
    last = []
    handle = model.blocks[-1].register_forward_hook(
        lambda m, i, o: last.append(o[0] if isinstance(o, tuple) else o)
    )
    ids = torch.tensor([model.tokenizer(text)["input_ids"]])
    with torch.no_grad():
        states = model.hf(ids, output_hidden_states=True, use_cache=False).hidden_states
    handle.remove()
    # Entry k is the input of block k; in Mamba's models it is the output already.
    blocks = states[:-2] if model.hf.config.model_type == "mamba" else states[1:-1]
    return np.stack([h[0, skip:].double().mean(0).numpy() for h in (*blocks, last[0])])


@pytest.mark.parametrize("family", FAMILIES)
def test_means_match_one_text_at_a_time(family, tokenizer):
    model = opened(family, tokenizer)
    means = record(model, SOME, skip=10)
    expected = np.stack([alone(model, text, 10) for text in SOME])
    centred, wanted = means - means.mean(0), expected - expected.mean(0)
    errors = np.linalg.norm(centred - wanted, axis=(0, 2)) / np.linalg.norm(wanted, axis=(0, 2))
    assert errors.max() < 1e-4, errors
    assert recording._ways[model.hf] == FAMILIES[family][1]


@pytest.mark.parametrize("family", ["jamba", "recurrent_gemma"])
def test_a_way_that_lets_texts_see_each_other_is_found_out(family, tokenizer, caplog):
    caplog.set_level("INFO")
    record(opened(family, tokenizer), SOME, skip=10)
    assert "packed batches differ from one by one" in caplog.text
    assert "padded batches agree with one by one" in caplog.text


def test_the_model_is_left_with_its_own_attention(tokenizer):
    model = opened("llama", tokenizer)
    record(model, SOME, skip=10)
    assert model.hf.config._attn_implementation == "sdpa"
    ids = torch.tensor([[5, 6, 7]])
    assert torch.equal(model.hf(ids).logits, opened("llama", tokenizer).hf(ids).logits)


def logits_alone(model, ids, added):
    """The model's own pass over one sequence without padding or cache, `added` after block 1: [T, V]."""
    handle = model.blocks[1].register_forward_hook(
        lambda m, i, o: (o[0] + added, *o[1:]) if isinstance(o, tuple) else o + added
    )
    with torch.no_grad():
        logits = model.hf(torch.tensor([ids]), use_cache=False).logits[0]
    handle.remove()
    return logits


@pytest.mark.parametrize("family", FAMILIES)
def test_steered_scores_and_texts_match_one_row_at_a_time(family, tokenizer):
    """Shared beginnings, padding, caches and the rows beside it change nothing, in any family."""
    model = opened(family, tokenizer)
    prompts = [TEXTS[0][:60], TEXTS[0][:60] + TEXTS[1][:30], TEXTS[2][:25]]
    words = [" the lamp was", " nobody"]
    width = model.width
    added = np.random.default_rng(0).standard_normal((3, width)).astype(np.float32)
    added[0] = 0
    found = continuation_logprobs(model, prompts, [words] * 3, Edits({1: added}))
    for r, p, w in np.ndindex(found.shape):
        start, tail = tokenizer(prompts[p])["input_ids"], tokenizer(words[w])["input_ids"]
        logprob = logits_alone(model, start + tail, torch.from_numpy(added[r])).log_softmax(-1)
        expected = sum(logprob[len(start) - 1 + i, token].item() for i, token in enumerate(tail))
        assert found[r, p, w] == pytest.approx(expected, rel=1e-3, abs=1e-3)
    texts = sample(model, prompts, Edits({1: added}), max_new_tokens=4, batch_rows=2)
    for row, prompt in enumerate(prompts):
        ids = tokenizer(prompt)["input_ids"]
        written = []
        while len(written) < 4 and 1 not in written:  # 1 is the end of the text
            written.append(int(logits_alone(model, ids + written, torch.from_numpy(added[row]))[-1].argmax()))
        assert texts[row] == tokenizer.decode(written, skip_special_tokens=True)
