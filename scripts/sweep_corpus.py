"""Sweep a corpus with every concept's vector, and with random directions, at the layer that is described.

Reads the documents, `model.json`, the vectors, the layer and the words that name each concept; writes each
vector's top snippets with their tokens' scores (JSON lines), its own words' rate in them (CSV) and a
summary (JSON). Shards that are finished are kept in `CORPUS.shards/` beside them: a killed sweep goes on.
"""

from pathlib import Path

import numpy as np
import torch

from emotion_concepts import sweep_scores
from emotion_concepts.corpora import passages, read_documents, reading_plan
from emotion_concepts.corpus_reading import sweep_into
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json
from emotion_concepts.models import open_described
from emotion_concepts.ratings import write_table
from emotion_concepts.story_checks import read_vocabulary
from emotion_concepts.tokens import token_starts
from emotion_concepts.vectors import load_vectors, random_directions, units_at


def main(
    documents: Path, model: Path, vectors: Path, geometry: Path, words: Path, idioms: Path,
    snippets: Path, rates: Path, summary: Path, *,
    cfg: dict, threads: int = 2, batch_tokens: int | None = None,
) -> None:  # fmt: skip
    """Sweep with `cfg`, the `sweep` section with precision, permutations and bootstraps."""
    torch.set_num_threads(threads)
    known, opened = load_vectors(vectors), open_described(model, cfg["precision"])
    layer, concepts = read_json(geometry)["layer"], known.concepts
    random = random_directions(cfg["random_directions"], opened.width, cfg["seed"])
    kinds = dict.fromkeys(concepts, "concept") | {f"random {i}": "random" for i in range(len(random))}
    n_documents, n_tokens = reading_plan(documents, cfg["max_tokens"])
    read = passages(
        read_documents(documents), token_starts(opened.tokenizer), window=cfg["window"],
        max_tokens=cfg["max_tokens"], n_documents=n_documents,
    )  # fmt: skip
    found = sweep_into(
        summary.parent / f"{summary.stem}.shards", opened, read,
        np.concatenate([units_at(known, layer, opened.width), random]), layer=layer, kept=cfg["snippets"],
        shard_tokens=cfg["shard_tokens"], n_tokens=n_tokens, batch_tokens=batch_tokens or None,
    )  # fmt: skip
    texts = sweep_scores.snippet_texts(found)
    rate_VC = sweep_scores.own_word_rates(texts, concepts, read_vocabulary(words, idioms))
    rate_CC, random_RC = np.split(rate_VC, [len(concepts)])
    chance = {name: cfg[name] for name in ("permutations", "bootstraps", "seed")}
    sweep_scores.write_snippets(snippets, found, kinds)
    write_table(rates, sweep_scores.rates_table(rate_CC, random_RC, concepts))
    write_json(
        summary,
        {
            **sweep_scores.own_words_summary(rate_CC, random_RC, **chance),
            "corpus": summary.stem,
            "layer": layer,
            "n_documents": n_documents,
            "n_tokens": found.n_tokens,
            "n_snippets": cfg["snippets"],
            "vectors": sweep_scores.vector_summaries(found, list(kinds)),
        },
    )


if __name__ == "__main__":
    run_script(main, globals())
