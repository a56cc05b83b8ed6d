"""Recording a whole text set into a store that survives being killed."""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import compress
from pathlib import Path

from emotion_concepts import batch_budget, recording, tokens
from emotion_concepts.code_digest import code_digest
from emotion_concepts.errors import DataError
from emotion_concepts.models import Model
from emotion_concepts.moments import TokenMoments
from emotion_concepts.progress import progress_bar
from emotion_concepts.shards import PartStore, in_parts, text_digest
from emotion_concepts.text_sets import Text

logger = logging.getLogger(__name__)

# Finished batches are written out this often, so a kill loses no more than that.
PART_SECONDS = 20


def record_into(
    store_folder: Path,
    model: Model,
    texts: Sequence[Text],
    *,
    skip: int,
    max_tokens: int,
    batch_tokens: int | None = None,
    part_seconds: int = PART_SECONDS,
    with_moments: bool = False,
) -> tuple[PartStore, list[Text], dict[str, int]]:
    """Record what the store lacks of these texts.

    Parameters
    ----------
    store_folder : Path
        Where parts and plan are kept; what stands there already is used if it was made with the
        same model, settings and code.
    skip, max_tokens : int
        As in `recording` of the config.
    batch_tokens : int, optional
        Size of new batches; those planned before keep theirs. Without it the size is tried where there is
        much to read (`batch_budget`), and kept with the parts.
    part_seconds : int
        How often finished batches are written out.
    with_moments : bool
        Keep the moments of all counted tokens too (`PartStore.moments`). A text cannot be taken out of
        sums again: where one is gone, all are read anew.

    Returns
    -------
    store, kept, dropped
        The store with all of `kept`, the texts long enough, in their order; counts of the others
        by reason.

    Raises
    ------
    DataError
        No text is long enough.
    """
    store = PartStore(store_folder, _settings(model, skip, max_tokens) | {"moments": with_moments})
    tokenised = tokens.tokenise(model.tokenizer, [text.text for text in texts], max_tokens)
    counted = [tokens.counted_tokens(text, skip) for text in tokenised]
    kept = [text for text, counts in zip(texts, counted, strict=True) if counts.any()]
    dropped = Counter(f"no token left after the first {skip}" for counts in counted if not counts.any())
    if not kept:
        raise DataError(f"none of {len(texts)} texts has more than {skip} tokens; lower recording.skip")

    wanted = {text_digest(text.text) for text in kept}
    if with_moments and store.recorded() - wanted:
        store.empty()
    moments = store.moments(len(model.blocks), model.width) if with_moments else None

    row_of: dict[str, int] = {}
    for row, text in enumerate(texts):
        row_of.setdefault(text_digest(text.text), row)
    digest_of = {row: digest for digest, row in row_of.items()}
    planned = store.planned()
    lengths = [len(text.ids) for text in tokenised]
    long_enough = [bool(counts.any()) for counts in counted]
    new = [
        long_enough[row] and row in digest_of and digest_of[row] not in planned for row in range(len(texts))
    ]

    way = store.fixed("way", lambda: recording.choose_way(model, tokenised, long_enough))
    reading = recording.Pass(model, tokenised, [recording.Pooling(counted)], way, moments=moments)
    started, n_recorded, n_tokens = time.monotonic(), 0, 0
    trials: list[batch_budget.Trial] = []

    def settled_budget() -> int:
        if planned or sum(compress(lengths, new)) < batch_budget.TUNED_FROM:
            return recording.BATCH_TOKENS
        budget, tried = batch_budget.tuned_budget(reading, lengths, new)
        trials.extend(tried)
        return budget

    batch_tokens = batch_tokens or store.fixed("batch_tokens", settled_budget)
    for trial in trials:
        store.extend_plan([[digest_of[row] for row in trial.rows]])
        n_recorded, n_tokens = n_recorded + len(trial.rows), n_tokens + trial.n_tokens
        for row in trial.rows:
            new[row] = False
    if trials:
        _write(store, [batch for trial in trials for batch in trial.pooled], digest_of, moments)
    batches = recording.plan_batches(lengths, new, batch_tokens)
    store.extend_plan([[digest_of[row] for row in batch] for batch in batches])

    waiting = store.waiting(wanted)
    total = sum(lengths[row_of[digest]] for batch in waiting for digest in batch)
    with progress_bar(total, "tokens", "recording") as bar:

        def recorded() -> Iterator[recording.PooledBatch]:
            for digests in waiting:
                rows = [row_of[digest] for digest in digests]
                (batch,) = recording.pool_within_memory(reading, rows)
                bar.update(sum(lengths[row] for row in rows))
                yield batch

        for part in in_parts(recorded(), part_seconds):
            _write(store, part, digest_of, moments)
    n_recorded, n_tokens = n_recorded + sum(map(len, waiting)), n_tokens + total
    elapsed = time.monotonic() - started
    logger.info(
        "recorded %d of %d texts (%d from earlier), %s, dropped %s, %d tokens in %.1f s, %.0f tokens/s",
        n_recorded, len(kept), len(kept) - n_recorded, way, dict(dropped) or "none",
        n_tokens, elapsed, n_tokens / max(elapsed, 1e-9),
    )  # fmt: skip
    return store, kept, dict(dropped)


def _settings(model: Model, skip: int, max_tokens: int) -> dict:
    """All that a recorded value depends on beside the text."""
    return {
        "revision": model.revision,
        "dtype": str(model.hf.dtype).removeprefix("torch."),
        "skip": skip,
        "max_tokens": max_tokens,
        "code": code_digest(Path(recording.__file__), Path(__file__).parents[1]),
    }


def _write(
    store: PartStore,
    batches: list[recording.PooledBatch],
    digest_of: dict[int, str],
    moments: TokenMoments | None,
) -> None:
    (part,) = recording.joined([[batch] for batch in batches])
    digests = [digest_of[row] for row in part.rows]
    store.write_part(digests, part.value_LBD, part.norm_LB, part.n_tokens_B, moments)
