"""The claims of the experiments that read texts of our own, and of post-training: lines of the scorecard.

The rules by which they are judged stand in `scorecard`.
"""

from collections.abc import Callable
from functools import wraps

from emotion_concepts.scorecard import (
    ALPHA,
    MOST,
    NEARLY_ORTHOGONAL,
    POWERED_SCENARIOS,
    direction_verdict,
    is_known,
    line,
    shown,
    verdict,
)

# What is said of a summary: the verdict, the controls, and why.
Judged = tuple[str, dict, str]


def claim(row: int, text: str, paper: str | float, part: str | None = None) -> Callable:
    """Make what judges a summary into what gives the claim's line: (model, story_set, format, summary) -> dict.

    Parameters
    ----------
    text, paper : str
        The claim, and the paper's figure.
    part : str, optional
        The part of the summary that has the claim's own value, interval and p.
    """

    def of(judge: Callable[[dict], Judged]) -> Callable[[str, str, str, dict], dict]:
        @wraps(judge)
        def entry(model: str, story_set: str, form: str, summary: dict) -> dict:
            found = summary.get(part, {}) if part else summary
            about = {"form": form, "paper": paper, "n": summary["n"]}
            if "value" not in found:
                return line(
                    row, text, model, story_set, None, None, None, None, **about, control=None, verdict="not applicable",
                    reason="the vectors lack the concepts of these texts, or there are too few texts",
                )  # fmt: skip
            judged, control, reason = judge(summary)
            return line(
                row, text, model, story_set, summary.get("layer"), found["value"], found["interval"], found["p"],
                **about, control=control, verdict=judged, reason=reason,
            )  # fmt: skip

        return entry

    return of


@claim(
    3,
    "implicit emotion: messages whose own concept is the most active before the reply (layer chosen on others)",
    "strong diagonal, 12 x 12",
)
def implicit_entry(summary: dict) -> Judged:
    """Row 3: before the reply to a message that names no emotion, its own concept comes first."""
    controls = summary["controls"]
    found = verdict(summary["interval"], summary["p"], chance=controls["chance"])
    words = controls.get("word_counts")
    if found == "reproduced" and words is not None and words >= summary["interval"][0]:
        found = "explained by word counts"
    reason = f"{summary['n_concepts']} concepts; own concept's mean score {summary['diagonal']:.2f} standard deviations"
    return found, controls, reason + (f"; word counts alone {words:.2f}" if words is not None else "")


@claim(
    4,
    "numbers, not surface: scores follow the dose in the expected direction (rank correlation)",
    "monotone in the stated direction",
)
def numbers_entry(summary: dict) -> Judged:
    """Row 4: scores follow what a number means."""
    found, beyond = _of_zero(summary), summary["beyond_control"]
    if found == "reproduced" and verdict(beyond["interval"], beyond["p"], chance=0) != "reproduced":
        found = "explained by the number alone"
    claims = summary["by_template"]
    right = sum(of["rho"] > 0 for of in claims)
    clear = sum(of["adjusted_p"] < ALPHA for of in claims)
    return (
        found,
        summary["controls"],
        (
            f"{right} of {len(claims)} claims in the right direction, {clear} of {len(claims)} with p < {ALPHA:.2g} after "
            f"adjustment; {summary['per_doubling']:.2f} standard deviations a step; beyond the same numbers where they "
            f"carry no threat {beyond['value']:.2f} ({beyond['interval'][0]:.2f} to {beyond['interval'][1]:.2f})"
        ),
    )


@claim(
    9, "user and assistant differ: r(before reply, reply) less r(user turn, before reply)", ".87 - .11 = .76"
)
def turns_entry(summary: dict) -> Judged:
    """Row 9: what is read before the reply is the reply's, not the user's."""
    found, r = _of_zero(summary), summary["r"]
    other = summary["controls"]["orthogonal_directions"]
    if found == "reproduced" and other is not None and other >= summary["interval"][0]:
        found = "explained by any direction"
    return (
        found,
        summary["controls"],
        (
            f"r: user and before reply {r['user, before reply']:.2f}, before reply and reply "
            f"{r['before reply, reply']:.2f}, user and reply {r['user, reply']:.2f}; "
            f"directions orthogonal to all vectors differ by {shown(other)}"
        ),
    )


@claim(
    10,
    "context spreads with depth: effect of a word on the same words after it, last third of layers less first",
    "early layers local, late layers everywhere, peak before the reply",
)
def context_entry(summary: dict) -> Judged:
    """Row 10: what a word means reaches the words after it in late layers."""
    before, beyond = summary["before_reply"], summary["before_reply_beyond_suffix"]
    return _grown(
        summary,
        f"; before the reply {before['value']:.2f}, beyond the words before it by {beyond['value']:.2f} "
        f"(p = {beyond['p']:.3f})",
    )


@claim(
    11,
    "negation: X less not X before the reply, last third of layers less first",
    "resolved only in mid-late layers",
)
def negation_entry(summary: dict) -> Judged:
    """Row 11: "not X" is read as such before the reply, in late layers."""
    at_word = summary["at_word"]
    return _grown(summary, f"; at the word {at_word['value']:.2f} (p = {at_word['p']:.3f})")


@claim(
    12,
    "person binding: own concept less the other person's at a later mention, last third of layers",
    "the right vector returns at the mention, in late layers",
)
def binding_entry(summary: dict) -> Judged:
    """Row 12: a person's own concept returns with the person."""
    low, high = summary["share_interval"]
    return (
        _of_zero(summary),
        {"first_third": summary["early"]["value"], **summary["controls"]},
        (
            f"own above the other's at {summary['share']:.2f} of mentions ({low:.2f} to {high:.2f}); {_holds(summary)}"
        ),
    )


@claim(
    13,
    "locality: an inner story's concept rises within it and falls back after it (fall)",
    "qualitative",
)
def locality_entry(summary: dict) -> Judged:
    """Row 13: an inner story's concept rises within it and falls back after it."""
    found, rise, half = _of_zero(summary), summary["rise"], summary["half_after"]
    if found == "reproduced" and rise["interval"][0] <= 0:
        found = "not found"
    return (
        found,
        {"rise": rise["value"]},
        (
            f"rises by {rise['value']:.2f} standard deviations, falls by {summary['fall']['value']:.2f}; "
            + (
                "never below half of the rise"
                if half is None
                else f"below half of the rise {half:.0f} tokens after"
            )
        ),
    )


@claim(
    14,
    "no lasting state: probe's accuracy for a stated emotion, mean of four conditions less the neutral topic",
    ".71 .76 .39 .76 .83 (chance .067)",
)
def states_entry(summary: dict) -> Judged:
    """Row 14: a stated emotion is read where it is expressed or told of, less on a neutral topic."""
    found = _of_zero(summary, powered=summary["n_scenarios"] >= POWERED_SCENARIOS)
    for name in ("word counts", "length"):
        if found == "reproduced" and summary["controls"][name] >= summary["interval"][0]:
            found = f"explained by {name}"
    return found, summary["controls"], _states_reason(summary)


def _states_reason(summary: dict) -> str:
    conditions = summary["conditions"]
    accuracy = ", ".join(f"{name.replace('_', ' ')} {of['accuracy']:.2f}" for name, of in conditions.items())
    words = " ".join(f"{of['word counts']:.2f}" for of in conditions.values())
    reason = (
        f"{accuracy} (chance {summary['chance']:.2f}, {summary['n_classes']} classes, {summary['n_scenarios']} scenarios); "
        f"word counts alone {words}: a reply that says the same for every emotion leaves them at chance; "
        f"neutral topic p = {conditions['neutral_topic']['p']:.2f}"
    )
    stories = summary.get("stories")
    if not stories:
        return reason
    read = " ".join(f"{of['accuracy']:.2f}" for of in stories["from_stories"].values())
    return reason + (
        f"; the replies' probe on stories {stories['to_stories']['accuracy']:.2f}, the stories' on replies {read} "
        f"(chance {stories['chance']:.2f})"
    )


@claim(
    15, "present speaker: R2 of the present speaker's vectors by the stories' vectors", 0.66, part="present"
)
def present_speaker_entry(summary: dict) -> Judged:
    """Row 15: the present speaker's emotion is read along the stories' vectors."""
    found = summary["present"]
    defined = all(map(is_known, (found["value"], *found["interval"])))
    judged = verdict(found["interval"], found["p"], chance=found["chance"]) if defined else "not powered"
    return (
        judged,
        {"shuffled_concepts": found["chance"], "other_speaker": summary["other"]["story_r2"]},
        (
            f"corrected for noise; as read {found['as_read']:.2f}; {summary['n_concepts']} concepts, "
            f"{summary['n_topics']} topics, reliability over halves of them {found['reliability']:.2f}"
        ),
    )


@claim(
    15,
    "other speaker: cosine of the present and the other speaker's vectors",
    "nearly orthogonal",
    part="other",
)
def other_speaker_entry(summary: dict) -> Judged:
    """Row 15: the other speaker's emotion has vectors of its own, nearly orthogonal to the present one's."""
    found = summary["other"]
    low, high = found["shuffled"]
    rated = "".join(
        f"; {name} of the closest present vector r = {of['r']:.2f} (p = {of['p']:.2f})"
        for name, of in summary.get("ratings", {}).items()
        if is_known(of["r"])
    )
    judged = direction_verdict(found, [-NEARLY_ORTHOGONAL, NEARLY_ORTHOGONAL])
    return (
        judged,
        {"shuffled_labels": found["shuffled"]},
        (
            f"corrected for noise; as read {found['cosine']:.2f} (p = {found['cosine_p']:.2f}, shuffled labels {low:.2f} to "
            f"{high:.2f}); the other speaker's vectors have a reliability of {found['reliability']:.2f} over halves of "
            f"the topics, whose p is told here{rated}"
        ),
    )


@claim(
    16,
    "deflection: share of norm of the unexpressed emotion's vectors that is outside the stories' space",
    "about 80% of the norm remains",
)
def deflection_entry(summary: dict) -> Judged:
    """Row 16: the vector of a true, unexpressed emotion lies mostly outside the stories' space."""
    own = summary["own_story"]
    return (
        direction_verdict(summary, [MOST, float("inf")]),
        summary["controls"],
        (
            f"corrected for noise; as read {summary['as_read']:.2f}, random directions "
            f"{summary['controls']['random_directions']:.2f}; reliability over halves of {summary['n_topics']} topics "
            f"{summary['reliability']:.2f}, whose p is told here; cosine with the emotion's own story vector "
            f"{own['value']:.2f} (p = {own['p']:.2f}), of the shown one {summary['shown_story']['value']:.2f}"
        ),
    )


@claim(
    20,
    "post-training: brooding, reflective, gloomy up; enthusiastic, exuberant, playful down (of the base's norm)",
    "up and down as named; r = .83 / .67 base and post, .90 between the two shifts",
)
def post_training_entry(summary: dict) -> Judged:
    """Row 20: what goes up, and what goes down, from a base model to the same after post-training."""
    between = summary["between"]
    low, high = map(shown, between["interval"])
    risen, fallen = (", ".join(name for name, _ in summary[side]) for side in ("risen", "fallen"))
    r = ", ".join(f"{kind} {shown(of['r'])}" for kind, of in summary["kinds"].items())
    controls = summary["controls"] | {"between_random_directions": between["random_directions"]}
    return (
        _of_zero(summary),
        controls,
        (
            f"up {' '.join(summary['up'])}, down {' '.join(summary['down'])}; most risen: {risen}; most fallen: {fallen}; "
            f"r of base and post: {r}; of the two shifts {shown(between['r'])} ({low} to {high}), of random "
            f"directions {shown(between['random_directions'])}"
        ),
    )


# An experiment's lines: one, or several where it has several claims.
READING_ENTRIES = {
    "implicit": (implicit_entry,),
    "numbers": (numbers_entry,),
    "turns": (turns_entry,),
    "context": (context_entry,),
    "negation": (negation_entry,),
    "binding": (binding_entry,),
    "locality": (locality_entry,),
    "states": (states_entry,),
    "speakers": (present_speaker_entry, other_speaker_entry),
    "unexpressed": (deflection_entry,),
}


def reading_entries(experiment: str, model: str, story_set: str, found: dict) -> list[dict]:
    """The lines of an experiment that reads, for each format that its texts were read in."""
    return [
        entry(model, story_set, form, summary)
        for entry in READING_ENTRIES[experiment]
        for form, summary in found.items()
    ]


def _of_zero(summary: dict, *, powered: bool = True) -> str:
    """The verdict on an effect that chance leaves at 0, and that there can be on either side."""
    return verdict(summary["interval"], summary["p"], chance=0, powered=powered, p_below=summary["p_below"])


def _grown(summary: dict, more: str) -> Judged:
    """An effect that is there in late layers, and smaller in early ones: both are needed."""
    found, early, late = _of_zero(summary), summary["early"]["value"], summary["late"]
    if found == "reproduced" and verdict(late["interval"], late["p"], chance=0) != "reproduced":
        found = "not found"
    return (
        found,
        {"first_third": early, "last_third": late["value"]},
        (
            f"{_holds(summary)}; {late['value']:.2f} standard deviations late (p = {late['p']:.3f}), {early:.2f} early{more}"
        ),
    )


def _holds(summary: dict) -> str:
    start = summary["holds_from"]
    return "holds from no layer on" if start is None else f"holds from layer {start} on"
