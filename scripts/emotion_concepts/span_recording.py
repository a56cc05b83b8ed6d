"""Recording the residual stream at named places of texts, in every format that they are read in.

One pass over all text sets of the experiments that read: a place is the last token of a span, the mean over
it, or each of its tokens. What is recorded is kept by what it depends on, as for stories: a killed run goes
on, and a text that changes costs its own forward pass.
"""

import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd
from transformers import PreTrainedTokenizerBase

from emotion_concepts import recording
from emotion_concepts.code_digest import code_digest
from emotion_concepts.errors import DataError
from emotion_concepts.experiments import Experiment, How
from emotion_concepts.models import Model
from emotion_concepts.progress import progress_bar
from emotion_concepts.shards import PartStore, in_parts
from emotion_concepts.spans import last_token_of, rendered, tokenise_rendered, tokens_of
from emotion_concepts.text_sets import Text
from emotion_concepts.tokens import TokenisedText

logger = logging.getLogger(__name__)

CHAT, NAMED = "chat", "named"


@dataclass(frozen=True)
class Place:
    """Where a text is read.

    span : its name, with the token's number where each token is a place; token : the last token that
    counts, as text; counted : bool [T]; digest : what the values are known by.
    """

    span: str
    token: str
    counted: np.ndarray
    digest: str


@dataclass(frozen=True)
class ReadText:
    """A text as the model reads it: its id, its format, its tokens, and the places that are read."""

    id: str
    format: str
    tokens: TokenisedText
    places: list[Place]


def read_in_formats(
    texts: Sequence[Text],
    experiment: Experiment,
    tokenizer: PreTrainedTokenizerBase,
    formats: Mapping[str, int | None],
) -> list[ReadText]:
    """Texts in every format that they have: dialogues as plain turns and through the chat template, named scripts.

    Parameters
    ----------
    experiment : Experiment
        Which spans are read, and how; which texts belong together.
    formats : mapping
        Format to the most texts that are read in it (`some_of`); None reads all. A text that is no dialogue has
        no chat, one with the label `format` that one alone; a model without a chat template reads no chat.

    Raises
    ------
    DataError
        A text lacks a span, or none of its tokens stands for it.
    """
    read = []
    for name, limit in formats.items():
        chat = name == CHAT
        if chat and tokenizer.chat_template is None:
            continue
        of_format = [text for text in texts if text.labels.get("format", name) == name]
        if name == NAMED:
            of_format = [text for text in of_format if "format" in text.labels]
        chosen = some_of([text for text in of_format if text.messages or not chat], experiment, limit)
        whole = [rendered(text, tokenizer, chat_template=chat) for text in chosen]
        tokens = tokenise_rendered(tokenizer, whole, chat_template=chat)
        for text, of, tokenised in zip(chosen, whole, tokens, strict=True):
            counted = dict(_places(of.spans, experiment.spans, tokenised, text.id))
            places = [
                Place(
                    span,
                    # HDF5 ends a string at its first NUL.
                    tokenizer.decode([int(tokenised.ids[np.flatnonzero(mask)[-1]])]).replace("\0", "\ufffd"),
                    mask,
                    _digest(of.text, mask),
                )
                for span, mask in counted.items()
            ]
            read.append(ReadText(text.id, name, tokenised, places))
    return read


def some_of(texts: Sequence[Text], experiment: Experiment, limit: int | None) -> list[Text]:
    """At most `limit` texts, in their order; those that belong together all or none.

    They are drawn by the digests of what they share, so that no column of a grid is favoured. None where fewer
    groups have room than the experiment can do with.
    """
    if limit is None or len(texts) <= limit:
        return list(texts)
    shared = [
        json.dumps([str(text.labels.get(name)) for name in experiment.together] or [text.id])
        for text in texts
    ]
    room = limit // max(Counter(shared).values())
    if room < experiment.fewest:
        return []
    order = sorted(set(shared), key=lambda group: hashlib.sha256(group.encode("utf-8")).digest())
    drawn = set(order[:room])
    return [text for text, group in zip(texts, shared, strict=True) if group in drawn]


def record_places(
    store_folder: Path,
    model: Model,
    texts: Sequence[ReadText],
    *,
    batch_tokens: int | None = None,
    part_seconds: int = 20,
) -> PartStore:
    """Record what the store lacks of these texts' places, at every layer.

    Parameters
    ----------
    store_folder : Path
        Where parts and plan are kept; what stands there is used if the model and the code are the same.
    batch_tokens, part_seconds : int
        As in `text_recording.record_into`.
    """
    store = PartStore(
        store_folder,
        {
            "revision": model.revision,
            "dtype": str(model.hf.dtype).removeprefix("torch."),
            "code": code_digest(Path(recording.__file__), Path(__file__).parents[1]),
        },
    )
    first = {
        place.digest: (row, place) for row, text in reversed([*enumerate(texts)]) for place in text.places
    }
    lengths = [len(text.tokens.ids) for text in texts]
    # Texts with the same number of places share their passes.
    planned, batches = store.planned(), []
    for count in sorted({len(text.places) for text in texts}):
        new = [
            len(text.places) == count and _is_new(text, row, first, planned) for row, text in enumerate(texts)
        ]
        batches += recording.plan_batches(lengths, new, batch_tokens or recording.BATCH_TOKENS)
    plan = []
    for rows in batches:
        # A place belongs to one batch alone: which values it gets does not depend on where a recording ended.
        digests = dict.fromkeys(place.digest for row in rows for place in texts[row].places)
        plan.append([digest for digest in digests if digest not in planned])
        planned.update(digests)
    store.extend_plan(plan)
    tokens = [text.tokens for text in texts]
    way = store.fixed("way", lambda: recording.choose_way(model, tokens, [True] * len(texts)))
    waiting = [
        (digests, list(dict.fromkeys(first[digest][0] for digest in digests)))
        for digests in store.waiting(set(first))
    ]
    started, n_tokens = time.monotonic(), sum(lengths[row] for _, rows in waiting for row in rows)
    with progress_bar(n_tokens, "tokens", "reading") as bar:

        def read() -> Iterator[PlaceBatch]:
            for digests, rows in waiting:
                batch = read_batch(model, texts, way, digests, rows)
                bar.update(sum(lengths[row] for row in rows))
                yield batch

        for part in in_parts(read(), part_seconds):
            _write(store, part)
    elapsed = time.monotonic() - started
    logger.info(
        "read %d texts at %d places, %s, %d tokens in %.1f s, %.0f tokens/s",
        len(texts), len(first), way, n_tokens, elapsed, n_tokens / max(elapsed, 1e-9),
    )  # fmt: skip
    return store


def places_table(texts: Sequence[ReadText]) -> pd.DataFrame:
    """The places of these texts as a table: text, format, span, token, digest."""
    rows = [
        (text.id, text.format, place.span, place.token, place.digest)
        for text in texts
        for place in text.places
    ]
    return pd.DataFrame(rows, columns=["text", "format", "span", "token", "digest"])


@dataclass(frozen=True)
class PlaceBatch:
    """What was read at some places U, known by their digests: as `recording.PooledBatch`."""

    digests: list[str]
    value_LUD: np.ndarray
    norm_LU: np.ndarray
    n_tokens_U: np.ndarray


def read_batch(
    model: Model, texts: Sequence[ReadText], way: recording.Way, digests: list[str], rows: list[int]
) -> PlaceBatch:
    """The places of a batch of texts, in the order of their digests."""
    chosen = [texts[row] for row in rows]
    most = max(len(text.places) for text in chosen)
    nothing = [np.zeros(len(text.tokens.ids), bool) for text in chosen]
    poolings = [
        recording.Pooling(
            [
                text.places[k].counted if k < len(text.places) else none
                for text, none in zip(chosen, nothing, strict=True)
            ]
        )
        for k in range(most)
    ]
    reading = recording.Pass(model, [text.tokens for text in chosen], poolings, way)
    pooled = recording.pool_within_memory(reading, range(len(chosen)))
    at = {place.digest: (k, row) for row, text in enumerate(chosen) for k, place in enumerate(text.places)}
    found = [at[digest] for digest in digests]
    return PlaceBatch(
        digests,
        np.stack([pooled[k].value_LBD[:, row] for k, row in found], axis=1),
        np.stack([pooled[k].norm_LB[:, row] for k, row in found], axis=1),
        np.array([pooled[k].n_tokens_B[row] for k, row in found], np.int32),
    )


def _write(store: PartStore, batches: Sequence[PlaceBatch]) -> None:
    store.write_part(
        [digest for batch in batches for digest in batch.digests],
        np.concatenate([batch.value_LUD for batch in batches], axis=1),
        np.concatenate([batch.norm_LU for batch in batches], axis=1),
        np.concatenate([batch.n_tokens_U for batch in batches]),
    )


def _is_new(text: ReadText, row: int, first: Mapping[str, tuple[int, Place]], planned: set[str]) -> bool:
    """Does this text, and none before it, have places that no batch of the plan holds?"""
    return any(first[place.digest][0] == row and place.digest not in planned for place in text.places)


def _places(
    known: Mapping[str, tuple[int, int]], spans: Mapping[str, How], text: TokenisedText, name: str
) -> Iterator[tuple[str, np.ndarray]]:
    for pattern, how in spans.items():
        found = [span for span in known if fnmatchcase(span, pattern)]
        if not found:
            raise DataError(f"text {name}: no span {pattern!r}; it has {', '.join(known) or 'none'}")
        for span in found:
            counted = last_token_of(text, known[span]) if how == "last" else tokens_of(text, known[span])
            if not counted.any():
                raise DataError(f"text {name}: no token stands for span {span!r}")
            if how != "each":
                yield span, counted
                continue
            for number, place in enumerate(np.flatnonzero(counted)):
                yield f"{span} {number}", np.arange(len(counted)) == place


def _digest(text: str, counted: np.ndarray) -> str:
    """What a place's values depend on: the text as it is read, and which tokens count."""
    return hashlib.sha256(text.encode("utf-8") + b"\0" + np.packbits(counted).tobytes()).hexdigest()
