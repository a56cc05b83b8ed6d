"""Steer a prompt of your own toward a concept: what the model writes, beside what it writes unsteered.

Reads `model.json` and the vectors; prints both texts, each with its perplexity under the unsteered model.
"""

import sys
from pathlib import Path

from emotion_concepts.costs import repetition
from emotion_concepts.damage import perplexities
from emotion_concepts.entry import run_script
from emotion_concepts.generation import chat_prompt, generate
from emotion_concepts.models import open_described
from emotion_concepts.steering import Steering
from emotion_concepts.vectors import load_vectors


def main(
    model: Path, vectors: Path, concept: str, text: str, strength: float = 0.05, tokens: int = 60,
    form: str = "plain",
) -> None:  # fmt: skip
    """Continue `text` (with `form` chat: reply to it), unsteered and with `concept` at `strength`."""
    opened, known = open_described(model), load_vectors(vectors)
    steerings = [None, Steering(known, concept, strength)]
    prompt = chat_prompt(opened, text) if form == "chat" else text
    written = generate(opened, [prompt] * 2, steerings, max_new_tokens=tokens)
    costs = perplexities(opened, [prompt] * 2, written)
    for name, said, cost in zip(("unsteered", f"{concept} {strength}"), written, costs, strict=True):
        sys.stdout.write(
            f"--- {name} (perplexity {cost:.1f}, repetition {repetition(said):.2f})\n{said.strip()}\n\n"
        )


if __name__ == "__main__":
    run_script(main, globals())
