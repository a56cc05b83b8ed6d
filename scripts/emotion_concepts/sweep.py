"""What a sweep over a corpus keeps of each vector: mean, quantiles, top snippets. No torch.

Parts of a corpus are swept each for itself and merged. Merging is exactly associative and commutative:
sums and counts are integers (a cosine is kept to 2^-30, less than float32 resolves), the quantile sketch
is a histogram with fixed bins over [-1, 1], where every cosine lies, and snippets have a total order.
So neither the order nor the cut of a corpus into parts matters, and memory does not grow with it.

Shape letters: V vectors, T tokens, H bins.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from emotion_concepts.corpora import Passage

# A snippet's score is the mean over so many tokens in a row, about two dozen words.
SNIPPET_TOKENS = 32
# At most so many snippets of a vector are from one document: one play must not be all that is seen.
PER_DOCUMENT = 2
BINS = 2000
# Cosines are summed as integers, in units of 1 / SCALE; exact for 2^33 tokens.
SCALE = 2**30


@dataclass(frozen=True)
class ScoredPassage:
    """A passage, and the scores of its tokens.

    places : int [T, 2], characters of the passage that each token stands for; counted : bool [T], tokens
    that count; cosine_TV : float32.
    """

    passage: Passage
    places: np.ndarray
    counted: np.ndarray
    cosine_TV: np.ndarray


@dataclass(frozen=True)
class Snippet:
    """A stretch of a passage on which a vector is active.

    score : mean of the tokens' cosines, by which it is ranked, to six decimals; start : its first
    character in the document; tokens : as they stand in the text, together its words; scores : of each.
    """

    score: float
    document: str
    start: int
    tokens: list[str]
    scores: list[float]

    @property
    def rank(self) -> tuple[float, str, int]:
        """Order among a vector's snippets: the highest score first, ties by place."""
        return -self.score, self.document, self.start


@dataclass(frozen=True)
class VectorSweep:
    """What is kept of a corpus, or of a part of it, for all vectors.

    n_tokens : tokens counted; sum_V, square_V : int64, of their cosines and of these squared, times `SCALE`;
    counts_VH : int64, tokens by bin; snippets : for each vector at most `kept`, the highest first.
    """

    n_tokens: int
    sum_V: np.ndarray
    square_V: np.ndarray
    counts_VH: np.ndarray
    snippets: list[list[Snippet]]
    kept: int

    @classmethod
    def empty(cls, n_vectors: int, kept: int) -> "VectorSweep":
        """Of nothing."""
        zeros = np.zeros(n_vectors, np.int64)
        return cls(0, zeros, zeros, np.zeros((n_vectors, BINS), np.int64), [[] for _ in zeros], kept)

    def merged(self, other: "VectorSweep") -> "VectorSweep":
        """Of both parts together."""
        assert self.kept == other.kept, "sweeps that keep different numbers of snippets"
        return VectorSweep(
            self.n_tokens + other.n_tokens,
            self.sum_V + other.sum_V,
            self.square_V + other.square_V,
            self.counts_VH + other.counts_VH,
            [
                top_snippets([*mine, *theirs], self.kept) if theirs else mine
                for mine, theirs in zip(self.snippets, other.snippets, strict=True)
            ],
            self.kept,
        )

    def least(self) -> np.ndarray:
        """The score that a snippet must reach to be kept: float64 [V]; -inf where there is room."""
        full = [len(own) == self.kept for own in self.snippets]
        return np.array([own[-1].score if f else -np.inf for own, f in zip(self.snippets, full, strict=True)])

    def mean(self) -> np.ndarray:
        """Mean cosine of each vector: float64 [V]."""
        return self.sum_V / SCALE / self.n_tokens

    def deviation(self) -> np.ndarray:
        """Standard deviation of each vector's cosines: float64 [V]."""
        return np.sqrt(np.maximum(self.square_V / SCALE / self.n_tokens - self.mean() ** 2, 0))

    def quantile(self, share: float) -> np.ndarray:
        """Quantile of each vector's cosines, to the width of a bin (0.001): float64 [V]."""
        below_VH = np.cumsum(self.counts_VH, axis=1)
        wanted = share * self.n_tokens
        bin_V = np.minimum((below_VH < wanted).sum(1), BINS - 1)
        rows = np.arange(len(bin_V))
        inside_V = self.counts_VH[rows, bin_V]
        part_V = (wanted - (below_VH[rows, bin_V] - inside_V)) / np.maximum(inside_V, 1)
        return (bin_V + part_V) * 2 / BINS - 1

    def as_json(self) -> dict:
        """All of it as plain values, empty bins at the ends of each histogram left out."""
        firsts = (self.counts_VH > 0).argmax(1)
        return {
            "n_tokens": self.n_tokens,
            "kept": self.kept,
            "vectors": [
                {
                    "sum": int(self.sum_V[v]),
                    "square": int(self.square_V[v]),
                    "first_bin": int(first),
                    "counts": np.trim_zeros(self.counts_VH[v]).tolist(),
                    "snippets": [vars(snippet) for snippet in self.snippets[v]],
                }
                for v, first in enumerate(firsts)
            ],
        }

    @classmethod
    def from_json(cls, found: dict) -> "VectorSweep":
        """What `as_json` gave."""
        vectors = found["vectors"]
        counts_VH = np.zeros((len(vectors), BINS), np.int64)
        for row, vector in zip(counts_VH, vectors, strict=True):
            row[vector["first_bin"] : vector["first_bin"] + len(vector["counts"])] = vector["counts"]
        return cls(
            found["n_tokens"],
            np.array([vector["sum"] for vector in vectors], np.int64),
            np.array([vector["square"] for vector in vectors], np.int64),
            counts_VH,
            [[Snippet(**snippet) for snippet in vector["snippets"]] for vector in vectors],
            found["kept"],
        )


def swept(scored: Sequence[ScoredPassage], kept: int, least_V: np.ndarray | None = None) -> VectorSweep:
    """What is kept of some passages.

    Parameters
    ----------
    kept : int
        Snippets kept for each vector. Each passage gives one at most: its stretch of `SNIPPET_TOKENS`
        tokens that count (or all of them, where there are fewer) with the highest mean.
    least_V : ndarray, optional
        Scores below which a snippet is of no use, as `least` of what this will be merged into.
    """
    cosine_TV = np.concatenate([one.cosine_TV[one.counted] for one in scored]).astype(np.float64)
    n_vectors = cosine_TV.shape[1]
    least_V = np.full(n_vectors, -np.inf) if least_V is None else least_V
    bins_TV = np.clip(((cosine_TV + 1) * (BINS / 2)).astype(np.int64), 0, BINS - 1)
    flat = (bins_TV + np.arange(n_vectors) * BINS).ravel()
    found: list[list[Snippet]] = [[] for _ in range(n_vectors)]
    for one in scored:
        if one.counted.any():
            for v, start, end, score in _best_stretches(one, least_V):
                found[v].append(_snippet(one, v, start, end, score))
    return VectorSweep(
        len(cosine_TV),
        np.rint(cosine_TV * SCALE).astype(np.int64).sum(0),
        np.rint(cosine_TV**2 * SCALE).astype(np.int64).sum(0),
        np.bincount(flat, minlength=n_vectors * BINS).reshape(n_vectors, BINS),
        [top_snippets(own, kept) for own in found],
        kept,
    )


def top_snippets(snippets: Iterable[Snippet], kept: int) -> list[Snippet]:
    """The highest ones, at most `PER_DOCUMENT` of a document.

    What is among the top of all is among the top of any part that holds it, so parts can be merged:
    in a part no more snippets stand above it, of its document or of any other, than in the whole.
    """
    taken, found = Counter(), []
    for snippet in sorted(snippets, key=lambda s: s.rank):
        taken[snippet.document] += 1
        if taken[snippet.document] <= PER_DOCUMENT:
            found.append(snippet)
            if len(found) == kept:
                break
    return found


def _best_stretches(one: ScoredPassage, least_V: np.ndarray) -> list[tuple[int, int, int, float]]:
    """Vector, first token, end and score of each vector's best stretch, where it is good enough."""
    # Tokens that count stand together: those that do not are at a passage's ends.
    first, end = np.flatnonzero(one.counted)[[0, -1]] + [0, 1]
    length = min(SNIPPET_TOKENS, end - first)
    sums_TV = np.cumsum(one.cosine_TV[first:end], axis=0, dtype=np.float64)
    sums_TV = np.concatenate([np.zeros((1, sums_TV.shape[1])), sums_TV])
    mean_TV = np.round((sums_TV[length:] - sums_TV[:-length]) / length, 6)
    best_V = mean_TV.argmax(0)
    score_V = mean_TV[best_V, np.arange(len(best_V))]
    return [
        (int(v), int(first + best_V[v]), int(first + best_V[v] + length), float(score_V[v]))
        for v in np.flatnonzero(score_V >= least_V)
    ]


def _snippet(one: ScoredPassage, v: int, start: int, end: int, score: float) -> Snippet:
    begins = one.places[start:end, 0].tolist()
    # A token reaches to where the next one begins, so that together they are the text.
    bounds = [*begins, int(one.places[end - 1, 1])]
    tokens = [one.passage.text[a:b] for a, b in pairwise(bounds)]
    scores = np.round(one.cosine_TV[start:end, v].astype(np.float64), 4).tolist()
    return Snippet(score, one.passage.document, one.passage.start + begins[0], tokens, scores)
