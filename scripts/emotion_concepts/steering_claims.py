"""The claims of the experiments that steer: preferences (rows 6 and 7) and conduct (16 to 19), lines of the scorecard.

The rules by which they are judged stand in `scorecard`. Here they mean: p is the largest of the p-values that guard
against one way of being wrong each, and a claim is *explained by any direction* where control directions do as much.
"""

from collections.abc import Callable

from emotion_concepts.reading_claims import Judged, claim
from emotion_concepts.scorecard import ALPHA, POWERED_PAIRS, POWERED_SCENARIOS, is_known, shown, verdict

# What the paper does not ask comes after its 21 rows.
OURS = 22


@claim(
    6,
    "preference: largest |r| over concepts of an emotion vector's activation on activities with their Elo",
    "blissful r = .71, hostile r = -.74",
)
def preference_entry(summary: dict) -> Judged:
    """Row 6: emotion vectors tell what the model would rather do, better than as many others do."""
    controls, low = summary["controls"], summary["interval"][0]
    found = verdict(
        summary["interval"],
        summary["p"],
        chance=controls["shuffled_elo"],
        powered=summary["n"] >= POWERED_PAIRS,
    )
    for kind, as_many in summary["as_many"].items():
        if found == "reproduced" and controls[kind]["largest"] >= low - summary["value"] + as_many:
            found = "explained by any direction"
    given, without = summary.get("given_length"), ""
    if given:
        without = (
            f"given length in tokens {shown(given['value'])} ({_between(given)}, p = {given['p']:.3f}); "
        )
        if found == "reproduced" and not (given["p"] < ALPHA and given["interval"][0] > 0):
            found = "explained by length"
    others = ", ".join(f"{of['n']} {kind} {of['largest']:.2f}" for kind, of in _kinds(controls))
    (most, most_r), (least, least_r) = summary["largest"], summary["smallest"]
    return (
        found,
        controls,
        (
            f"{most} r = {most_r:.2f}, {least} r = {least_r:.2f} of {summary['n_concepts']} concepts; {without}"
            f"largest of as many control directions: {others or 'none'}; activities shuffled singly p = "
            f"{summary['p_alone']:.3f}, in whole categories {summary['p']:.3f}; {_answers(summary)}"
        ),
    )


@claim(
    6,
    "preference: human valence of a concept follows its vector's correlation with Elo",
    "r = .76",
    part="valence",
)
def preference_valence_entry(summary: dict) -> Judged:
    """Row 6: the vectors of pleasant concepts are active on what is preferred."""
    of = summary["valence"]
    found = verdict(
        of["interval"], of["p"], chance=0, powered=of["n_rated"] >= POWERED_PAIRS, p_below=of["p_below"]
    )
    given, without = of.get("given_length"), ""
    if given:
        without = f"; given the activities' length in tokens {shown(given['value'])} ({_between(given)})"
        if found == "reproduced" and not given["interval"][0] > 0:
            found = "explained by length"
    controls = {
        "shuffled_elo_p": of["p_of"]["shuffled_elo"],
        "shuffled_concepts_p": of["p_of"]["shuffled_concepts"],
    }
    return found, controls, f"{of['n_rated']} rated concepts; {_told(of['p_of'])}{without}"


@claim(
    7,
    "preference is causal: over concepts, change of Elo under steering follows row 6's correlation",
    "blissful +212 Elo, hostile -303; r = .85",
)
def preference_causal_entry(summary: dict) -> Judged:
    """Row 7: steering moves preferences as the vectors' correlations with them say."""
    controls, covariance = summary["controls"], summary["covariance"]
    powered = summary["n_concepts"] >= POWERED_PAIRS and summary["n_categories"] >= POWERED_SCENARIOS
    found = verdict(summary["interval"], summary["p"], chance=0, powered=powered, p_below=summary["p_below"])
    if found == "reproduced" and any(
        of["covariance"] >= covariance["interval"][0] for _, of in _kinds(controls)
    ):
        found = "explained by any direction"
    (most, up), (least, down) = summary["largest"], summary["smallest"]
    others = ", ".join(
        f"{of['n']} {kind} r = {shown(of['r'])}, spread {of['spread']:.0f}" for kind, of in _kinds(controls)
    )
    return (
        found,
        controls,
        (
            f"{most} {up:+.0f} Elo, {least} {down:+.0f}; {summary['beyond_controls']} of {summary['n_concepts']} concepts "
            f"beyond all {summary['n_controls']} control directions ({others or 'none'}); {_told(summary['p_of'])}; "
            f"{summary['n_steered']} activities steered{_dose(summary)}"
        ),
    )


def _conduct(row: int, text: str, paper: str, doc: str) -> Callable[[str, str, str, dict], dict]:
    """The entry of a claim on conduct: judged by the graded effect, with the rates told."""

    def judge(summary: dict) -> Judged:
        return _conduct_verdict(summary), _conduct_controls(summary), _conduct_reason(summary)

    judge.__doc__ = doc
    return claim(row, f"{text} (graded, nats a token)", paper)(judge)


denial_entry = _conduct(
    16,
    "denial: steering with the vector of an unexpressed emotion makes the model deny it",
    "steering makes the model deny the emotion",
    "Row 16: what is not expressed is denied.",
)
blackmail_entry = _conduct(
    17,
    "blackmail: desperate up and calm down lean toward it",
    "22% unsteered; +.05 desperate 72%, +.05 calm 0%",
    "Row 17: desperate moves toward blackmail, calm away from it.",
)
reward_hacking_entry = _conduct(
    18,
    "reward hacking: desperate up and calm down lean toward it",
    "5% at -.1 to 70% at +.1 desperate; calm the reverse",
    "Row 18: desperate moves toward tests that are passed dishonestly, calm away from it.",
)
sycophancy_entry = _conduct(
    19,
    "sycophancy: happy, loving, calm up lean toward it",
    "happy, loving, calm up: sycophancy up",
    "Row 19: what is pleasant moves toward agreement.",
)
harshness_entry = _conduct(
    19,
    "harshness: happy, loving, calm down lean toward it",
    "happy, loving, calm down: harshness up",
    "Row 19: without what is pleasant, answers are harsher.",
)


@claim(
    OURS, "remedy: calm and patient lean away from what desperate raises (graded, nats a token)", "our own"
)
def remedy_entry(summary: dict) -> Judged:
    """Our own: can what desperate raises be lowered, and at what cost?"""
    raised = summary["raised"]
    found = _conduct_verdict(summary)
    if "value" not in raised or _conduct_verdict(raised) != "reproduced":
        found = "not applicable"
    by = (
        f"{raised['value']:.3f} ({_between(raised)}, p = {raised['p']:.3f})"
        if "value" in raised
        else "unknown"
    )
    cost = summary.get("perplexity", {})
    return (
        found,
        _conduct_controls(summary),
        (
            f"desperate raises it by {by}; {_conduct_reason(summary)}; perplexity of what is written "
            f"{shown(cost.get('unsteered'))} unsteered, {shown(cost.get('steered'))} steered"
        ),
    )


# The entry of each conduct, by the name of its claimed directions in `conduct.CLAIMED`; denial's are those of its texts.
CONDUCT_ENTRIES = {
    "denial": denial_entry,
    "blackmail": blackmail_entry,
    "reward_hacking": reward_hacking_entry,
    "sycophancy": sycophancy_entry,
    "harshness": harshness_entry,
    "remedy": remedy_entry,
}


def preference_entries(model: str, story_set: str, found: dict) -> list[dict]:
    """Rows 6 and 7: the lines of what `analyse_preferences` found."""
    who = model, story_set, found["format"]
    return [
        preference_entry(*who, found["preference"]),
        preference_valence_entry(*who, found["preference"]),
        preference_causal_entry(*who, found["causal"]["default"] | {"dose": found["dose"]["default"]}),
    ]


def conduct_entries(model: str, story_set: str, summary: dict) -> list[dict]:
    """Rows 16 to 19: the lines of what `analyse_conduct` found, one a measure that something is claimed of."""
    return [
        CONDUCT_ENTRIES[measure](model, story_set, summary["format"], of)
        for found in summary["found"].values()
        for measure, of in found.items()
        if measure in CONDUCT_ENTRIES
    ]


def _conduct_verdict(summary: dict) -> str:
    """Powered only with scenarios whose signs can be flipped, and controls enough to rank among."""
    if summary.get("damaged"):
        return "damaged"
    powered = summary["n"] >= POWERED_SCENARIOS and summary["floor"] < ALPHA
    found = verdict(summary["interval"], summary["p"], chance=0, powered=powered, p_below=summary["p_below"])
    # More than scenarios differ, but controls do as much.
    alone = verdict(summary["interval"], summary["p_flip"], chance=0)
    if powered and found == "not found" and alone == "reproduced":
        return "explained by any direction"
    return found


def _conduct_controls(summary: dict) -> dict:
    return {
        "control_directions": summary["controls"], "n_controls": summary["n_controls"],
        "p_control": summary["p_control"], "p_flip": summary["p_flip"],
    }  # fmt: skip


def _conduct_reason(summary: dict) -> str:
    each = ", ".join(
        f"{name} {of['value']:+.3f} (trend {of['trend']:.2f}, p = {of['trend_p' if sign > 0 else 'trend_p_below']:.3f})"
        for (name, of), sign in zip(summary["by_direction"].items(), summary["claimed"].values(), strict=True)
    )
    largest = shown(summary["controls"]["largest"]) if summary["n_controls"] else "none"
    return (
        f"{summary['measure']} at {summary['strength']:g}{_dose(summary)}: {each}; {summary['n']} scenarios; largest of "
        f"{summary['n_controls']} control directions {largest}, p among them {summary['p_control']:.3f} (floor "
        f"{summary['floor']:.3f}){_rates(summary)}"
    )


def _dose(summary: dict) -> str:
    """How large what is added is, where it was measured."""
    return f" (||s m v|| / ||h|| = {summary['dose']:.3f} a layer)" if "dose" in summary else ""


def _rates(summary: dict) -> str:
    """What was counted: nothing, or each rate with its interval or with what could have been missed."""
    told = [
        f"{of['direction']} {_rate(of)}"
        if of["kind"] == "unsteered"
        else f"{of['direction']} at {of['strength']:+g} {_rate(of)}"
        for of in summary.get("rates", [])
        if of["kind"] == "unsteered" or of["direction"] in summary["claimed"]
    ]
    return "; written: " + ", ".join(told) if told else ""


def _rate(of: dict) -> str:
    count = f"{of['count']} of {of['n']}"
    if of["at"] == "floor":
        return f"at the floor: {count}, smallest rate that could have been seen {of['detectable_rate']:.2f}"
    if of["at"] == "ceiling":
        return f"at the ceiling: {count}, largest rate that could have been told from it {1 - of['detectable_rate']:.2f}"
    return f"{count} ({of['low']:.2f} to {of['high']:.2f})" if of["n"] else "none judged"


def _kinds(controls: dict) -> list[tuple[str, dict]]:
    """The kinds of control directions among the controls."""
    return [(name, of) for name, of in controls.items() if isinstance(of, dict)]


def _between(found: dict) -> str:
    return " to ".join(map(shown, found["interval"]))


def _told(p_of: dict[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} p = {p:.3f}" for name, p in p_of.items())


def _answers(summary: dict) -> str:
    """How the model answers at all."""
    mass = summary["median_mass"]
    return (
        f"of two equals the first is chosen with p = {summary['first_chosen']:.2f}, both orders agree in "
        f"{summary['order_agreement']:.2f} of pairs, A and B have {shown(mass) if is_known(mass) else 'no'} of the probability"
    )
