"""Projection against a hand-made 3-dimensional example, and against the model's own states."""

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from emotion_concepts import project
from emotion_concepts.models import Model
from emotion_concepts.residual_stream import watched_residuals
from emotion_concepts.vectors import EmotionVectors
from tests.conftest import TEXTS, make_tokenizer


def test_projection_of_known_residuals():
    """One block that adds nothing, so that the residual is the embedding: three dimensions by hand.

    The fourth is there because attention needs an even width for each head; it stays zero.
    """
    tokenizer = make_tokenizer()
    shape = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=4, intermediate_size=4, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2,
    )  # fmt: skip
    hf = LlamaForCausalLM(shape).eval().requires_grad_(False)
    hf.model.layers[0].self_attn.o_proj.weight.zero_()
    hf.model.layers[0].mlp.down_proj.weight.zero_()
    first, second = tokenizer("Q#")["input_ids"]
    hf.model.embed_tokens.weight[first] = torch.tensor([3.0, 4, 0, 0])
    hf.model.embed_tokens.weight[second] = torch.tensor([0.0, 0, 2, 0])
    vectors = EmotionVectors(
        np.zeros((1, 2, 4), np.float32),
        np.array([[[10, 0, 0, 0], [0, 5, 5, 0]]], np.float32),
        ["x", "yz"], [0], "hand-made", "1", {0: 1.0},
    )  # fmt: skip
    scores = project(Model(hf, tokenizer, None, "hand-made", "1"), vectors, "Q#")
    # Projection on (1, 0, 0) and on (0, 1, 1) / sqrt 2; norms 5 and 2.
    np.testing.assert_allclose(scores.projection_LTC[0, 0], [3, 4 / 2**0.5], rtol=1e-6)
    np.testing.assert_allclose(scores.cosine_LTC[0, 0], [3 / 5, 4 / 5 / 2**0.5], rtol=1e-6)
    np.testing.assert_allclose(scores.norm_LT[0, 0], 5)
    np.testing.assert_allclose(scores.projection_LTC[0, 1], [0, 2 / 2**0.5], rtol=1e-6)
    np.testing.assert_allclose(scores.cosine_LTC[0, 1], [0, 1 / 2**0.5], rtol=1e-6)


def test_projection_follows_the_tokens_of_the_text(tiny_model, tiny_vectors):
    text = TEXTS[0][:80]
    scores = project(tiny_model, tiny_vectors, text)
    assert "".join(scores.tokens) == text
    states = []
    with torch.no_grad(), watched_residuals(tiny_model.blocks, lambda _, h: states.append(h[0].numpy())):
        tiny_model.hf(torch.tensor([tiny_model.tokenizer(text)["input_ids"]]))
    for layer in range(4):
        expected = [[h @ tiny_vectors.unit(c, layer) for c in tiny_vectors.concepts] for h in states[layer]]
        np.testing.assert_allclose(scores.projection_LTC[layer], expected, rtol=1e-3, atol=1e-4)


def test_cosines_lie_between_minus_one_and_one(tiny_model, tiny_vectors):
    cosines = project(tiny_model, tiny_vectors, TEXTS[1]).cosine_LTC
    assert np.abs(cosines).max() <= 1 + 1e-5 and np.abs(cosines).max() > 0
