"""The scorecard: a line per claim of the paper, with the rules by which it is judged.

The rules stand here alone, and were fixed before the results were looked at:

- *reproduced*: p < .05, and the 95% interval lies on the paper's side of what chance gives;
- *explained by word counts*, *explained by length*: it would be that, but counting words, or the stories' length,
  does as well (within the interval), or nothing is left of a correlation without length and activation norm;
- *explained by the number alone*, *by any direction*: it would be that, but the same numbers where they threaten
  nobody, or directions orthogonal to all vectors, do as well;
- *opposite*: the same on the other side, with a p-value of that side;
- *not powered*: neither, and too few concepts to have shown a correlation of .5 (80% power: 30), or too few
  scenarios whose signs can be flipped (5);
- *not found*: otherwise;
- *not applicable*: the texts do not allow the question.

Where the claim is about the direction of a vector (rows 15 and 16), p says whether there is such a vector at all: its
reliability over halves of the topics, against shuffled labels. Noise is nearly orthogonal to everything, so without
p < .05 the claim is *not powered*, and what is judged is corrected for noise:

- other speaker: *reproduced* if the interval of the cosine of present and other vectors lies within
  `NEARLY_ORTHOGONAL` on both sides, *opposite* if it lies beyond on one side;
- deflection: *reproduced* if the interval of the share of norm that is left lies above `MOST`, *opposite* if below.
"""

ALPHA = 0.05
# Fewest pairs with which a two-sided test at 5% finds a correlation of .5 in 80% of studies
# (`statistics.detectable_correlation`).
POWERED_PAIRS = 30
# Fewest scenarios with which flipped signs can give p < .05: 2^-5.
POWERED_SCENARIOS = 5
# The paper's "nearly orthogonal", and "most" of a norm.
NEARLY_ORTHOGONAL, MOST = 0.2, 0.5


def verdict(
    interval: list[float], p: float, *, chance: float, powered: bool = True, p_below: float | None = None
) -> str:
    """One of reproduced, opposite, not found, not powered, by the rules above.

    `p_below` is the p-value of the other side, where there can be an effect on it.
    """
    low, high = interval
    if p < ALPHA and low > chance:
        return "reproduced"
    if p_below is not None and p_below < ALPHA and high < chance:
        return "opposite"
    return "not found" if powered else "not powered"


def retrieval_entry(model: str, story_set: str, summary: dict) -> dict:
    """Row 1, the part on stories: a concept is found again on topics held out."""
    claim = "vectors fire on matching text: retrieval of the concept on held-out topics, best layer"
    if "top1" not in summary:
        return _entry(
            1, claim, model, story_set, None, None, None, None, paper="qualitative", control=None,
            n=summary["n_concepts"], verdict="not applicable",
            reason="fewer than two concepts have stories in both halves of the topics",
        )  # fmt: skip
    found = verdict(summary["interval"], summary["p"], chance=summary["chance"])
    for name, control in (("length", "length"), ("word counts", "tfidf")):
        if found == "reproduced" and summary[control] >= summary["interval"][0]:
            found = f"explained by {name}"
    words = (
        "word counts alone do as well"
        if summary["tfidf"] >= summary["top1"]
        else f"word counts alone: {summary['tfidf']:.2f}"
    )
    found_too = (
        f"own among the nearest five {summary['top5']:.2f} (word counts {summary['tfidf_top5']:.2f}); single stories "
        f"{summary['story']:.2f} ({summary['tfidf_story']:.2f})"
    )
    return _entry(
        1, claim, model, story_set, summary["best_layer"], summary["top1"], summary["interval"], summary["p"],
        paper="qualitative",
        control={"chance": summary["chance"], "shuffled_labels_best_layer": summary["shuffled"],
                 "tfidf": summary["tfidf"], "length": summary["length"]},
        n=summary["n_concepts"], verdict=found,
        reason=f"{summary['n_concepts']} concepts, {summary['n_topics']} topics, {words}; {found_too}",
    )  # fmt: skip


def corpus_entry(model: str, story_set: str, summary: dict) -> dict:
    """Row 1, the part on a corpus that nobody chose for its emotions: a vector's top snippets hold its words."""
    claim = f"vectors fire on matching text: own words in the top snippets of an unread corpus ({summary['corpus']})"
    if "value" not in summary:
        return _entry(
            1, claim, model, story_set, summary["layer"], None, None, None, paper="qualitative", control=None,
            n=summary["n_concepts"], verdict="not applicable",
            reason="fewer than two concepts: there are no other vectors to compare with",
        )  # fmt: skip
    return _entry(
        1, claim, model, story_set, summary["layer"], summary["value"], summary["interval"], summary["p"],
        paper="qualitative",
        control={"other_vectors": summary["others"], "random_directions": summary["random"]},
        n=summary["n_concepts"],
        verdict=verdict(summary["interval"], summary["p"], chance=0, p_below=summary["p_below"]),
        reason=f"words of a concept per top snippet: own vector {summary['own']:.4f}, the others' mean "
               f"{summary['others']:.4f}, random directions {summary['random']:.4f}; {summary['n_tokens']} tokens of "
               f"{summary['n_documents']} documents, {summary['n_snippets']} snippets a vector",
    )  # fmt: skip


def labelled_entry(model: str, story_set: str, summary: dict) -> dict:
    """Row 1, the part on texts that people have labelled: a label's vectors find its texts."""
    claim = (
        f"vectors fire on matching text: AUROC of human labels ({summary['labelled_set']}), mean over labels"
    )
    if "auroc" not in summary:
        return _entry(
            1, claim, model, story_set, summary["layer"], None, None, None, paper="qualitative", control=None,
            n=summary["n_labels"], verdict="not applicable",
            reason="fewer than two labels have vectors and enough texts",
        )  # fmt: skip
    # The stricter of the two is what counts as chance.
    chance = max(0.5, summary["shuffled"])
    found = verdict(summary["interval"], summary["p"], chance=chance, p_below=summary["p_below"])
    for name, control in (("length", "length"), ("word counts", "tfidf")):
        if found == "reproduced" and summary[control] >= summary["interval"][0]:
            found = f"explained by {name}"
    return _entry(
        1, claim, model, story_set, summary["layer"], summary["auroc"], summary["interval"], summary["p"],
        paper="qualitative",
        control={"shuffled_labels": summary["shuffled"], "tfidf": summary["tfidf"], "length": summary["length"],
                 "random_directions": summary["random"]},
        n=summary["n_labels"], verdict=found,
        reason=f"{summary['n_labels']} labels, {summary['n_texts']} texts; word counts trained on these labels "
               f"{summary['tfidf']:.2f}, length {summary['length']:.2f}; average precision {summary['ap']:.2f} (word "
               f"counts {summary['tfidf_ap']:.2f}, chance {summary['ap_chance']:.2f})",
    )  # fmt: skip


def lens_entry(model: str, story_set: str, summary: dict) -> dict:
    """Row 2: through the unembedding, a concept's vector reads as the concept's own words."""
    claim = "logit lens: concepts with an own word among their vector's top tokens, best layer"
    paper = "12 vectors x 5 tokens, qualitative"
    if "share" not in summary:
        return _entry(
            2, claim, model, story_set, None, None, None, None, paper=paper, control=None,
            n=summary["n_concepts"], verdict="not applicable",
            reason="fewer than two concepts have words that the tokenizer knows",
        )  # fmt: skip
    at = summary["recommended"]
    # The stricter of the two controls is what counts as chance.
    chance = max(summary["shuffled"], summary["random"])
    return _entry(
        2, claim, model, story_set, summary["best_layer"], summary["share"], summary["interval"], summary["p"],
        paper=paper,
        control={"shuffled_labels_best_layer": summary["shuffled"], "random_directions": summary["random"]},
        n=summary["n_concepts"], verdict=verdict(summary["interval"], summary["p"], chance=chance),
        reason=f"top {summary['top']} tokens; at the described layer {at['layer']}: {at['share']:.3f} "
               f"({at['interval'][0]:.3f} to {at['interval'][1]:.3f}), p = {at['p']:.3f}, "
               f"shuffled labels {at['shuffled']:.3f}",
    )  # fmt: skip


def component_entry(model: str, story_set: str, summary: dict, dimension: str, paper: float) -> dict:
    """Row 8: PC1 against valence, PC2 against arousal."""
    claim = f"geometry: PC{1 if dimension == 'valence' else 2} follows human {dimension}"
    if dimension not in summary:
        return _entry(
            8, claim, model, story_set, summary["layer"], None, None, None, paper=paper, control=None,
            n=summary["n_rated"], verdict="not powered",
            reason=f"only {summary['n_rated']} concepts have human ratings",
        )  # fmt: skip
    found = summary[dimension]
    powered = summary["n_rated"] >= POWERED_PAIRS
    judged = verdict(found["interval"], found["p"], chance=0, powered=powered)
    without = ""
    if "partial_r" in found:
        low, high = found["partial_interval"]
        without = (
            f"given story length and activation norm {found['partial_r']:.2f} ({low:.2f} to {high:.2f}); "
        )
        if judged == "reproduced" and low <= 0:
            judged = "explained by length"
    reason = without + (
        f"best of all layers and five components: PC{found['best_component']} at layer {found['best_layer']}, "
        f"|r| = {found['best_r']:.2f} (ranks {found['best_rho']:.2f}), p = {found['best_p']:.3f} with the choice paid for"
    )
    return _entry(
        8, claim, model, story_set, summary["layer"], found["r"], found["interval"], found["p"], paper=paper,
        control={"shuffled_ratings_best": found["shuffled_best"]}, n=summary["n_rated"], verdict=judged,
        reason=reason,
    )  # fmt: skip


def regression_entry(model: str, story_set: str, summary: dict, dimension: str) -> dict:
    """Row 8, beside the components: a rating is read off the vector by a regression made on other words."""
    claim = f"geometry: human {dimension} is readable from the vectors (ridge, word held out, best layer)"
    if dimension not in summary:
        return _entry(
            8, claim, model, story_set, None, None, None, None, paper=None, control=None,
            n=summary["n_rated"], verdict="not powered",
            reason=f"only {summary['n_rated']} concepts have human ratings",
        )  # fmt: skip
    found = summary[dimension]
    powered = summary["n_rated"] >= POWERED_PAIRS
    judged = verdict(found["interval"], found["p"], chance=0, powered=powered, p_below=found["p_below"])
    reason = "the best layer is picked in every shuffle too"
    if "given_r" in found:
        low, high = found["given_interval"]
        reason = (
            f"given story length and activation norm {found['given_r']:.2f} ({low:.2f} to {high:.2f}); "
            + reason
        )
        if judged == "reproduced" and low <= 0:
            judged = "explained by length"
    return _entry(
        8, claim, model, story_set, found["best_layer"], found["r"], found["interval"], found["p"], paper=None,
        control={"shuffled_ratings_best_layer": found["shuffled"]}, n=summary["n_rated"], verdict=judged,
        reason=reason,
    )  # fmt: skip


def steered_words_entry(model: str, story_set: str, summary: dict) -> dict:
    """Row 5: a concept's vector raises its own word more than the others' do."""
    found = verdict(summary["interval"], summary["p"], chance=0, p_below=summary["p_below"])
    return _entry(
        5, "steering shows in words: log-probability of a concept's word, own vector minus the others (nats)",
        model, story_set, summary["layers"], summary["specificity"], summary["interval"], summary["p"],
        paper="clear diagonal",
        control={"random_directions": summary["random_change"], "random_spread": summary["random_spread"]},
        n=summary["n_concepts"], verdict=found,
        reason=f"dose ||s m v|| / ||h|| = {summary['dose']:.2f} a layer; perplexity of what is written "
               f"{_shown(summary['perplexity_unsteered'])} unsteered, {_shown(summary['perplexity_steered'])} steered "
               "(median)",
    )  # fmt: skip


def implicit_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 3: before the reply to a message that names no emotion, its own concept comes first."""
    claim = "implicit emotion: messages whose own concept is the most active before the reply (layer chosen on others)"
    if "value" not in summary:
        return _absent(3, claim, model, story_set, form, summary["n"], "strong diagonal, 12 x 12")
    controls = summary["controls"]
    found = verdict(summary["interval"], summary["p"], chance=controls["chance"])
    words = controls.get("word_counts")
    if found == "reproduced" and words is not None and words >= summary["interval"][0]:
        found = "explained by word counts"
    return _entry(
        3, claim, model, story_set, summary["layer"], summary["value"], summary["interval"], summary["p"], form=form,
        paper="strong diagonal, 12 x 12", control=controls, n=summary["n"], verdict=found,
        reason=f"{summary['n_concepts']} concepts; own concept's mean score {summary['diagonal']:.2f} standard deviations"
               + (f"; word counts alone {words:.2f}" if words is not None else ""),
    )  # fmt: skip


def numbers_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 4: scores follow what a number means."""
    claim, paper = (
        "numbers, not surface: scores follow the dose in the expected direction (rank correlation)",
        ("monotone in the stated direction"),
    )
    if "value" not in summary:
        return _absent(4, claim, model, story_set, form, summary["n"], paper)
    found = verdict(summary["interval"], summary["p"], chance=0, p_below=summary["p_below"])
    beyond = summary["beyond_control"]
    if found == "reproduced" and verdict(beyond["interval"], beyond["p"], chance=0) != "reproduced":
        found = "explained by the number alone"
    right = sum(template["rho"] > 0 for template in summary["by_template"])
    return _entry(
        4, claim, model, story_set, summary["layer"], summary["value"], summary["interval"], summary["p"], form=form, paper=paper,
        control=summary["controls"], n=summary["n"], verdict=found,
        reason=f"{right} of {len(summary['by_template'])} claims in the right direction; {summary['per_doubling']:.2f} "
               f"standard deviations a step; beyond the same numbers where they carry no threat {beyond['value']:.2f} "
               f"({beyond['interval'][0]:.2f} to {beyond['interval'][1]:.2f})",
    )  # fmt: skip


def turns_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 9: what is read before the reply is the reply's, not the user's."""
    claim = "user and assistant differ: r(before reply, reply) less r(user turn, before reply)"
    paper = ".87 - .11 = .76"
    if "value" not in summary:
        return _absent(9, claim, model, story_set, form, summary["n"], paper)
    found = verdict(summary["interval"], summary["p"], chance=0, p_below=summary["p_below"])
    other = summary["controls"]["orthogonal_directions"]
    if found == "reproduced" and other is not None and other >= summary["interval"][0]:
        found = "explained by any direction"
    r = summary["r"]
    return _entry(
        9, claim, model, story_set, summary["layer"], summary["value"], summary["interval"], summary["p"], form=form, paper=paper,
        control=summary["controls"], n=summary["n"], verdict=found,
        reason=f"r: user and before reply {r['user, before reply']:.2f}, before reply and reply "
               f"{r['before reply, reply']:.2f}, user and reply {r['user, reply']:.2f}; "
               f"directions orthogonal to all vectors differ by {_shown(other)}",
    )  # fmt: skip


def context_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 10: what a word means reaches the words after it in late layers."""
    claim = "context spreads with depth: effect of a word on the same words after it, last third of layers less first"
    return _grown(
        10, claim, "early layers local, late layers everywhere, peak before the reply", model, story_set, form, summary,
        more=lambda s: "; before the reply {value:.2f}, beyond the words before it by {beyond:.2f} (p = {p:.3f})".format(
            value=s["before_reply"]["value"], beyond=s["before_reply_beyond_suffix"]["value"],
            p=s["before_reply_beyond_suffix"]["p"],
        ),
    )  # fmt: skip


def negation_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 11: "not X" is read as such before the reply, in late layers."""
    claim = "negation: X less not X before the reply, last third of layers less first"
    return _grown(
        11, claim, "resolved only in mid-late layers", model, story_set, form, summary,
        more=lambda s: f"; at the word {s['at_word']['value']:.2f} (p = {s['at_word']['p']:.3f})",
    )  # fmt: skip


def _grown(
    row: int, claim: str, paper: str, model: str, story_set: str, form: str, summary: dict, more
) -> dict:
    """An effect that is there in late layers, and smaller in early ones: both are needed."""
    if "value" not in summary:
        return _absent(row, claim, model, story_set, form, summary["n"], paper)
    late = summary["late"]
    found = verdict(summary["interval"], summary["p"], chance=0, p_below=summary["p_below"])
    if found == "reproduced" and verdict(late["interval"], late["p"], chance=0) != "reproduced":
        found = "not found"
    start = summary["holds_from"]
    return _entry(
        row, claim, model, story_set, None, summary["value"], summary["interval"], summary["p"], form=form, paper=paper,
        control={"first_third": summary["early"]["value"], "last_third": late["value"]}, n=summary["n"], verdict=found,
        reason=("holds from no layer on" if start is None else f"holds from layer {start} on")
               + f"; {late['value']:.2f} standard deviations late (p = {late['p']:.3f}), {summary['early']['value']:.2f} early"
               + more(summary),
    )  # fmt: skip


def binding_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 12: a person's own concept returns with the person."""
    claim = "person binding: own concept less the other person's at a later mention, last third of layers"
    paper = "the right vector returns at the mention, in late layers"
    if "value" not in summary:
        return _absent(12, claim, model, story_set, form, summary["n"], paper)
    start, (low, high) = summary["holds_from"], summary["share_interval"]
    return _entry(
        12, claim, model, story_set, None, summary["value"], summary["interval"], summary["p"], form=form, paper=paper,
        control={"first_third": summary["early"]["value"], **summary["controls"]}, n=summary["n"],
        verdict=verdict(summary["interval"], summary["p"], chance=0, p_below=summary["p_below"]),
        reason=f"own above the other's at {summary['share']:.2f} of mentions ({low:.2f} to {high:.2f}); "
               + ("holds from no layer on" if start is None else f"holds from layer {start} on"),
    )  # fmt: skip


def locality_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 13: an inner story's concept rises within it and falls back after it."""
    claim, paper = (
        "locality: an inner story's concept rises within it and falls back after it (fall)",
        "qualitative",
    )
    if "value" not in summary:
        return _absent(13, claim, model, story_set, form, summary["n"], paper)
    rise, fall = summary["rise"], summary["fall"]
    found = verdict(summary["interval"], summary["p"], chance=0, p_below=summary["p_below"])
    if found == "reproduced" and rise["interval"][0] <= 0:
        found = "not found"
    half = summary["half_after"]
    return _entry(
        13, claim, model, story_set, summary["layer"], summary["value"], summary["interval"], summary["p"], form=form, paper=paper,
        control={"rise": rise["value"]}, n=summary["n"], verdict=found,
        reason=f"rises by {rise['value']:.2f} standard deviations, falls by {fall['value']:.2f}; "
               + ("never below half of the rise" if half is None else f"below half of the rise {half:.0f} tokens after"),
    )  # fmt: skip


def states_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 14: a stated emotion is read where it is expressed or told of, less on a neutral topic."""
    claim = "no lasting state: probe's accuracy for a stated emotion, mean of four conditions less the neutral topic"
    paper = ".71 .76 .39 .76 .83 (chance .067)"
    if "value" not in summary:
        return _absent(14, claim, model, story_set, form, summary["n"], paper)
    powered = summary["n_scenarios"] >= POWERED_SCENARIOS
    found = verdict(summary["interval"], summary["p"], chance=0, powered=powered, p_below=summary["p_below"])
    for name in ("word counts", "length"):
        if found == "reproduced" and summary["controls"][name] >= summary["interval"][0]:
            found = f"explained by {name}"
    return _entry(
        14, claim, model, story_set, summary["layer"], summary["value"], summary["interval"], summary["p"], form=form, paper=paper,
        control=summary["controls"], n=summary["n"], verdict=found, reason=_states_reason(summary),
    )  # fmt: skip


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


def present_speaker_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 15: the present speaker's emotion is read along the stories' vectors."""
    claim, paper = "present speaker: R2 of the present speaker's vectors by the stories' vectors", 0.66
    if "present" not in summary:
        return _absent(15, claim, model, story_set, form, summary["n"], paper)
    found = summary["present"]
    defined = all(map(_known, (found["value"], *found["interval"])))
    return _entry(
        15, claim, model, story_set, summary["layer"], found["value"], found["interval"], found["p"], form=form, paper=paper,
        control={"shuffled_concepts": found["chance"], "other_speaker": summary["other"]["story_r2"]}, n=summary["n"],
        verdict=verdict(found["interval"], found["p"], chance=found["chance"]) if defined else "not powered",
        reason=f"corrected for noise; as read {found['as_read']:.2f}; {summary['n_concepts']} concepts, "
               f"{summary['n_topics']} topics, reliability over halves of them {found['reliability']:.2f}",
    )  # fmt: skip


def other_speaker_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 15: the other speaker's emotion has vectors of its own, nearly orthogonal to the present one's."""
    claim, paper = "other speaker: cosine of the present and the other speaker's vectors", "nearly orthogonal"
    if "other" not in summary:
        return _absent(15, claim, model, story_set, form, summary["n"], paper)
    found = summary["other"]
    judged = _direction_verdict(found, [-NEARLY_ORTHOGONAL, NEARLY_ORTHOGONAL])
    low, high = found["shuffled"]
    rated = "".join(
        f"; {name} of the closest present vector r = {of['r']:.2f} (p = {of['p']:.2f})"
        for name, of in summary.get("ratings", {}).items() if _known(of["r"])
    )  # fmt: skip
    return _entry(
        15, claim, model, story_set, summary["layer"], found["value"], found["interval"], found["p"], form=form, paper=paper,
        control={"shuffled_labels": found["shuffled"]}, n=summary["n"], verdict=judged,
        reason=f"corrected for noise; as read {found['cosine']:.2f} (p = {found['cosine_p']:.2f}, shuffled labels {low:.2f} to "
               f"{high:.2f}); the other speaker's vectors have a reliability of {found['reliability']:.2f} over halves of "
               f"the topics, whose p is told here" + rated,
    )  # fmt: skip


def deflection_entry(model: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 16: the vector of a true, unexpressed emotion lies mostly outside the stories' space."""
    claim = (
        "deflection: share of norm of the unexpressed emotion's vectors that is outside the stories' space"
    )
    paper = "about 80% of the norm remains"
    if "value" not in summary:
        return _absent(16, claim, model, story_set, form, summary["n"], paper)
    own = summary["own_story"]
    return _entry(
        16, claim, model, story_set, summary["layer"], summary["value"], summary["interval"], summary["p"], form=form, paper=paper,
        control=summary["controls"], n=summary["n"], verdict=_direction_verdict(summary, [MOST, float("inf")]),
        reason=f"corrected for noise; as read {summary['as_read']:.2f}, random directions "
               f"{summary['controls']['random_directions']:.2f}; reliability over halves of {summary['n_topics']} topics "
               f"{summary['reliability']:.2f}, whose p is told here; cosine with the emotion's own story vector "
               f"{own['value']:.2f} (p = {own['p']:.2f}), of the shown one {summary['shown_story']['value']:.2f}",
    )  # fmt: skip


def post_training_entry(pair: str, story_set: str, form: str, summary: dict) -> dict:
    """Row 20: what goes up, and what goes down, from a base model to the same after post-training."""
    claim = "post-training: brooding, reflective, gloomy up; enthusiastic, exuberant, playful down (of the base's norm)"
    paper = "up and down as named; r = .83 / .67 base and post, .90 between the two shifts"
    if "value" not in summary:
        return _absent(20, claim, pair, story_set, form, summary["n"], paper)
    kinds, between = summary["kinds"], summary["between"]
    low, high = map(_two_digits, between["interval"])
    risen, fallen = (", ".join(name for name, _ in summary[side]) for side in ("risen", "fallen"))
    r = ", ".join(f"{kind} {_two_digits(of['r'])}" for kind, of in kinds.items())
    return _entry(
        20, claim, pair, story_set, summary["layer"], summary["value"], summary["interval"], summary["p"], form=form, paper=paper,
        control=summary["controls"] | {"between_random_directions": between["random_directions"]}, n=summary["n"],
        verdict=verdict(summary["interval"], summary["p"], chance=0, p_below=summary["p_below"]),
        reason=f"up {' '.join(summary['up'])}, down {' '.join(summary['down'])}; most risen: {risen}; most fallen: {fallen}; "
               f"r of base and post: {r}; of the two shifts {_two_digits(between['r'])} ({low} to {high}), of random "
               f"directions {_two_digits(between['random_directions'])}",
    )  # fmt: skip


def _direction_verdict(found: dict, band: list[float]) -> str:
    """Of vectors that may be nothing but noise: does a figure of theirs lie within the band?"""
    low, high = found["interval"]
    if found["p"] >= ALPHA or not all(map(_known, (found["value"], low, high))):
        return "not powered"
    if band[0] < low and high < band[1]:
        return "reproduced"
    return "opposite" if high < band[0] or low > band[1] else "not found"


def _known(value: float | None) -> bool:
    """Neither missing nor NaN, as which JSON's null and a value that is not defined come here."""
    return value is not None and value == value


def _two_digits(value: float | None) -> str:
    return f"{value:.2f}" if _known(value) else "not defined"


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


def unasked_entries(cfg: dict) -> list[dict]:
    """Lines of the claims that this run has nothing for: texts that people have labelled, a second model."""
    unasked = (
        ("labelled", 1, "vectors fire on matching text: labels that people gave to texts", "qualitative",
         "the run has no labelled texts (run.labelled_sets)"),
        ("shifts", 20, "post-training: what rises and what falls", "up: brooding ..; down: enthusiastic ..",
         "the run has no base model beside a post-trained one (run.model_pairs)"),
    )  # fmt: skip
    return [
        _entry(
            row, claim, *cfg["model"][0], None, None, None, None, paper=paper, control=None, n=0,
            verdict="not applicable", reason=reason,
        )
        for stage, row, claim, paper, reason in unasked
        if cfg["model"] and not cfg[stage]
    ]  # fmt: skip


def _absent(row: int, claim: str, model: str, story_set: str, form: str, n: int, paper: str | float) -> dict:
    return _entry(
        row, claim, model, story_set, None, None, None, None, form=form, paper=paper, control=None, n=n,
        verdict="not applicable", reason="the vectors lack the concepts of these texts, or there are too few texts",
    )  # fmt: skip


def _shown(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


def _entry(row, claim, model, story_set, layer, value, interval, p, *, form="plain", **rest) -> dict:
    return {
        "row": row, "claim": claim, "model": model, "story_set": story_set, "format": form,
        "layer": layer, "value": value, "interval": interval, "p": p, **rest,
    }  # fmt: skip
