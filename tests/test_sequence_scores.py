"""Log-probabilities from shared beginnings against one sequence at a time, steered by hand."""

import numpy as np
import pytest
import torch

from emotion_concepts import load_model
from emotion_concepts.caches import CacheKind
from emotion_concepts.prefix_tree import prefix_tree
from emotion_concepts.sequence_scores import ScoredSequence, continuation_logprobs, token_logprobs
from emotion_concepts.steering import Edits, steered
from tests.conftest import make_model_folder

PROMPTS = ["The lamp lay over the bench and he said that", "The lamp lay over the bench and she"]


def by_hand(model, sequence, edits):
    """The model's own pass over one whole sequence, changed at the chosen tokens by a plain hook."""
    ids = torch.from_numpy(sequence.ids)[None]
    where = np.zeros(len(sequence.ids), bool) if sequence.edit < 0 else sequence.where
    handles = []
    for layer in edits.added_RD:
        added = torch.from_numpy(edits.added_RD[layer][sequence.edit])
        removed = torch.from_numpy(edits.removed_RD[layer][sequence.edit]) if edits.removed_RD else None

        def change(_block, _inputs, output, added=added, removed=removed):
            hidden = (output[0] if isinstance(output, tuple) else output).clone()
            for t in np.flatnonzero(where):
                if removed is not None:
                    hidden[0, t] -= (hidden[0, t] @ removed) * removed
                hidden[0, t] += added
            return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

        handles.append(model.blocks[layer].register_forward_hook(change))
    logits = model.hf(ids, use_cache=False).logits[0].log_softmax(-1)
    for handle in handles:
        handle.remove()
    n = len(sequence.ids)
    return [logits[t - 1, ids[0, t]].item() for t in range(n - sequence.scored, n)]


def some_edits(rng, layers=(1, 2), n=3, width=32, removed=False):
    added = {k: rng.standard_normal((n, width)).astype(np.float32) for k in layers}
    units = {k: v / np.linalg.norm(v, axis=1, keepdims=True) for k, v in added.items()}
    return Edits(added, units if removed else {})


def some_sequences(rng, n=60, vocabulary=600):
    """Sequences with beginnings in common, of many lengths, edited here and there."""
    stems = [rng.integers(2, vocabulary, size) for size in (3, 9, 14)]
    sequences = []
    for _ in range(n):
        stem = stems[rng.integers(3)]
        ids = np.concatenate(
            [stem, stem[: rng.integers(0, 4)], rng.integers(2, vocabulary, rng.integers(1, 8))]
        )
        edit = int(rng.integers(-1, 3))
        first = int(rng.integers(0, len(ids)))
        where = np.zeros(len(ids), bool)
        where[first : first + int(rng.integers(1, len(ids) + 1))] = True
        sequences.append(ScoredSequence(ids, int(rng.integers(1, len(ids))), edit, where))
    return sequences


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_scores_match_one_sequence_at_a_time(tmp_path, family, removed):
    model = load_model(str(make_model_folder(tmp_path, family)), dtype="float32")
    rng = np.random.default_rng(1)
    sequences, edits = some_sequences(rng), some_edits(rng, removed=removed)
    found = token_logprobs(model, sequences, edits)
    for sequence, logprob in zip(sequences, found, strict=True):
        np.testing.assert_allclose(logprob, by_hand(model, sequence, edits), rtol=1e-4, atol=2e-4)


def test_small_batches_and_chunks_give_the_same(tiny_model, monkeypatch):
    rng = np.random.default_rng(2)
    sequences, edits = some_sequences(rng), some_edits(rng)
    expected = token_logprobs(tiny_model, sequences, edits)
    monkeypatch.setattr("emotion_concepts.sequence_scores.CHUNK", 7)
    monkeypatch.setattr("emotion_concepts.sequence_scores.BATCH_LOGITS", 3)
    for own, other in zip(expected, token_logprobs(tiny_model, sequences, edits), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-4)


def test_a_cache_that_cannot_be_cut_is_read_one_sequence_at_a_time(tiny_model, monkeypatch):
    rng = np.random.default_rng(3)
    sequences, edits = some_sequences(rng, n=12), some_edits(rng)
    expected = token_logprobs(tiny_model, sequences, edits)
    for kind in (CacheKind(True, True, 4), CacheKind(True, False, None), CacheKind(False, False, None)):
        monkeypatch.setattr("emotion_concepts.sequence_scores.cache_kind", lambda model, kind=kind: kind)
        for own, other in zip(expected, token_logprobs(tiny_model, sequences, edits), strict=True):
            np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-4)


def test_a_shared_beginning_is_fed_once(tiny_model):
    """Two prompts' common words, under three edits at the end alone, are read a single time."""
    fed = []
    handle = tiny_model.blocks[0].register_forward_hook(lambda m, i, o: fed.append(i[0].shape[:2].numel()))
    start = np.arange(2, 42)
    where = np.arange(44) >= 40
    sequences = [
        ScoredSequence(np.concatenate([start, [100 + n, 5, 6, 7]]), 1, edit, where)
        for n in range(8)
        for edit in range(3)
    ]
    token_logprobs(tiny_model, sequences, some_edits(np.random.default_rng(0)))
    handle.remove()
    # 2 tokens look what kind of cache there is; then the beginning, and three tokens a sequence (the last is not fed).
    assert sum(fed) == 2 + 40 + 3 * len(sequences)


def test_continuations_are_scored_at_all_or_at_the_replys_tokens(tiny_model):
    rng = np.random.default_rng(4)
    edits = some_edits(rng)
    words = [" happy", " sad and tired of it", ""]
    for reply_only in (False, True):
        found = continuation_logprobs(tiny_model, PROMPTS, [words, words], edits, reply_only=reply_only)
        assert found.shape == (3, 2, 3) and (found[..., 2] == 0).all()
        for edit in range(3):
            for p, prompt in enumerate(PROMPTS):
                start = tiny_model.tokenizer(prompt)["input_ids"]
                for c, word in enumerate(words[:2]):
                    tail = tiny_model.tokenizer(word)["input_ids"]
                    where = np.arange(len(start + tail)) >= (len(start) - 1 if reply_only else 0)
                    sequence = ScoredSequence(np.array(start + tail), len(tail), edit, where)
                    expected = sum(by_hand(tiny_model, sequence, edits))
                    assert found[edit, p, c] == pytest.approx(expected, rel=1e-4, abs=1e-3)


def test_strength_zero_is_the_unedited_score_bit_for_bit(tiny_model):
    rng = np.random.default_rng(5)
    ids = rng.integers(2, 600, 20)
    nothing = Edits({1: np.zeros((1, 32), np.float32)})
    plain, zero = (
        token_logprobs(tiny_model, [ScoredSequence(ids, 10, edit, np.ones(20, bool))], nothing)[0]
        for edit in (-1, 0)
    )
    np.testing.assert_array_equal(plain, zero)


def test_the_model_is_as_found(tiny_model):
    token_logprobs(
        tiny_model, some_sequences(np.random.default_rng(6), n=5), some_edits(np.random.default_rng(6))
    )
    assert not any(block._forward_hooks for block in tiny_model.blocks)
    ids = torch.tensor([tiny_model.tokenizer(PROMPTS[0])["input_ids"]])
    with torch.inference_mode(), steered(tiny_model, Edits({})):
        assert torch.equal(tiny_model.hf(ids).logits, tiny_model.hf(ids).logits)


def test_every_sequence_is_the_path_to_its_node():
    rng = np.random.default_rng(7)
    sequences = [sequence.ids for sequence in some_sequences(rng, n=200, vocabulary=5)]
    for shortest in (1, 3, 100):
        nodes, ends = prefix_tree(sequences, shortest)
        for i, sequence in enumerate(sequences):
            path, number = [], int(ends[i])
            while number >= 0:
                node = nodes[number]
                path.insert(0, sequences[node.sequence][node.start : node.end])
                assert node.parent < number
                number = node.parent
            np.testing.assert_array_equal(np.concatenate(path), sequence)


def test_a_tree_shares_all_that_can_be_shared():
    sequences = [np.array(s) for s in ([1, 2, 3, 4], [1, 2, 3, 5], [1, 2], [9])]
    nodes, ends = prefix_tree(sequences, 1)
    assert sum(node.end - node.start for node in nodes) == 6  # 1 2 | 3 | 4 | 5 | 9
    assert len(set(ends.tolist())) == 4
