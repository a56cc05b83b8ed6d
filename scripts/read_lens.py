"""Read every concept's vector as words: through the model's final norm and unembedding, at every layer.

Reads `model.json`, the vectors, the words that name each concept and the layer that the geometry is described at;
writes the top and bottom tokens (CSV), the share of concepts that read as their own words by layer (CSV),
with random directions and shuffled labels beside it, and a summary (JSON).
"""

from pathlib import Path

import torch

from emotion_concepts import lens_scores
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json
from emotion_concepts.lens_scores import SHOWN, TOP
from emotion_concepts.lens_words import concept_words, word_tokens
from emotion_concepts.logit_lens import LogitLens, ends_table, flat_directions
from emotion_concepts.models import open_described
from emotion_concepts.ratings import write_table
from emotion_concepts.story_checks import read_vocabulary
from emotion_concepts.vectors import load_vectors, random_directions


def main(
    model: Path, vectors: Path, words: Path, idioms: Path, geometry: Path, tokens: Path, scores: Path,
    summary: Path, *, cfg: dict, threads: int = 2,
) -> None:  # fmt: skip
    """Read with `cfg`: precision, permutations, bootstraps, seed."""
    torch.set_num_threads(threads)
    known, opened = load_vectors(vectors), open_described(model, cfg["precision"])
    layer = read_json(geometry)["layer"]
    chance = {name: cfg[name] for name in ("permutations", "bootstraps", "seed")}
    lens, n_concepts = LogitLens(opened), len(known.concepts)
    read = lens.read(flat_directions(known, opened.width), top=TOP, bottom=SHOWN)
    random = lens.read(random_directions(n_concepts, opened.width, cfg["seed"]), top=TOP, bottom=SHOWN)
    own = word_tokens(opened.tokenizer, concept_words(known.concepts, read_vocabulary(words, idioms)))
    top_LCK = read.top_NK.reshape(len(known.layers), n_concepts, -1)
    table, found = lens_scores.scored(top_LCK, random.top_NK, own, known.layers, layer, **chance)
    ends = ends_table(read, known, opened.tokenizer, SHOWN)
    shown = lens_scores.shown_concepts(known.concepts)
    at = {"tokens": layer, "best_tokens": found.get("best_layer", layer)}
    words_at = {name: lens_scores.tokens_of(ends, at[name], shown) for name in at}
    lens_scores.write_tokens(tokens, ends)
    write_table(scores, table)
    write_json(summary, {**found, "top": TOP, "layer": layer, **words_at})


if __name__ == "__main__":
    run_script(main, globals())
