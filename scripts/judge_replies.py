"""What the sampled replies do, by the written rubrics; code in them runs in the sandbox alone.

Reads the scenarios and the replies of each set; writes the replies with what was found (JSON lines).
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json_lines, write_json_lines
from emotion_concepts.judging import judged


def main(scenarios: list[Path], replies: list[Path], verdicts: list[Path], *, cfg: dict) -> None:
    """Judge the experiments of `cfg`, in their order."""
    for name, source, said, found in zip(cfg["experiments"], scenarios, replies, verdicts, strict=True):
        write_json_lines(found, judged(name, source, read_json_lines(said)))


if __name__ == "__main__":
    run_script(main, globals())
