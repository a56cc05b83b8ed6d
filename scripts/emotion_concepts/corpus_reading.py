"""Reading a corpus shard by shard, so that a killed sweep goes on after its last whole shard."""

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from emotion_concepts import recording, sweep, token_scores
from emotion_concepts.code_digest import code_digest
from emotion_concepts.corpora import Passage
from emotion_concepts.errors import DataError
from emotion_concepts.files import read_json, write_json_lines
from emotion_concepts.models import Model
from emotion_concepts.progress import progress_bar
from emotion_concepts.sweep import ScoredPassage, VectorSweep, swept
from emotion_concepts.tokens import counted_tokens, tokenise

logger = logging.getLogger(__name__)

# Own tokens left out at a passage's start. The first is an attention sink in most models; the passage begins
# in the middle of its document, and the next few tokens have seen little of it.
SKIPPED = 8


def sweep_into(
    folder: Path,
    model: Model,
    passages: Iterable[Passage],
    unit_VD: np.ndarray,
    *,
    layer: int,
    kept: int,
    shard_tokens: int,
    n_tokens: int,
    batch_tokens: int | None = None,
) -> VectorSweep:
    """Sweep a corpus, reusing the shards that stand in `folder`.

    Parameters
    ----------
    folder : Path
        One file a shard; one made with another model, layer, vectors, passages or code is made anew.
    passages : iterable of Passage
        Read as they are needed: no more than one shard is held.
    unit_VD : ndarray
        Directions of length 1.
    kept : int
        Top snippets kept for each direction.
    n_tokens : int
        About how many tokens there are, for the progress bar.

    Raises
    ------
    DataError
        No token counts.
    """
    batch_tokens = batch_tokens or recording.usual_batch_tokens(model)
    settings = _settings(model, unit_VD, layer, kept)
    total, n_reused, n_read = VectorSweep.empty(len(unit_VD), kept), 0, 0
    started = time.monotonic()
    with progress_bar(n_tokens, "tokens", "sweeping") as bar:
        for number, shard in enumerate(shards_of(passages, shard_tokens)):
            path = folder / f"shard-{number:06d}.json"
            key = _key(settings, shard)
            stored = read_json(path) if path.is_file() else {}
            if stored.get("key") == key:
                part, n_reused = VectorSweep.from_json(stored["sweep"]), n_reused + 1
            else:
                part = _read(model, shard, unit_VD, layer, kept, batch_tokens, bar)
                # One line: indented, a histogram would take a line a bin.
                write_json_lines(path, [{"key": key, "sweep": part.as_json()}])
                n_read += sum(passage.n_tokens for passage in shard)
            total = total.merged(part)
    elapsed = time.monotonic() - started
    logger.info(
        "read %d tokens in %.1f s, %.0f tokens/s; %d shards from earlier; %d tokens count",
        n_read, elapsed, n_read / max(elapsed, 1e-9), n_reused, total.n_tokens,
    )  # fmt: skip
    if not total.n_tokens:
        raise DataError(f"no passage of the corpus has more than {SKIPPED} tokens")
    return total


def shards_of(passages: Iterable[Passage], shard_tokens: int) -> Iterator[list[Passage]]:
    """Passages in their order, in lists of at least so many tokens; the last may have fewer."""
    shard: list[Passage] = []
    length = 0
    for passage in passages:
        shard.append(passage)
        length += passage.n_tokens
        if length >= shard_tokens:
            yield shard
            shard, length = [], 0
    if shard:
        yield shard


def _read(
    model: Model,
    shard: Sequence[Passage],
    unit_VD: np.ndarray,
    layer: int,
    kept: int,
    batch_tokens: int,
    bar: tqdm,
) -> VectorSweep:
    """One shard through the model."""
    texts = tokenise(model.tokenizer, [passage.text for passage in shard], with_places=True)
    lengths, all_of_them = [len(text.ids) for text in texts], [True] * len(texts)
    way = recording.choose_way(model, texts, all_of_them, layer)
    part = VectorSweep.empty(len(unit_VD), kept)
    for rows in recording.plan_batches(lengths, all_of_them, batch_tokens):
        cosines = token_scores.token_cosines(model, texts, rows, unit_VD, layer=layer, way=way)
        scored = [
            ScoredPassage(shard[row], texts[row].places, counted_tokens(texts[row], SKIPPED), own_TV)
            for row, own_TV in zip(rows, cosines, strict=True)
        ]
        part = part.merged(swept(scored, kept, part.least()))
        bar.update(sum(lengths[row] for row in rows))
    return part


def _settings(model: Model, unit_VD: np.ndarray, layer: int, kept: int) -> dict:
    """All that a shard depends on beside its passages."""
    package = Path(__file__).parents[1]
    modules = (sweep, token_scores)
    return {
        "revision": model.revision,
        "dtype": str(model.hf.dtype).removeprefix("torch."),
        "directions": hashlib.sha256(np.ascontiguousarray(unit_VD, np.float32).tobytes()).hexdigest(),
        "layer": layer,
        "kept": kept,
        "skipped": SKIPPED,
        "code": [code_digest(Path(module.__file__), package) for module in modules],
    }


def _key(settings: dict, shard: Sequence[Passage]) -> str:
    content = json.dumps([settings, *map(asdict, shard)], sort_keys=True)
    return hashlib.sha256(content.encode("utf-8")).hexdigest()
