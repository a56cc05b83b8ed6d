"""Read the residual stream at the named places of every experiment's texts, after every block, in one job.

Reads the text sets and `model.json`; writes for each experiment one HDF5 file a layer and a manifest with the
digest of all values. What has been read is kept in parts: a killed run goes on, and a text that
changes costs its own forward pass. Another job reads the prompts before which two models are compared.
"""

from pathlib import Path

import torch

from emotion_concepts.entry import run_script
from emotion_concepts.errors import DataError
from emotion_concepts.experiments import EXPERIMENTS, PROMPTS
from emotion_concepts.files import write_json
from emotion_concepts.models import open_described
from emotion_concepts.shards import write_places
from emotion_concepts.span_recording import places_table, read_in_formats, record_places
from emotion_concepts.text_sets import read_texts


def main(
    texts: list[Path], model: Path, layers: list[Path], manifests: list[Path], *,
    cfg: dict, threads: int = 2, batch_tokens: int = 0, part_seconds: int = 20,
) -> None:  # fmt: skip
    """Read with `cfg`: precision, storage, formats (each with its limit); texts and outputs are in one order, named by experiment."""
    torch.set_num_threads(threads)
    opened = open_described(model, cfg["precision"])
    known = EXPERIMENTS | PROMPTS
    read = {
        path.stem: read_in_formats(read_texts(path), known[path.stem], opened.tokenizer, cfg["formats"])
        for path in texts
    }
    for name, of in read.items():
        if not of:
            raise DataError(
                f"{name}: none of its texts can be read as {', '.join(cfg['formats'])} with so few of a set; texts that "
                f"are compared with each other are read all or none: raise reading.plain_texts"
            )
    # The prompts of a pair are a job of their own, which may run beside the experiments' and needs its own parts.
    folder = manifests[0].parents[1] / ("prompts" if set(read) <= set(PROMPTS) else "places")
    store = record_places(
        folder,
        opened,
        [text for of in read.values() for text in of],
        batch_tokens=batch_tokens or None,
        part_seconds=part_seconds,
    )
    about = {
        "source": opened.source,
        "revision": opened.revision,
        "dtype": str(opened.hf.dtype).removeprefix("torch."),
        "schema": 1,
    }
    n_layers = len(opened.blocks)
    for of, folder, manifest in zip(read.values(), layers, manifests, strict=True):
        places = places_table(of)
        content = write_places(folder, store, places, n_layers, about, storage=cfg["storage"])
        counts = {
            "n_texts": len({text.id for text in of}),
            "formats": sorted({text.format for text in of}),
            "n_places": len(places),
            "n_tokens": sum(len(text.tokens.ids) for text in of),
        }
        write_json(manifest, {**about, **counts, "n_layers": n_layers, "content_sha256": content})


if __name__ == "__main__":
    run_script(main, globals())
