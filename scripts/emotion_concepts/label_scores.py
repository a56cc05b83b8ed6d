"""Do vectors find the texts that people gave a label? AUROC and average precision, with controls. No torch.

Shape letters: N texts, L labels (rows: whose texts, columns: whose score), S bootstrap samples, R random directions.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from emotion_concepts import statistics

FOLDS = 5
# Fewest texts with a label, and without it, for which anything is said: two in each fold.
LEAST_TEXTS = 2 * FOLDS
COLUMNS = [
    "label", "n", "auroc", "auroc_low", "auroc_high", "ap", "ap_low", "ap_high", "ap_chance", "tfidf_auroc",
    "tfidf_ap", "length_auroc", "random_auroc", "random_low", "random_high",
]  # fmt: skip
_BLOCK = 100  # resamples worked on at once


def centred_cosines(value_ND: np.ndarray, unit_VD: np.ndarray) -> np.ndarray:
    """Cosine of each text's activation, centred over the texts, with each direction: float64 [N, V]."""
    centred = value_ND - value_ND.mean(0, dtype=np.float64)
    return centred @ unit_VD.T.astype(np.float64) / np.linalg.norm(centred, axis=1, keepdims=True)


def label_scores(
    score_NL: np.ndarray,
    truth_NL: np.ndarray,
    labels: Sequence[str],
    *,
    tfidf_NL: np.ndarray,
    length_N: np.ndarray,
    random_NR: np.ndarray,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[pd.DataFrame, dict]:
    """AUROC and average precision of each label's own score, beside what else could tell.

    Parameters
    ----------
    score_NL : ndarray
        What stands for each label; truth_NL : bool, texts that have it, at least one and not all.
    tfidf_NL, length_N, random_NR : ndarray
        Controls: the scores of word counts (`word_count_scores`), tokens of each text, and what random
        directions give.

    Returns
    -------
    table : DataFrame
        label, n (texts that have it), auroc, auroc_low, auroc_high, ap, ap_low, ap_high: 95% intervals from
        a bootstrap over texts; ap_chance: share of texts that have it; tfidf_auroc, tfidf_ap,
        length_auroc (the better of long and short), random_auroc (mean over random directions),
        random_low, random_high (their 95% range).
    summary : dict
        Means over labels: auroc, with interval (labels and texts resampled) and p (the map from labels
        to scores shuffled); ap, tfidf, tfidf_ap, length, random; shuffled: a label's texts by another label's score.
        Of fewer than two labels only n_labels and n_texts.
    """
    n_texts, n_labels = truth_NL.shape
    counts = {"n_labels": n_labels, "n_texts": n_texts}
    if not n_labels:
        return pd.DataFrame(columns=COLUMNS), counts
    own, once = list(zip(score_NL.T, truth_NL.T, strict=True)), np.ones((1, n_texts))
    auroc_LL, random_LR = (_aurocs(scores, truth_NL) for scores in (score_NL, random_NR))
    length_L = _aurocs(length_N[:, None], truth_NL)[:, 0]
    length_L = np.maximum(length_L, 1 - length_L)
    auroc_L, ap_L = auroc_LL.diagonal(), np.array([ranking(once, *pair)[1][0] for pair in own])
    by_words = [ranking(once, *pair) for pair in zip(tfidf_NL.T, truth_NL.T, strict=True)]
    tfidf_2L = np.array(by_words)[:, :, 0].T
    sampled = [
        np.hstack([ranking(weight_SN, *pair) for weight_SN in _resamples(n_texts, bootstraps, seed)])
        for pair in own
    ]
    auroc_LS, ap_LS = np.array(sampled).transpose(1, 0, 2)
    intervals = {
        f"{name}_{end}": column
        for name, values_LS in (("auroc", auroc_LS), ("ap", ap_LS))
        for end, column in zip(
            ("low", "high"),
            zip(*(statistics.interval(values_S, n_texts) for values_S in values_LS), strict=True),
            strict=True,
        )
    }
    low_L, high_L = np.quantile(random_LR, [0.025, 0.975], axis=1)
    columns = {
        "label": list(labels), "n": truth_NL.sum(0), "auroc": auroc_L, "ap": ap_L, **intervals,
        "ap_chance": truth_NL.mean(0), "tfidf_auroc": tfidf_2L[0], "tfidf_ap": tfidf_2L[1],
        "length_auroc": length_L, "random_auroc": random_LR.mean(1), "random_low": low_L, "random_high": high_L,
    }  # fmt: skip
    table = pd.DataFrame(columns)[COLUMNS]
    if n_labels < 2:
        return table, counts
    return table, {
        **counts,
        "auroc": float(auroc_L.mean()),
        "interval": _interval_of_mean(auroc_LS, seed),
        **_against_shuffled(auroc_LL, permutations, seed),
        "ap": float(ap_L.mean()),
        "ap_chance": float(truth_NL.mean()),
        "tfidf": float(tfidf_2L[0].mean()),
        "tfidf_ap": float(tfidf_2L[1].mean()),
        "length": float(length_L.mean()),
        "random": float(random_LR.mean()),
    }


def ranking(weight_SN: np.ndarray, score_N: np.ndarray, truth_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUROC and average precision in each resample: float64 [S], [S].

    Texts with equal scores share their place: half of such a pair counts as in the right order, and
    precision is taken below all of them. NaN where a resample has no text with the label, or none without.
    """
    order = np.argsort(-score_N, kind="stable")
    # Groups of equal scores, from the highest on.
    first = np.flatnonzero(np.diff(-score_N[order], prepend=-np.inf))
    has_SN = weight_SN[:, order] * truth_N[order]
    lacks_SN = weight_SN[:, order] - has_SN
    has_SG, lacks_SG = (np.add.reduceat(part, first, axis=1) for part in (has_SN, lacks_SN))
    above_SG = has_SG.cumsum(1)
    n_has, n_lacks = above_SG[:, -1], lacks_SG.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        auroc_S = (lacks_SG * (above_SG - has_SG / 2)).sum(1) / (n_has * n_lacks)
        precision_SG = np.nan_to_num(above_SG / (above_SG + lacks_SG.cumsum(1)))
        ap_S = (has_SG * precision_SG).sum(1) / n_has
    ap_S[n_lacks == 0] = np.nan
    return auroc_S, ap_S


def _aurocs(score_NV: np.ndarray, truth_NL: np.ndarray) -> np.ndarray:
    """AUROC of every label's texts by every score: float64 [L, V]."""
    n_has_L = truth_NL.sum(0)
    rank_NV = stats.rankdata(score_NV, axis=0)
    above_LV = truth_NL.T @ rank_NV - (n_has_L * (n_has_L + 1) / 2)[:, None]
    return above_LV / (n_has_L * (len(truth_NL) - n_has_L))[:, None]


def word_count_scores(texts: Sequence[str], truth_NL: np.ndarray, seed: int) -> np.ndarray:
    """What a logistic regression on word counts (TF-IDF) says of each text, made on the other folds: float64 [N, L].

    It has seen labelled texts of the same kind, which the vectors have not: the strictest control.
    """
    counted = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(texts)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = LogisticRegression(class_weight="balanced", solver="liblinear", random_state=seed)
    with threadpool_limits(1):
        found = [
            cross_val_predict(model, counted, truth_N, cv=folds, method="decision_function")
            for truth_N in truth_NL.T
        ]
    return np.array(found).reshape(len(found), len(texts)).T


def _resamples(n_texts: int, samples: int, seed: int) -> Iterator[np.ndarray]:
    """Weights of all resamples of the texts, a block at a time, the same for each label."""
    for block, start in enumerate(range(0, samples, _BLOCK)):
        rng = np.random.default_rng([seed, block])
        size = min(_BLOCK, samples - start)
        yield rng.multinomial(n_texts, np.full(n_texts, 1 / n_texts), size=size).astype(np.float64)


def _interval_of_mean(auroc_LS: np.ndarray, seed: int) -> list[float]:
    """95% interval of the mean over labels, where labels are resampled too."""
    n_labels, samples = auroc_LS.shape
    weight_SL = statistics.bootstrap_weights(n_labels, samples=samples, seed=seed)
    return list(statistics.interval((weight_SL * auroc_LS.T).sum(1) / n_labels, n_labels))


def _against_shuffled(auroc_LL: np.ndarray, permutations: int, seed: int) -> dict:
    """p, p_below and the mean of a label's texts under another label's score."""
    n = len(auroc_LL)
    rng = np.random.default_rng(seed)
    orders = np.stack([rng.permutation(n) for _ in range(permutations)])
    null_P = auroc_LL[np.arange(n), orders].mean(1)
    value = auroc_LL.diagonal().mean()
    others = (auroc_LL.sum() - auroc_LL.trace()) / (n * (n - 1))
    return {
        "p": statistics.permutation_p(value, null_P),
        "p_below": statistics.permutation_p(-value, -null_P),
        "shuffled": float(others),
    }
