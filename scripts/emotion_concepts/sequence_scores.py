"""How likely a model finds the ends of texts, steered or not; beginnings that texts share are read once.

A beginning counts as shared if its tokens are the same and so is what is done to the residual stream at them: the
same prompt under many directions is read once as long as no token of it is steered.
Shape letters: N sequences, B rows, T tokens, V vocabulary.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from emotion_concepts.caches import CacheKind, Past, cache_kind, cache_of, past_of
from emotion_concepts.models import Model
from emotion_concepts.prefix_tree import Node, prefix_tree
from emotion_concepts.progress import progress_bar
from emotion_concepts.steering import Aim, Edits, steered
from emotion_concepts.tokens import has_special_tokens

# Shorter stretches are not worth a pass of their own.
SHORTEST_SHARED = 4
# Sequences that are worked on at once: what they share is held in memory.
CHUNK = 1024
# Tokens in a pass, and rows of logits kept of it: large batches fall out of a CPU's cache.
BATCH_TOKENS = {"cpu": 1536, "cuda": 16384}
BATCH_LOGITS = 1024


@dataclass(frozen=True)
class ScoredSequence:
    """Tokens of which the last ones are scored.

    ids : int64 [T]; scored : how many of the last tokens, fewer than T; edit : row of the edits, or -1 for none;
    where : bool [T], the tokens at which it is done.
    """

    ids: np.ndarray
    scored: int
    edit: int = -1
    where: np.ndarray | None = None


def token_logprobs(
    model: Model, sequences: Sequence[ScoredSequence], edits: Edits, *, shown_as: str = "scoring"
) -> list[np.ndarray]:
    """Log-probability of each scored token, given all tokens before it.

    Parameters
    ----------
    edits : Edits
        Rows are chosen by each sequence.
    shown_as : str
        What the progress bar says.

    Returns
    -------
    list of float32 arrays [scored]
        Natural logarithms, one array a sequence.
    """
    found = [np.zeros(sequence.scored, np.float32) for sequence in sequences]
    codes = [_codes(sequence) for sequence in sequences]
    order = sorted(range(len(sequences)), key=lambda i: codes[i].tolist())
    kind = cache_kind(model)
    with (
        torch.inference_mode(),
        steered(model, edits) as aim,
        contiguous_head(model),
        progress_bar(sum(sequence.scored for sequence in sequences), "tokens", shown_as) as bar,
    ):
        for first in range(0, len(order), CHUNK):
            chunk = order[first : first + CHUNK]
            chosen = [sequences[i] for i in chunk], [codes[i] for i in chunk]
            for place, token, logprob in _chunk_logprobs(model, *chosen, aim, kind):
                found[chunk[place]][token] = logprob
                bar.update(1)
    return found


def continuation_logprobs(
    model: Model,
    prompts: Sequence[str],
    continuations: Sequence[Sequence[str]],
    edits: Edits,
    *,
    reply_only: bool = False,
) -> np.ndarray:
    """Log-probability of each prompt's continuations under each edit.

    Parameters
    ----------
    prompts : sequence of str
        Without a space at their ends.
    continuations : sequence of sequences of str
        As many for each prompt, each with its leading space.
    reply_only : bool
        Steer only from the prompt's last token on, not all tokens.

    Returns
    -------
    ndarray, float32 [edits, prompts, continuations]
        Natural logarithms, summed over a continuation's tokens; 0 for one without a token.
    """
    sequences, places = [], []
    result = np.zeros((len(edits), len(prompts), len(continuations[0])), np.float32)
    for p, (prompt, texts) in enumerate(zip(prompts, continuations, strict=True)):
        start = prompt_ids(model, prompt)
        for c, text in enumerate(texts):
            tail = model.tokenizer(text, add_special_tokens=False)["input_ids"]
            ids = np.array(start + tail)
            where = np.arange(len(ids)) >= (len(start) - 1 if reply_only else 0)
            if tail:
                sequences += [ScoredSequence(ids, len(tail), edit, where) for edit in range(len(edits))]
                places += [(edit, p, c) for edit in range(len(edits))]
    for place, logprob in zip(places, token_logprobs(model, sequences, edits), strict=True):
        result[place] = logprob.sum()
    return result


def prompt_ids(model: Model, prompt: str) -> list[int]:
    """Tokens of a prompt; one that begins as a chat template writes it has its special tokens already."""
    asked = not has_special_tokens(model.tokenizer, prompt)
    return model.tokenizer(prompt, add_special_tokens=asked)["input_ids"]


@contextmanager
def contiguous_head(model: Model) -> Iterator[None]:
    """While this is open, the unembedding gets its input laid out anew: on a slice of it, it is ten times slower."""
    head = model.hf.get_output_embeddings()
    handle = head.register_forward_pre_hook(lambda _, inputs: (inputs[0].contiguous(), *inputs[1:]))
    try:
        yield
    finally:
        handle.remove()


def left_padded(
    ids: Sequence[Sequence[int]], where: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that end at the same place: which tokens are their own, the tokens, and which are steered: [B, T] each.

    T is 1 at least, also where no row has a token.
    """
    longest = max(1, *map(len, ids))
    own_BT = np.array([[False] * (longest - len(row)) + [True] * len(row) for row in ids])
    ids_BT, where_BT = np.zeros(own_BT.shape, np.int64), np.zeros(own_BT.shape, bool)
    ids_BT[own_BT] = np.concatenate([np.asarray(row, np.int64) for row in ids])
    where_BT[own_BT] = np.concatenate(where)
    return own_BT, ids_BT, where_BT


def _codes(sequence: ScoredSequence) -> np.ndarray:
    """What is fed, as numbers that differ where the token or what is done at it does: the last token is only scored."""
    edit = np.where(_where(sequence), sequence.edit + 1, 0)[:-1]
    return sequence.ids[:-1] + (edit.astype(np.int64) << 32)


def _where(sequence: ScoredSequence) -> np.ndarray:
    if sequence.edit < 0:
        return np.zeros(len(sequence.ids), bool)
    return np.ones(len(sequence.ids), bool) if sequence.where is None else sequence.where


@dataclass(frozen=True)
class _Stretch:
    """A node with what a pass needs: its tokens, the edit at them, and which logits are wanted."""

    node: Node
    ids: np.ndarray
    edit: int
    where: np.ndarray
    # Place in the stretch, counted from its end (1 is its last token): [(sequence, scored token, token id), ..].
    wanted: dict[int, list[tuple[int, int, int]]]
    is_parent: bool

    @property
    def n_logits(self) -> int:
        return max(self.wanted, default=1)


def _chunk_logprobs(
    model: Model, sequences: Sequence[ScoredSequence], codes: Sequence[np.ndarray], aim: Aim, kind: CacheKind
) -> Iterator[tuple[int, int, float]]:
    """Sequence, scored token and its log-probability, for all of a chunk."""
    # Without a cache that can be cut, nothing is shared but what is the same to the end.
    shared = kind.can_be_cut(max(map(len, codes)))
    nodes, ends = prefix_tree(codes, SHORTEST_SHARED) if shared else _whole(codes)
    stretches = _stretches(sequences, nodes, ends)
    level = [0] * len(nodes)
    for number, node in enumerate(nodes):
        level[number] = level[node.parent] + 1 if node.parent >= 0 else 0
    pasts: dict[int, Past] = {}
    for depth in range(max(level) + 1):
        here = [number for number in range(len(nodes)) if level[number] == depth]
        for batch in _batches(model, stretches, here, alone=not kind.plain):
            yield from _read(model, stretches, batch, pasts, aim)
        # What lies above is not needed any more.
        for number in {nodes[n].parent for n in here} - {-1}:
            del pasts[number]


def _whole(codes: Sequence[np.ndarray]) -> tuple[list[Node], np.ndarray]:
    """Every different sequence a node of its own."""
    nodes: list[Node] = []
    known: dict[bytes, int] = {}
    ends = np.empty(len(codes), int)
    for i, code in enumerate(codes):
        if code.tobytes() not in known:
            known[code.tobytes()] = len(nodes)
            nodes.append(Node(-1, 0, len(code), i))
        ends[i] = known[code.tobytes()]
    return nodes, ends


def _stretches(
    sequences: Sequence[ScoredSequence], nodes: Sequence[Node], ends: np.ndarray
) -> list[_Stretch]:
    wanted: list[dict] = [defaultdict(list) for _ in nodes]
    for i, sequence in enumerate(sequences):
        number, n = int(ends[i]), len(sequence.ids)
        for token in reversed(range(sequence.scored)):
            # The logits after the token before it.
            place = n - sequence.scored + token - 1
            while place < nodes[number].start:
                number = nodes[number].parent
            wanted[number][nodes[number].end - place].append((i, token, int(sequence.ids[place + 1])))
    parents = {node.parent for node in nodes}
    stretches = []
    for number, node in enumerate(nodes):
        of, part = sequences[node.sequence], slice(node.start, node.end)
        stretches.append(
            _Stretch(node, of.ids[part], of.edit, _where(of)[part], dict(wanted[number]), number in parents)
        )
    return stretches


def _batches(
    model: Model, stretches: Sequence[_Stretch], numbers: Sequence[int], *, alone: bool
) -> Iterator[list[int]]:
    """Numbers of stretches that go through together: alike in what they want and in length."""
    limit = BATCH_TOKENS["cpu" if model.device.type == "cpu" else "cuda"]

    def order(number: int) -> tuple[int, int, int]:
        stretch = stretches[number]
        return stretch.n_logits, stretch.node.end - stretch.node.start, stretch.node.start

    batch: list[int] = []
    for number in sorted(numbers, key=order):
        longest = max(len(stretches[n].ids) for n in [*batch, number])
        n_logits = stretches[number].n_logits
        rows = len(batch) + 1
        if batch and (alone or rows * longest > limit or rows * n_logits > BATCH_LOGITS):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _read(
    model: Model, stretches: Sequence[_Stretch], batch: Sequence[int], pasts: dict[int, Past], aim: Aim
) -> Iterator[tuple[int, int, float]]:
    """One pass: log-probabilities that are wanted of it; what children need is left in `pasts`."""
    rows = [stretches[number] for number in batch]
    # The logits that are kept are the last of every row.
    own_BT, ids_BT, where_BT = left_padded([row.ids for row in rows], [row.where for row in rows])
    starts = np.array([row.node.start for row in rows])
    position_BT = (starts[:, None] + own_BT.cumsum(1) - 1).clip(min=0)
    attended, cache = torch.from_numpy(own_BT).to(model.device), None
    if rows[0].node.parent >= 0:
        parents = [row.node.parent for row in rows]
        used = sorted(set(parents))
        index = torch.tensor([used.index(parent) for parent in parents])
        cache, before = cache_of(model, [pasts[parent] for parent in used], index)
        attended = torch.cat([before, attended], dim=1)
    aim.at(
        torch.tensor([row.edit for row in rows], device=model.device),
        torch.from_numpy(where_BT).to(model.device),
    )
    output = model.hf(
        input_ids=torch.from_numpy(ids_BT).to(model.device), attention_mask=attended.long(),
        position_ids=torch.from_numpy(position_BT).to(model.device), cache=cache,
        use_cache=cache is not None or any(row.is_parent for row in rows), logits_to_keep=max(row.n_logits for row in rows),
    )  # fmt: skip
    for b, (number, row) in enumerate(zip(batch, rows, strict=True)):
        if row.is_parent:
            pasts[number] = past_of(output.cache, b, attended[b])
    asked = [(b, back, *of) for b, row in enumerate(rows) for back, many in row.wanted.items() for of in many]
    if not asked:
        return
    b, back, sequence, token, token_id = (np.array(column) for column in zip(*asked, strict=True))
    logits_BKV = output.logits.float()
    total_BK = logits_BKV.logsumexp(-1)
    logprob = logits_BKV[b, -back, token_id] - total_BK[b, -back]
    yield from zip(sequence.tolist(), token.tolist(), logprob.tolist(), strict=True)
