"""Prefix trees: sequences that begin alike share their beginning, which is then computed once. numpy alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Node:
    """A stretch of tokens that some sequences share.

    parent : the node before it, -1 at a beginning; start, end : its places in each of them; sequence : one of them.
    """

    parent: int
    start: int
    end: int
    sequence: int


def prefix_tree(sequences: Sequence[np.ndarray], shortest: int) -> tuple[list[Node], np.ndarray]:
    """The tree of some sequences' beginnings.

    Parameters
    ----------
    sequences : sequence of int64 arrays
        None empty. Tokens that are to be told apart have different numbers.
    shortest : int
        A beginning is shared if it is at least so long beyond the one before it: a node costs a pass of its own.

    Returns
    -------
    nodes, end_N
        Parents come before their children; `end_N[i]` is the node with which sequence i ends.
    """
    keys = [tuple(sequence.tolist()) for sequence in sequences]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    nodes: list[Node] = []
    ends = np.full(len(keys), -1)
    groups = [(order, 0, -1)]
    while groups:
        group, start, parent = groups.pop()
        first, last = keys[group[0]], keys[group[-1]]
        # In sorted order, what the first and the last have in common all have in common.
        common = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
        ended = [i for i in group if len(keys[i]) == common]
        if ended or common - start >= shortest:
            if common > start:
                nodes.append(Node(parent, start, common, group[0]))
                parent, start = len(nodes) - 1, common
            ends[ended] = parent
        groups += [(part, start, parent) for part in _parted(keys, group[len(ended) :], common)]
    return nodes, ends


def _parted(keys: Sequence[tuple], group: Sequence[int], place: int) -> list[list[int]]:
    """A sorted group in parts that have the same token at a place."""
    parts: dict[int, list[int]] = {}
    for i in group:
        parts.setdefault(keys[i][place], []).append(i)
    return list(parts.values())
