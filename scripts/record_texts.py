"""Record a text set: the mean residual stream of each text after every block, in one pass.

Reads the text set and `model.json`; writes one HDF5 file a layer and a manifest with the digest of
all values. What has been recorded is kept in `parts/` beside them: a killed run goes on, and a
story that changes costs its own forward pass.
"""

from pathlib import Path

import h5py
import torch
import transformers

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json
from emotion_concepts.models import open_described
from emotion_concepts.shards import write_layers
from emotion_concepts.text_recording import record_into
from emotion_concepts.text_sets import read_texts


def main(
    texts: Path,
    model: Path,
    layers: Path,
    manifest: Path,
    *,
    cfg: dict,
    threads: int = 2,
    batch_tokens: int | None = None,
    part_seconds: int = 20,
) -> None:
    """Record with `cfg`: skip, max_tokens, precision, storage, moments."""
    torch.set_num_threads(threads)
    opened = open_described(model, cfg["precision"])
    store, kept, dropped = record_into(
        manifest.parent / "parts",
        opened,
        read_texts(texts),
        skip=cfg["skip"],
        max_tokens=cfg["max_tokens"],
        batch_tokens=batch_tokens or None,
        part_seconds=part_seconds,
        with_moments=cfg["moments"],
    )
    about = {
        "source": opened.source,
        "revision": opened.revision,
        "dtype": str(opened.hf.dtype).removeprefix("torch."),
        "skip": cfg["skip"],
        "max_tokens": cfg["max_tokens"],
        "format": "plain",
        "torch": str(torch.__version__),
        "transformers": transformers.__version__,
        "h5py": h5py.__version__,
        "schema": 1,
    }
    n_layers = read_json(model)["n_layers"]
    moments = store.moments(n_layers, opened.width) if cfg["moments"] else None
    content = write_layers(layers, store, kept, n_layers, about, storage=cfg["storage"], moments=moments)
    counts = {"n_texts": len(kept), "dropped": dropped, "n_layers": n_layers, "width": opened.width}
    write_json(manifest, {**about, **counts, "content_sha256": content})


if __name__ == "__main__":
    run_script(main, globals())
