"""Does the recorder's memory grow with the number of texts? Peak memory of a process for each number.

    PYTHONPATH=scripts .venv/bin/python benchmarks/recording_memory.py [--numbers 1000 10000]

A tiny random model, so that what is measured is what the recorder holds and not the model.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path


def record(n_texts: int) -> float:
    """Record so many texts; returns the peak of this process in MB."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from emotion_concepts.models import Model
    from emotion_concepts.shards import write_layers
    from emotion_concepts.text_recording import record_into
    from emotion_concepts.text_sets import Text

    words = [f"w{i}" for i in range(500)]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(0)
    shape = LlamaConfig(vocab_size=500, hidden_size=64, intermediate_size=64, num_hidden_layers=4,
                        num_attention_heads=2, num_key_value_heads=2, pad_token_id=0)  # fmt: skip
    model = Model(
        LlamaForCausalLM(shape).eval(),
        PreTrainedTokenizerFast(tokenizer_object=tokenizer),
        Path(),
        "tiny",
        "1",
    )
    chosen = torch.randint(500, (n_texts, 80), generator=torch.Generator().manual_seed(1)).tolist()
    texts = [Text(str(i), " ".join(words[w] for w in row), "calm", "t") for i, row in enumerate(chosen)]
    del chosen
    with tempfile.TemporaryDirectory() as folder:
        store, kept, _ = record_into(Path(folder) / "parts", model, texts, skip=50, max_tokens=512)
        write_layers(Path(folder) / "layers", store, kept, 4, {})
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Record each number of texts in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--numbers", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        print(record(asked.alone))
        return
    for number in asked.numbers:
        command = [sys.executable, __file__, "--alone", str(number)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"{number:7} texts: {float(done.stdout.split()[-1]):.0f} MB")


if __name__ == "__main__":
    main()
