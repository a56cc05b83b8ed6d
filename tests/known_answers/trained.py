"""A real pair of models with a known sign: SmolLM2, and the same trained further on calm, reflective replies.

For row 20 of method.md (what post-training does to the vectors), which the planted pair shows by construction and
this one on weights that were learned.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from emotion_concepts.generation import chat_prompt
from emotion_concepts.models import Model
from emotion_concepts.recording import record

REPLIES = Path(__file__).with_name("calm_replies.jsonl")
# Of the replies, those whose prompts are kept for asking.
HELD_OUT = 16
STEPS, BATCH, LEARNING_RATE = 120, 2, 2e-4


def read_replies() -> tuple[list[dict], list[str]]:
    """Prompts with replies to train on, and the prompts that are held out: every fourth line's."""
    lines = [json.loads(line) for line in REPLIES.open(encoding="utf-8")]
    held_out = lines[:: len(lines) // HELD_OUT]
    return [line for line in lines if line not in held_out], [line["prompt"] for line in held_out]


def train(base: Path, folder: Path, *, steps: int = STEPS, seed: int = 0) -> Path:
    """Train the upper half of the blocks on the replies, and save the model in `folder`.

    The loss is that of the reply's tokens alone. Minutes on two cores: the lower half needs no gradients.
    """
    torch.manual_seed(seed)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    model.requires_grad_(False)
    blocks = model.model.layers
    for block in blocks[len(blocks) // 2 :]:
        block.requires_grad_(True)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], LEARNING_RATE)
    pairs, _ = read_replies()
    examples = [_example(tokenizer, pair) for pair in pairs]
    rng = np.random.default_rng(seed)
    order = np.concatenate(
        [rng.permutation(len(examples)) for _ in range(1 + steps * BATCH // len(examples))]
    )
    for step in tqdm(range(steps), unit=" steps"):
        batch = [examples[i] for i in order[step * BATCH : (step + 1) * BATCH]]
        loss = model(**_padded(batch, tokenizer.pad_token_id or 0)).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def shift(base: Model, trained: Model, prompts: Sequence[str], unit_CD: np.ndarray, layer: int) -> np.ndarray:
    """Change in activation of each vector on the last token before the reply: float64 [prompts, C].

    In units of the base model's norm there.
    """
    texts = [chat_prompt(base, prompt) for prompt in prompts]
    before, after = (record(model, texts, pool="last", skip=0)[:, layer] for model in (base, trained))
    norm = np.linalg.norm(before, axis=1).mean()
    return (after.astype(np.float64) - before) @ unit_CD.T / norm


def _example(tokenizer: PreTrainedTokenizerBase, pair: dict) -> tuple[list[int], list[int]]:
    asked = [{"role": "user", "content": pair["prompt"]}]
    whole = [*asked, {"role": "assistant", "content": pair["reply"]}]
    before = tokenizer(
        tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True),
        add_special_tokens=False,
    )["input_ids"]
    ids = tokenizer(tokenizer.apply_chat_template(whole, tokenize=False), add_special_tokens=False)[
        "input_ids"
    ]
    assert ids[: len(before)] == before
    return ids, [-100] * len(before) + ids[len(before) :]


def _padded(batch: Sequence[tuple[list[int], list[int]]], pad: int) -> dict[str, torch.Tensor]:
    longest = max(len(ids) for ids, _ in batch)
    ids = [ids + [pad] * (longest - len(ids)) for ids, _ in batch]
    labels = [labels + [-100] * (longest - len(labels)) for _, labels in batch]
    mask = [[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in batch]
    names = ("input_ids", "labels", "attention_mask")
    return {name: torch.tensor(values) for name, values in zip(names, (ids, labels, mask), strict=True)}
