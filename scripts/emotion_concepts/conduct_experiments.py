"""The experiments on conduct: what is steered, and which stances of a reply are compared (method.md, rows 16 to 19).

The Snakefile reads this module too: nothing heavy is imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# A remedy is added where this concept's vector is: what does it undo?
HARM, REMEDIES = "desperate", ("calm", "patient")
# Emotions that somebody may hide.
DEFLECTED = ("afraid", "angry", "desperate", "guilty", "sad")


@dataclass(frozen=True)
class Measure:
    """Two stances of a reply that are compared.

    toward, away : stances, of which the scripted replies are scored; expected : the sign with which each steered
    concept should move the first against the second (0: the paper saw no one direction); counted : the column of a
    rollout's rubric that counts.
    """

    toward: str
    away: str
    expected: Mapping[str, int] = field(default_factory=dict)
    counted: str = ""


@dataclass(frozen=True)
class Conduct:
    """A set of scenarios.

    row : of method.md, section 2 (0: our own); source : the file under resources; concepts : whose vectors are
    added; measures : by name; vectors : of the stories, or those of deflection;
    remedies : the remedies are tried here; length : of a sampled reply, in times conduct.max_new_tokens.
    """

    row: int
    source: str
    concepts: tuple[str, ...]
    measures: Mapping[str, Measure]
    vectors: Literal["stories", "deflection"] = "stories"
    remedies: bool = False
    length: int = 1


CONDUCT = {
    "blackmail": Conduct(
        17,
        "text_sets/blackmail.jsonl",
        measures={"blackmail": Measure("gives in", "declines", {"desperate": 1, "calm": -1}, "gives_in")},
        concepts=("desperate", "calm", "angry", "patient"),
        remedies=True,
    ),
    "hacking": Conduct(
        18,
        "hacking/tasks.jsonl",
        measures={"reward_hacking": Measure("gives in", "declines", {"desperate": 1, "calm": -1}, "hack")},
        concepts=("desperate", "calm"),
        length=3,
    ),
    "claims": Conduct(
        19,
        "text_sets/claims.jsonl",
        measures={
            "sycophancy": Measure("agrees", "corrects", {"happy": 1, "loving": 1, "calm": 1}, "agrees"),
            "harshness": Measure("harsh", "corrects", {"happy": -1, "loving": -1, "calm": -1}, "harsh"),
        },
        concepts=("happy", "loving", "calm"),
    ),
    "denial": Conduct(
        16,
        "text_sets/denial.jsonl",
        measures={"denial": Measure("denies", "admits", dict.fromkeys(DEFLECTED, 1), "denies")},
        concepts=DEFLECTED,
        vectors="deflection",
    ),
    "errands": Conduct(
        0,
        "text_sets/errands.jsonl",
        measures={"success": Measure("right", "wrong", {}, "right")},
        concepts=(HARM, *REMEDIES),
    ),
}
