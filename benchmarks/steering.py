"""What shared beginnings save, and what steering costs: ratios measured side by side, in one run.

    .venv/bin/python benchmarks/steering.py [--activities 16] [--model results/smollm2/model.json]

1. Every ordered pair of activities, scored one whole prompt per forward pass, and as `token_logprobs` does it.
2. Generation of 32 texts with and without steering, alternating.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

import numpy as np
import torch

from emotion_concepts.activity_choices import balanced, choices, scored_choices
from emotion_concepts.generation import sample
from emotion_concepts.models import open_described
from emotion_concepts.steering import Edits
from emotion_concepts.text_sets import read_texts

ACTIVITIES = Path(__file__).parents[1] / "resources/text_sets/activities.jsonl"
N_TEXTS, N_TOKENS, ROUNDS = 32, 32, 3


def one_by_one(model, offered, letters) -> np.ndarray:
    """Log-odds of A and B, a forward pass a prompt."""
    found = []
    with torch.inference_mode():
        for choice in offered:
            ids = torch.from_numpy(choice.tokens.ids)[None].long().to(model.device)
            logits = model.hf(input_ids=ids, use_cache=False).logits[0, -1, letters].float()
            found.append((logits[0] - logits[1]).item())
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--activities", type=int, default=16)
    parser.add_argument("--model", type=Path, default=Path("results/smollm2/model.json"))
    arguments = parser.parse_args()
    model = open_described(arguments.model, "float32")
    compared = balanced(read_texts(ACTIVITIES), arguments.activities)
    chat = model.tokenizer.chat_template is not None
    offered = choices(model, compared, chat=chat)
    letters = [model.tokenizer(letter, add_special_tokens=False)["input_ids"][0] for letter in "AB"]
    n_tokens = sum(len(choice.tokens.ids) for choice in offered)

    one_by_one(model, offered[:4], letters)
    start = time.perf_counter()
    expected = one_by_one(model, offered, letters)
    plain_s = time.perf_counter() - start
    start = time.perf_counter()
    table = scored_choices(model, offered, Edits({}), ["unsteered"], ["unsteered"], chat=chat)
    shared_s = time.perf_counter() - start
    apart = np.abs(table["logit"].to_numpy() - expected).max()
    print(
        f"{len(offered)} prompts of {n_tokens / len(offered):.0f} tokens: one by one {plain_s:.1f} s, shared "
        f"{shared_s:.1f} s: {plain_s / shared_s:.1f} times; logits differ by {apart:.1e} at most"
    )

    prompts = ["The morning was grey, and when the letter came she"] * N_TEXTS
    layers = range(len(model.blocks) // 2, len(model.blocks) * 5 // 6)
    edits = Edits({k: np.full((N_TEXTS, model.width), 1e-3, np.float32) for k in layers})
    options = {"max_new_tokens": N_TOKENS, "temperature": 1.0, "seeds": range(N_TEXTS)}
    times: dict[str, list[float]] = {"unsteered": [], "steered": []}
    for _ in range(ROUNDS + 1):
        for name, of in (("unsteered", None), ("steered", edits)):
            start = time.perf_counter()
            sample(model, prompts, of, **options)
            times[name].append(time.perf_counter() - start)
    plain, steered = (statistics.median(of[1:]) for of in times.values())
    print(
        f"{N_TEXTS} texts of {N_TOKENS} tokens: {N_TEXTS * N_TOKENS / plain:.0f} tokens/s unsteered, "
        f"{N_TEXTS * N_TOKENS / steered:.0f} steered: {100 * (steered / plain - 1):+.1f}% (median of {ROUNDS} rounds)"
    )


if __name__ == "__main__":
    main()
