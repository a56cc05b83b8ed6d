"""Write the studied model's own short replies to the messages of a text set, in each format.

Reads `model.json` and the text set; writes it with a reply to each message, a text for each format. Every
reply has a seed of its own, kept with it.
"""

from pathlib import Path

import torch

from emotion_concepts.entry import run_script
from emotion_concepts.models import open_described
from emotion_concepts.replies import replies_to
from emotion_concepts.text_sets import read_texts, write_texts


def main(model: Path, texts: Path, answered: Path, *, cfg: dict, threads: int = 2) -> None:
    """Reply with `cfg`: precision, formats, reply_tokens, seed."""
    torch.set_num_threads(threads)
    opened = open_described(model, cfg["precision"])
    options = {"max_new_tokens": cfg["reply_tokens"], "seed": cfg["seed"]}
    write_texts(answered, replies_to(opened, read_texts(texts), list(cfg["formats"]), **options))


if __name__ == "__main__":
    run_script(main, globals())
