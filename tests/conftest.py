"""Tiny models made here, so that every test but the smoke run needs no download."""

import json
import os
from pathlib import Path

# Tests run on two workers (pyproject.toml): with more threads each, they would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from emotion_concepts import load_model
from emotion_concepts.vectors import EmotionVectors

ROOT = Path(__file__).parents[1]
TEXTS = [
    json.loads(line)["text"]
    for line in (ROOT / "resources/stories/tone.jsonl").read_text(encoding="utf-8").split("\n")[:40]
    if line
]


def pytest_collection_modifyitems(items):
    """Whole runs first, as they take longest; a file's tests stay on one worker, which makes what they share once."""
    items.sort(key=lambda item: "workflow" not in str(item.path))


def make_tokenizer(*, bos: bool = False, padding_side: str = "right") -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer trained on a few stories."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", padding_side=padding_side
    )


def make_model_folder(folder: Path, family: str = "llama", **tokenizer_options) -> Path:
    """A tiny randomly initialised model, saved as any other checkpoint."""
    tokenizer = make_tokenizer(**tokenizer_options)
    torch.manual_seed(0)
    if family == "llama":
        shape = LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=4,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024,
            bos_token_id=0, eos_token_id=1, initializer_range=0.3,
        )  # fmt: skip
        model = LlamaForCausalLM(shape)
    else:
        shape = GPT2Config(
            vocab_size=len(tokenizer), n_embd=32, n_layer=3, n_head=4, n_positions=1024, bos_token_id=0,
            eos_token_id=1, initializer_range=0.3,
        )  # fmt: skip
        model = GPT2LMHeadModel(shape)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def axes():
    """Of a figure of its own, which is none of pyplot's."""
    return Figure().add_subplot()


def legend_labels(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory) -> Path:
    return make_model_folder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_model(tiny_folder):
    return load_model(str(tiny_folder), dtype="float32")


@pytest.fixture
def tiny_vectors() -> EmotionVectors:
    """Random vectors of three concepts that fit the tiny model."""
    raw = np.random.default_rng(3).standard_normal((4, 3, 32)).astype(np.float32)
    return EmotionVectors(
        raw, raw * 0.5, ["afraid", "calm", "sad"], [0, 1, 2, 3], "tiny", "r1", {k: 2.0 + k for k in range(4)}
    )
