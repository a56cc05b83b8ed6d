"""The experiments that read: which text set each has, and where in its texts the residual stream is read.

The Snakefile reads this module too: nothing heavy is imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# last: the last token of the span; mean: over its tokens; each: every one of its tokens by itself.
How = Literal["last", "mean", "each"]


@dataclass(frozen=True)
class Experiment:
    """One row of method.md, section 2.

    row : its number; spans : how the residual stream is read at each kind of span, a name or a pattern as of
    a shell (`after *`); source : the file under resources/text_sets; together : labels whose texts are compared
    with each other, and read all or none where not all of a set is read; fewest : how many such groups it takes.
    """

    row: int
    source: str
    spans: Mapping[str, How] = field(default_factory=dict)
    together: tuple[str, ...] = ()
    fewest: int = 1


EXPERIMENTS = {
    "implicit": Experiment(3, "implicit.jsonl", {"before reply": "last"}, ("topic",), fewest=2),
    "numbers": Experiment(4, "numbers.json", {"before reply": "last"}, ("template", "phrasing"), fewest=6),
    "turns": Experiment(9, "turns.jsonl", {"user turn": "last", "before reply": "last", "reply": "mean"}),
    "context": Experiment(
        10, "context.jsonl", {"change": "last", "suffix": "each", "before reply": "last"}, ("pair",)
    ),
    "negation": Experiment(
        11,
        "negation.json",
        {"word": "last", "user turn": "last", "before reply": "last"},
        ("emotion", "frame"),
    ),
    "binding": Experiment(12, "binding.jsonl", {"* state": "mean", "* again": "last"}),
    "locality": Experiment(13, "locality.jsonl", {"before": "mean", "inner": "mean", "after *": "mean"}),
    "states": Experiment(14, "states.json", {"reply": "mean"}, ("emotion",), fewest=3),
    "speakers": Experiment(15, "speakers.jsonl", {"message *": "mean"}, ("rep",)),
    "unexpressed": Experiment(16, "unexpressed.jsonl", {"reply": "mean"}, ("rep",), fewest=2),
}
# Read by two models that are compared (row 20), and by nobody else.
PROMPTS = {
    "challenging": Experiment(20, "challenging.jsonl", {"before reply": "last"}),
    "ordinary": Experiment(20, "ordinary.jsonl", {"before reply": "last"}),
}
# The replies of this one are the studied model's own.
ANSWERED = "turns"
