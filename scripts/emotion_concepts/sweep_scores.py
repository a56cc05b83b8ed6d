"""Do vectors fire on text with the concept's own words? From a sweep's top snippets. No torch.

Shape letters: C concepts (rows: snippets of a concept's vector, columns: words of a concept).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emotion_concepts import statistics
from emotion_concepts.files import write_json_lines
from emotion_concepts.story_checks import Vocabulary
from emotion_concepts.sweep import VectorSweep

QUANTILES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
# Tokens of a snippet above this quantile of the whole corpus are highlighted (paper, section 2).
HIGHLIGHTED = 0.9


def own_word_rates(
    texts: Sequence[Sequence[str]], concepts: Sequence[str], vocabulary: Vocabulary
) -> np.ndarray:
    """How many of each concept's own words a direction's snippets have, on average: float64 [directions, C].

    Parameters
    ----------
    texts : sequence of sequences of str
        Snippets of each direction.
    vocabulary : Vocabulary
        A concept's own words are its forms and its direct synonyms; in an idiom they do not count.
    """
    own = {c: (*vocabulary.forms[c], *vocabulary.synonyms.get(c, ())) for c in vocabulary.forms}
    either = Vocabulary(own, {}, vocabulary.idioms)
    counts_C = {
        text: [len(named.get(concept, ())) for concept in concepts]
        for text in {text for own_texts in texts for text in own_texts}
        for named in [either.named(text, concepts)]
    }
    return np.array([np.mean([counts_C[text] for text in own_texts], axis=0) for own_texts in texts])


def own_words_summary(
    rate_CC: np.ndarray, random_RC: np.ndarray, *, permutations: int, bootstraps: int, seed: int
) -> dict:
    """Are a concept's own words more frequent in its vector's top snippets than in the other vectors'?

    Parameters
    ----------
    rate_CC, random_RC : ndarray
        As `own_word_rates` gives them, of the concepts' vectors (in the words' order) and of random directions.

    Returns
    -------
    dict
        n_concepts; value: mean over concepts of own, the rate of a concept's words in its own snippets, less
        others, the mean rate in the other vectors'; interval: from a bootstrap over concepts; p and
        p_below: against the vectors' labels shuffled; random: the rate in random directions' snippets.
        Of fewer than two concepts only n_concepts.
    """
    n = len(rate_CC)
    if n < 2:
        return {"n_concepts": n}
    own_C, others_C = own_and_others(rate_CC)
    found_C = own_C - others_C
    rng = np.random.default_rng(seed)
    orders = np.stack([rng.permutation(n) for _ in range(permutations)])
    # With other labels a column's sum stays: what is not own is the others'.
    sum_C = rate_CC.sum(0)
    null_P = ((n * rate_CC[orders, np.arange(n)] - sum_C) / (n - 1)).mean(1)
    value = float(found_C.mean())
    low, high = statistics.bootstrap_interval(
        lambda weight_SN: weight_SN @ found_C / n, n, samples=bootstraps, seed=seed
    )
    return {
        "n_concepts": n,
        "value": value,
        "interval": [low, high],
        "p": statistics.permutation_p(value, null_P),
        "p_below": statistics.permutation_p(-value, -null_P),
        "own": float(own_C.mean()),
        "others": float(others_C.mean()),
        "random": float(random_RC.mean()),
    }


def own_and_others(rate_CC: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rate of each concept's words in its own vector's snippets, and their mean rate in the others': [C], [C]."""
    own_C = rate_CC.diagonal()
    return own_C, (rate_CC.sum(0) - own_C) / (len(rate_CC) - 1)


def rates_table(rate_CC: np.ndarray, random_RC: np.ndarray, concepts: Sequence[str]) -> pd.DataFrame:
    """concept, own, others, random: its words per top snippet of its own vector, of the others, of random ones."""
    own_C, others_C = own_and_others(rate_CC) if len(concepts) > 1 else (rate_CC.diagonal(), [np.nan])
    return pd.DataFrame(
        {"concept": list(concepts), "own": own_C, "others": others_C, "random": random_RC.mean(0)}
    )


def vector_summaries(found: VectorSweep, names: Sequence[str]) -> dict[str, dict]:
    """Mean, standard deviation and quantiles of each direction's cosines over the corpus."""
    quantile_QV = np.array([found.quantile(share) for share in QUANTILES])
    mean_V, deviation_V = found.mean(), found.deviation()
    return {
        name: {
            "mean": float(mean_V[v]),
            "sd": float(deviation_V[v]),
            "quantiles": {
                f"{share:g}": float(q) for share, q in zip(QUANTILES, quantile_QV[:, v], strict=True)
            },
        }
        for v, name in enumerate(names)
    }


def snippet_texts(found: VectorSweep) -> list[list[str]]:
    """The text of each direction's snippets."""
    return [["".join(snippet.tokens) for snippet in own] for own in found.snippets]


def write_snippets(path: Path, found: VectorSweep, kinds: Mapping[str, str]) -> None:
    """Write the snippets, one a line, the vectors in the order of `kinds`: {name: concept or random}.

    Keys: vector, kind, rank (from 1), score, document, start, tokens, scores, highlighted (a bool for each
    token: is its score above the corpus' 90th percentile of this vector?).
    """
    above_V = found.quantile(HIGHLIGHTED)
    write_json_lines(
        path,
        (
            {
                "vector": name, "kind": kind, "rank": rank, **vars(snippet),
                "highlighted": [score > above for score in snippet.scores],
            }
            for (name, kind), own, above in zip(kinds.items(), found.snippets, above_V.tolist(), strict=True)
            for rank, snippet in enumerate(own, 1)
        ),
    )  # fmt: skip
