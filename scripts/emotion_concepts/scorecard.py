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
- *damaged*: steered text is so unlikely or repeats itself so much (`steering.max_perplexity_ratio`, `max_repetition`) that nothing is interpreted;
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


def direction_verdict(found: dict, band: list[float]) -> str:
    """Of vectors that may be nothing but noise: does a figure of theirs lie within the band?"""
    low, high = found["interval"]
    if found["p"] >= ALPHA or not all(map(is_known, (found["value"], low, high))):
        return "not powered"
    if band[0] < low and high < band[1]:
        return "reproduced"
    return "opposite" if high < band[0] or low > band[1] else "not found"


def retrieval_entry(model: str, story_set: str, summary: dict) -> dict:
    """Row 1, the part on stories: a concept is found again on topics held out."""
    claim = "vectors fire on matching text: retrieval of the concept on held-out topics, best layer"
    if "top1" not in summary:
        return line(
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
    return line(
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
        return line(
            1, claim, model, story_set, summary["layer"], None, None, None, paper="qualitative", control=None,
            n=summary["n_concepts"], verdict="not applicable",
            reason="fewer than two concepts: there are no other vectors to compare with",
        )  # fmt: skip
    return line(
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
        return line(
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
    return line(
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
        return line(
            2, claim, model, story_set, None, None, None, None, paper=paper, control=None,
            n=summary["n_concepts"], verdict="not applicable",
            reason="fewer than two concepts have words that the tokenizer knows",
        )  # fmt: skip
    at = summary["recommended"]
    # The stricter of the two controls is what counts as chance.
    chance = max(summary["shuffled"], summary["random"])
    return line(
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
        return line(
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
    return line(
        8, claim, model, story_set, summary["layer"], found["r"], found["interval"], found["p"], paper=paper,
        control={"shuffled_ratings_best": found["shuffled_best"]}, n=summary["n_rated"], verdict=judged,
        reason=reason,
    )  # fmt: skip


def regression_entry(model: str, story_set: str, summary: dict, dimension: str) -> dict:
    """Row 8, beside the components: a rating is read off the vector by a regression made on other words."""
    claim = f"geometry: human {dimension} is readable from the vectors (ridge, word held out, best layer)"
    if dimension not in summary:
        return line(
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
    return line(
        8, claim, model, story_set, found["best_layer"], found["r"], found["interval"], found["p"], paper=None,
        control={"shuffled_ratings_best_layer": found["shuffled"]}, n=summary["n_rated"], verdict=judged,
        reason=reason,
    )  # fmt: skip


def steered_words_entry(model: str, story_set: str, summary: dict) -> dict:
    """Row 5: a concept's vector raises its own word more than the others' do."""
    found = verdict(summary["interval"], summary["p"], chance=0, p_below=summary["p_below"])
    if summary["damaged"]:
        found = "damaged"
    return line(
        5, "steering shows in words: log-probability of a concept's word, own vector minus the others (nats)",
        model, story_set, summary["layers"], summary["specificity"], summary["interval"], summary["p"],
        paper="clear diagonal",
        control={f"{kind}_directions": of["change"] for kind, of in summary["controls"].items()},
        n=summary["n_concepts"], verdict=found,
        reason=f"dose ||s m v|| / ||h|| = {summary['dose']:.2f} a layer; perplexity of what is written "
               f"{shown(summary['perplexity_unsteered'])} unsteered, {shown(summary['perplexity_steered'])} steered "
               f"(median); after the question what happened, own words move by {shown(summary['event_change'])} nats",
    )  # fmt: skip


def unasked_entries(cfg: dict) -> list[dict]:
    """Lines of the claims that this run has nothing for: texts that people have labelled, a second model."""
    unasked = (
        ("labelled", 1, "vectors fire on matching text: labels that people gave to texts", "qualitative",
         "the run has no labelled texts (run.labelled_sets)"),
        ("shifts", 20, "post-training: what rises and what falls", "up: brooding ..; down: enthusiastic ..",
         "the run has no base model beside a post-trained one (run.model_pairs)"),
    )  # fmt: skip
    return [
        line(
            row, claim, *cfg["model"][0], None, None, None, None, paper=paper, control=None, n=0,
            verdict="not applicable", reason=reason,
        )
        for stage, row, claim, paper, reason in unasked
        if cfg["model"] and not cfg[stage]
    ]  # fmt: skip


def is_known(value: float | None) -> bool:
    """Neither missing nor NaN, as which JSON's null and a value that is not defined come here."""
    return value is not None and value == value


def shown(value: float | None) -> str:
    """Two digits, or that there is no such number."""
    return f"{value:.2f}" if is_known(value) else "not defined"


def line(row, claim, model, story_set, layer, value, interval, p, *, form="plain", **rest) -> dict:
    """A line of the scorecard, with the names that users rely on (design.md, section 7)."""
    return {
        "row": row, "claim": claim, "model": model, "story_set": story_set, "format": form,
        "layer": layer, "value": value, "interval": interval, "p": p, **rest,
    }  # fmt: skip
