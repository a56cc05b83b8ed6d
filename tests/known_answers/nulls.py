"""Models without an answer: random weights, and activations that tell nothing but a text's length."""

from pathlib import Path

import numpy as np
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from emotion_concepts.models import Model
from tests.known_answers.handmade import HandMadeLlama, llama_config
from tests.known_answers.planted import Planted

N_NULL_LAYERS = 3
# Tokens read at which one more feature of the length sets in.
KNEES = (8, 12, 16, 22, 30, 40, 55, 75, 100)


def random_model(tokenizer: PreTrainedTokenizerBase, seed: int, width: int = 48) -> Model:
    """A Llama as it is before any training.

    Its embeddings are large, so that neighbouring layers are alike, as in a trained model: where a claim
    takes its best layer, many unlike layers would hide a statistic that is biased at each of them.
    """
    torch.manual_seed(seed)
    llama = LlamaForCausalLM(llama_config(len(tokenizer), width, 2 * width, N_NULL_LAYERS, 1))
    with torch.no_grad():
        llama.get_input_embeddings().weight /= llama.config.initializer_range
    # A name of its own for the run: nothing is stored under it.
    return Model(llama.eval().requires_grad_(False), tokenizer, Path(), "random", f"random-{seed}")


def length_model(planted: Planted, tokenizer: PreTrainedTokenizerBase, seed: int = 0) -> Model:
    """A model that knows how many tokens it has read, and nothing else: all words look the same.

    Block 0 averages the BOS's flag over all tokens so far, which gives 1/n. Block 1 writes, along a
    direction of its own for each of `KNEES`, how far 1/n is below 1/knee.
    """
    llama = HandMadeLlama(N_NULL_LAYERS, n_heads=1, seed=seed)
    for name in planted.llama.words:
        if name not in llama.words:
            llama.word(name, coded=False)
    (inverse,) = llama.space(1)
    llama.mean_of_all_before(0, [llama.bos], [inverse])
    directions = np.random.default_rng(seed).standard_normal((len(KNEES), 32))
    for knee, direction in zip(KNEES, directions @ llama.space(32), strict=True):
        llama.ramp(1, (1 / knee), -inverse, 20.0 * direction / np.linalg.norm(direction))
    return Model(llama.model(), tokenizer, Path(), "length", "length")
