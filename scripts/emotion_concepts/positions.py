"""Rows 9 to 13: at which tokens, and from which layer on, the vectors read what is meant.

numpy and scipy alone. Scores are cosines, standardised over the places of one kind (`statistics.standardised`),
so that an effect is in standard deviations. Shapes: N texts or pairs, C concepts, L layers, S spans.
"""

import numpy as np
import pandas as pd

from emotion_concepts import statistics
from emotion_concepts.place_scores import PlaceScores

# Tokens of a suffix are drawn in so many parts of equal length.
SUFFIX_PARTS = 12
FEWEST_TEXTS = 4


def turns_summary(
    scores: PlaceScores, form: str, at: int, *, permutations: int, bootstraps: int, seed: int
) -> tuple[dict, pd.DataFrame]:
    """Row 9: are the scores before the reply those of the reply, and not those of the user's turn?

    Correlations are over messages and concepts together, each concept's scores centred over the messages.

    Returns
    -------
    summary : dict
        value, r(before reply, reply) less r(user turn, before reply); its interval over messages; p, by swapping
        the user's turn and the reply of messages at random; r and intervals of the three pairs; controls:
        the same difference with random directions, and with those orthogonal to all vectors (null if there is no
        such direction).
    table : DataFrame
        layer, pair, r, low, high.
    """
    texts, span_rows = _by_text(scores.places, form, ("user turn", "before reply", "reply"))
    if len(texts) < FEWEST_TEXTS:
        return {"n": len(texts)}, pd.DataFrame()
    weight_SN = statistics.bootstrap_weights(len(texts), samples=bootstraps, seed=seed)

    def pairs(score_UK: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        user, before, reply = (score_UK[rows].astype(np.float64) for rows in span_rows)
        return {
            "user, before reply": _matrix_r(user, before, weights),
            "before reply, reply": _matrix_r(before, reply, weights),
            "user, reply": _matrix_r(user, reply, weights),
        }

    once = np.ones((1, len(texts)))
    rows = []
    for layer, score_UC in zip(scores.layers, scores.cosine_LUC, strict=True):
        found, samples = pairs(score_UC, once), pairs(score_UC, weight_SN[:: max(1, bootstraps // 200)])
        for name, r in found.items():
            low, high = statistics.interval(samples[name], len(texts))
            rows.append({"layer": layer, "pair": name, "r": float(r[0]), "low": low, "high": high})

    def difference(score_UK: np.ndarray, weights: np.ndarray) -> np.ndarray:
        found = pairs(score_UK, weights)
        return found["before reply, reply"] - found["user, before reply"]

    score_UC = scores.cosine_LUC[at]
    value, samples = float(difference(score_UC, once)[0]), pairs(score_UC, weight_SN)
    null = _swapped(score_UC, span_rows, permutations, seed)
    return {
        "value": value,
        "interval": list(statistics.interval(difference(score_UC, weight_SN), len(texts))),
        "p": statistics.permutation_p(value, null), "p_below": statistics.permutation_p(-value, -null),
        "n": len(texts),
        "layer": scores.layers[at],
        "r": {name: float(r[0]) for name, r in pairs(score_UC, once).items()},
        "r_interval": {name: list(statistics.interval(r, len(texts))) for name, r in samples.items()},
        "controls": {
            f"{name}_directions": float(difference(scores.controls[name][at], once)[0])
            if scores.controls[name].shape[-1]
            else None
            for name in ("random", "orthogonal")
        },
    }, pd.DataFrame(rows)  # fmt: skip


def context_summary(
    scores: PlaceScores, form: str, *, permutations: int, bootstraps: int, seed: int
) -> tuple[dict, pd.DataFrame]:
    """Row 10: does a word that changes what follows reach the same following words only in late layers?

    The effect at a token is how much more the pair's good concept, less its bad one, is read after the good
    beginning than after the bad one.

    Returns
    -------
    summary : dict
        value, effect on the suffix's tokens in the last third of layers less that in the first third; interval
        and p over pairs; late, early, before_reply: that effect alone, as `statistics.mean_effect`; holds_from.
    table : DataFrame
        layer, part ("change", 0 to `SUFFIX_PARTS` - 1, "before reply"), effect: mean over pairs.
    """
    pairs = _pairs(scores, form)
    if len(pairs) < FEWEST_TEXTS:
        return {"n": len(pairs)}, pd.DataFrame()
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    names = np.array(list(pairs))
    change_NL, before_NL = (
        np.stack([pair[kind][:, 0] for pair in pairs.values()]) for kind in ("change", "before")
    )
    suffix_NL = np.stack([pair["suffix"].mean(1) for pair in pairs.values()])
    early, late = _thirds(len(scores.layers))
    grown = statistics.mean_effect(suffix_NL[:, late].mean(1) - suffix_NL[:, early].mean(1), names, **options)
    parts_NLS = np.stack(
        [
            np.stack([part.mean(1) for part in np.array_split(pair["suffix"], SUFFIX_PARTS, axis=1)], axis=1)
            for pair in pairs.values()
            if pair["suffix"].shape[1] >= SUFFIX_PARTS
        ]
        or [np.zeros((len(scores.layers), SUFFIX_PARTS))]
    )
    columns = {
        "change": change_NL.mean(0),
        **dict(enumerate(parts_NLS.mean(0).T)),
        "before reply": before_NL.mean(0),
    }
    table = pd.DataFrame(
        [
            {"layer": layer, "part": part, "effect": float(effect_L[k])}
            for part, effect_L in columns.items()
            for k, layer in enumerate(scores.layers)
        ]
    )
    return {
        **grown,
        "late": statistics.mean_effect(suffix_NL[:, late].mean(1), names, **options),
        "early": statistics.mean_effect(suffix_NL[:, early].mean(1), names, **options),
        "before_reply": statistics.mean_effect(before_NL[:, late].mean(1), names, **options),
        "before_reply_beyond_suffix": statistics.mean_effect(
            before_NL[:, late].mean(1) - suffix_NL[:, late].mean(1), names, **options
        ),
        "holds_from": _holds_from(suffix_NL, names, scores.layers, bootstraps, seed),
    }, table  # fmt: skip


def negation_summary(
    scores: PlaceScores, form: str, *, permutations: int, bootstraps: int, seed: int
) -> tuple[dict, pd.DataFrame]:
    """Row 11: is "not X" read otherwise than "X" before the reply, and only from some layer on?

    The effect is the own concept's score, less the other concepts' mean, affirmed less negated.

    Returns
    -------
    summary : dict
        value, effect before the reply in the last third of layers less that in the first third; interval and p
        over concepts; late, early, at_word (late); holds_from.
    table : DataFrame
        layer, span, effect, low, high.
    """
    effect_SNL, clusters = _negated(scores, form)
    if not len(clusters):
        return {"n": 0}, pd.DataFrame()
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    early, late = _thirds(len(scores.layers))
    before_NL = effect_SNL["before reply"]

    def effect(value_N: np.ndarray) -> dict:
        return statistics.mean_effect(value_N, clusters, **options)

    return {
        **effect(before_NL[:, late].mean(1) - before_NL[:, early].mean(1)),
        "late": effect(before_NL[:, late].mean(1)),
        "early": effect(before_NL[:, early].mean(1)),
        "at_word": effect(effect_SNL["word"][:, late].mean(1)),
        "holds_from": _holds_from(before_NL, clusters, scores.layers, bootstraps, seed),
    }, _by_layer(effect_SNL, clusters, scores.layers, bootstraps, seed)


def binding_summary(
    scores: PlaceScores, form: str, *, permutations: int, bootstraps: int, seed: int
) -> tuple[dict, pd.DataFrame]:
    """Row 12: does a person's own concept return where the person is mentioned again?

    The effect at a mention is the score of the person's own concept less that of the other person's.

    Returns
    -------
    summary : dict
        value, mean effect over both mentions in the last third of layers; interval and p over texts; share of
        mentions with their own concept above the other, with its Wilson interval; early; controls with
        vectors of shuffled labels; holds_from.
    table : DataFrame
        layer, span ("again", "state"), effect, low, high.
    """
    effects = {kind: _bound(scores, form, kind, scores.cosine_LUC) for kind in ("again", "state")}
    effect_NL = effects["again"]
    if len(effect_NL) < FEWEST_TEXTS:
        return {"n": len(effect_NL)}, pd.DataFrame()
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    # Two mentions a text, one after the other.
    texts = np.repeat(np.arange(len(effect_NL) // 2), 2)
    early, late = _thirds(len(scores.layers))
    own = int((effect_NL[:, late].mean(1) > 0).sum())
    controls = {}
    if "shuffled" in scores.controls:
        shuffled_NL = _bound(scores, form, "again", scores.controls["shuffled"])
        controls["shuffled_vectors"] = float(shuffled_NL[:, late].mean())
    return {
        **statistics.mean_effect(effect_NL[:, late].mean(1), texts, **options),
        "early": statistics.mean_effect(effect_NL[:, early].mean(1), texts, **options),
        "share": own / len(effect_NL),
        "share_interval": list(statistics.wilson_interval(own, len(effect_NL))),
        "controls": controls,
        "holds_from": _holds_from(effect_NL, texts, scores.layers, bootstraps, seed),
    }, _by_layer(effects, texts, scores.layers, bootstraps, seed)


def locality_summary(
    scores: PlaceScores, form: str, at: int, *, permutations: int, bootstraps: int, seed: int
) -> tuple[dict, pd.DataFrame]:
    """Row 13: does the concept of an inner story rise within it, and fall back after it?

    The score is the inner concept's less the outer one's.

    Returns
    -------
    summary : dict
        value, how far it falls back (inner story less what follows), interval over texts; p, the larger of those
        of rise and fall, as both are claimed; rise, fall; remains: what stays of the rise; half_after: how many
        tokens after the story the mean score is below half of its rise (null if it never is).
    table : DataFrame
        place ("before", "inner", "after 1", ..), tokens, from the story's end, score, low, high.
    """
    texts, names, score_NS, tokens_S = _courses(scores, form, at)
    if len(texts) < FEWEST_TEXTS:
        return {"n": len(texts)}, pd.DataFrame()
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    before, inner, after_NA = score_NS[:, 0], score_NS[:, 1], score_NS[:, 2:]
    # Of what follows, the sentences that every text has.
    rise = statistics.mean_effect(inner - before, texts, **options)
    fall = statistics.mean_effect(inner - after_NA.mean(1), texts, **options)
    middle = before.mean() + (inner.mean() - before.mean()) / 2
    returned = np.flatnonzero(after_NA.mean(0) < middle) if rise["value"] > 0 else np.array([])
    found = statistics.mean_intervals(score_NS, samples=bootstraps, seed=seed, clusters=np.array(texts))
    table = pd.DataFrame(
        {
            "place": names,
            "tokens": tokens_S,
            "score": score_NS.mean(0),
            "low": found[:, 0],
            "high": found[:, 1],
        }
    )
    return {
        **fall, "layer": scores.layers[at], "p": max(rise["p"], fall["p"]), "p_below": max(rise["p_below"], fall["p_below"]),
        "rise": rise, "fall": fall,
        "remains": 1 - fall["value"] / rise["value"] if rise["value"] > 0 else None,
        "half_after": float(tokens_S[2 + returned[0]]) if len(returned) else None,
    }, table  # fmt: skip


def _by_text(places: pd.DataFrame, form: str, spans: tuple[str, ...]) -> tuple[list[str], list[np.ndarray]]:
    """Texts of a format that have all of these spans, and their rows, span by span."""
    here = places[places["format"] == form].reset_index()
    wide = here[here["span"].isin(spans)].pivot(index="text", columns="span", values="index")
    wide = wide.reindex(columns=list(spans)).dropna()
    return wide.index.tolist(), [wide[span].to_numpy(int) for span in spans]


def _matrix_r(x_NC: np.ndarray, y_NC: np.ndarray, weight_SN: np.ndarray) -> np.ndarray:
    """Correlation over texts and concepts together, concepts centred over the texts drawn: float64 [S].

    NaN where a side does not vary.
    """
    xy_N, xx_N, yy_N = (x_NC * y_NC).sum(1), (x_NC**2).sum(1), (y_NC**2).sum(1)
    total = weight_SN.sum(1)
    mean_x, mean_y = weight_SN @ x_NC / total[:, None], weight_SN @ y_NC / total[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        inner = weight_SN @ xy_N - total * (mean_x * mean_y).sum(1)
        sizes = [
            weight_SN @ squares_N - total * (mean**2).sum(1)
            for squares_N, mean in ((xx_N, mean_x), (yy_N, mean_y))
        ]
        r = inner / np.sqrt(sizes[0] * sizes[1])
    # What is left by rounding where nothing varies is no correlation.
    varies = (sizes[0] > 1e-9 * (weight_SN @ xx_N)) & (sizes[1] > 1e-9 * (weight_SN @ yy_N))
    return np.where(varies, np.clip(r, -1, 1), np.nan)


def _swapped(score_UC: np.ndarray, span_rows: list[np.ndarray], permutations: int, seed: int) -> np.ndarray:
    """The difference of row 9 with user's turn and reply swapped in messages drawn at random: [permutations]."""
    user, before, reply = (score_UC[rows].astype(np.float64) for rows in span_rows)
    once = np.ones((1, len(user)))
    rng = np.random.default_rng(seed)
    null = np.empty(permutations)
    for k in range(permutations):
        swap = rng.random((len(user), 1)) < 0.5
        first, last = np.where(swap, reply, user), np.where(swap, user, reply)
        null[k] = (_matrix_r(before, last, once) - _matrix_r(first, before, once))[0]
    return null


def _pairs(scores: PlaceScores, form: str) -> dict[str, dict[str, np.ndarray]]:
    """Effect of row 10 for each pair: {pair: {"change", "suffix", "before": [L, tokens]}}."""
    places = scores.places
    rows = np.flatnonzero(places["format"] == form)
    if not len(rows):
        return {}
    here = places.iloc[rows].reset_index(drop=True)
    z_LUC = _standardised(scores.cosine_LUC, rows)
    found = {}
    for name, pair in here.groupby("pair"):
        concepts = [pair[f"{side} concept"].iloc[0] for side in ("good", "bad")]
        if not set(concepts) <= set(scores.concepts) or pair["side"].nunique() < 2:
            continue
        good, bad = (scores.concepts.index(concept) for concept in concepts)
        score_LU = z_LUC[:, :, good] - z_LUC[:, :, bad]
        side = {kind: pair[pair["side"] == kind] for kind in ("good", "bad")}
        found[name] = {
            kind: _token_difference(score_LU, side["good"], side["bad"], prefix)
            for kind, prefix in (("change", "change"), ("suffix", "suffix "), ("before", "before reply"))
        }
    return found


def _token_difference(score_LU: np.ndarray, good: pd.DataFrame, bad: pd.DataFrame, prefix: str) -> np.ndarray:
    """Good less bad at the tokens of a span that both have, counted from its end: [L, tokens]."""
    rows = [of.index[of["span"].str.startswith(prefix)].to_numpy() for of in (good, bad)]
    length = min(map(len, rows))
    return score_LU[:, rows[0][-length:]] - score_LU[:, rows[1][-length:]]


def _negated(scores: PlaceScores, form: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Effect of row 11 by span: {span: [N, L]}, and the concept of each pair."""
    places = scores.places[(scores.places["format"] == form) & scores.places["emotion"].isin(scores.concepts)]
    concepts = sorted(set(places["emotion"]))
    columns = [scores.concepts.index(name) for name in concepts]
    effects, clusters = {}, np.array([])
    if len(concepts) < 2:
        return effects, clusters
    for span, of_span in places.groupby("span"):
        rows = of_span.index.to_numpy()
        z_LNC = np.stack([statistics.standardised(of[np.ix_(rows, columns)]) for of in scores.cosine_LUC])
        own = np.array([concepts.index(name) for name in of_span["emotion"]])
        mine_LN = np.take_along_axis(z_LNC, own[None, :, None], 2)[..., 0]
        own_LN = mine_LN - (z_LNC.sum(-1) - mine_LN) / (len(concepts) - 1)
        table = of_span[["emotion", "frame", "form"]].assign(row=np.arange(len(rows)))
        wide = table.pivot(index=["emotion", "frame"], columns="form", values="row").dropna().astype(int)
        effects[span] = (own_LN[:, wide["affirmed"]] - own_LN[:, wide["negated"]]).T
        clusters = wide.index.get_level_values("emotion").to_numpy()
    return effects, clusters


def _bound(scores: PlaceScores, form: str, kind: str, score_LUC: np.ndarray) -> np.ndarray:
    """Effect of row 12 at every mention, two a text: [N, L]; no rows where the vectors lack the concepts."""
    places = scores.places[scores.places["format"] == form]
    places = places[places["first"].isin(scores.concepts) & places["second"].isin(scores.concepts)]
    rows = places.index[places["span"].str.endswith(kind)].to_numpy()
    if not len(rows):
        return np.zeros((0, len(score_LUC)))
    z_LNC = _standardised(score_LUC, rows)
    of = places.loc[rows]
    is_first = of["span"].str.startswith("first").to_numpy()
    index = {name: of[name].map(scores.concepts.index).to_numpy() for name in ("first", "second")}
    own = np.where(is_first, index["first"], index["second"])
    other = np.where(is_first, index["second"], index["first"])
    picked = (np.take_along_axis(z_LNC, c[None, :, None], 2)[..., 0] for c in (own, other))
    own_LN, other_LN = picked
    order = np.lexsort((~is_first, of["text"].to_numpy()))
    return (own_LN - other_LN).T[order]


def _courses(scores: PlaceScores, form: str, at: int) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    """Texts of row 13, the places that all of them have, scores [N, S], and mean tokens from the story's end [S]."""
    places = scores.places[scores.places["format"] == form]
    places = places[places["inner"].isin(scores.concepts) & places["outer"].isin(scores.concepts)]
    if places.empty:
        return [], [], np.zeros((0, 0)), np.zeros(0)
    rows = places.index.to_numpy()
    z_UC = statistics.standardised(scores.cosine_LUC[at][rows])
    each = np.arange(len(rows))
    score = (
        z_UC[each, places["inner"].map(scores.concepts.index)]
        - z_UC[each, places["outer"].map(scores.concepts.index)]
    )
    table = places[["text", "span", "n_tokens"]].assign(score=score)
    counts = table["span"].value_counts()
    n_texts = table["text"].nunique()
    afters = sorted((s for s in counts.index if s.startswith("after ")), key=lambda s: int(s.split()[1]))
    names = ["before", "inner", *(s for s in afters if counts[s] == n_texts)]
    wide = table.pivot(index="text", columns="span", values="score")[names]
    lengths = table.pivot(index="text", columns="span", values="n_tokens")[names].mean(axis=0).to_numpy()
    # The middle of each sentence after the story; what stands before it is behind.
    after = np.cumsum(lengths[2:]) - lengths[2:] / 2
    return wide.index.tolist(), names, wide.to_numpy(), np.array([-1.5 * lengths[1], -lengths[1] / 2, *after])


def _standardised(score_LUC: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.stack([statistics.standardised(of[rows]) for of in score_LUC])


def _thirds(n_layers: int) -> tuple[slice, slice]:
    """The first and the last third of the layers."""
    third = max(1, n_layers // 3)
    return slice(0, third), slice(n_layers - third, n_layers)


def _by_layer(
    effects: dict[str, np.ndarray], clusters: np.ndarray, layers: list[int], bootstraps: int, seed: int
) -> pd.DataFrame:
    """Mean effect at each span and layer with its interval."""
    rows = []
    for span, effect_NL in effects.items():
        found = statistics.mean_intervals(effect_NL, samples=bootstraps, seed=seed, clusters=clusters)
        rows += [
            {"layer": layer, "span": span, "effect": float(effect), "low": low, "high": high}
            for layer, effect, (low, high) in zip(layers, effect_NL.mean(0), found.tolist(), strict=True)
        ]
    return pd.DataFrame(rows)


def _holds_from(
    effect_NL: np.ndarray, clusters: np.ndarray, layers: list[int], bootstraps: int, seed: int
) -> int | None:
    found = statistics.mean_intervals(effect_NL, samples=bootstraps, seed=seed, clusters=clusters)
    return statistics.holds_from(found[:, 0], layers)
