"""Ask the vectors for texts that people have labelled, at the layer that is described.

Reads the labelled texts, the map from labels to concepts, `model.json`, the vectors and the layer; writes
AUROC and average precision of each label (CSV), beside word counts, length and random directions, and a
summary (JSON).
"""

from itertools import compress
from pathlib import Path

import numpy as np
import torch

from emotion_concepts import label_scores
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json
from emotion_concepts.labelled_texts import asked_labels, read_concept_map, read_labelled
from emotion_concepts.models import open_described
from emotion_concepts.ratings import write_table
from emotion_concepts.recording import Pooling, pooled_at
from emotion_concepts.tokens import counted_tokens, tokenise
from emotion_concepts.vectors import load_vectors, random_directions, units_at

# Own tokens left out at a text's start: the first is an attention sink in most models.
SKIPPED = 1


def main(
    texts: Path, concepts: Path, names: list[Path], model: Path, vectors: Path, geometry: Path,
    scores: Path, summary: Path, *, cfg: dict, threads: int = 2,
) -> None:  # fmt: skip
    """Score with `cfg`: columns, precision, max_tokens, random_directions, permutations, bootstraps, seed."""
    torch.set_num_threads(threads)
    known, opened = load_vectors(vectors), open_described(model, cfg["precision"])
    layer, chance = read_json(geometry)["layer"], {k: cfg[k] for k in ("permutations", "bootstraps", "seed")}
    labelled = read_labelled(texts, cfg["columns"], names[0] if names else None)
    tokenised = tokenise(opened.tokenizer, labelled.texts, cfg["max_tokens"])
    counted = [counted_tokens(text, SKIPPED) for text in tokenised]
    kept_N = np.array([of_text.any() for of_text in counted])
    labelled = labelled.only(kept_N)
    tokenised, counted = (list(compress(values, kept_N)) for values in (tokenised, counted))
    asked, left_out = asked_labels(
        labelled, read_concept_map(concepts), known.concepts,
        least=label_scores.LEAST_TEXTS, where=f"{texts}, {concepts}",
    )  # fmt: skip
    unit_CD = units_at(known, layer, opened.width)
    random_RD = random_directions(cfg["random_directions"], opened.width, cfg["seed"])
    value_ND = pooled_at(opened, tokenised, Pooling(counted), layer)
    score_NV = label_scores.centred_cosines(value_ND, np.concatenate([unit_CD, random_RD]))
    of_label = [[known.concepts.index(concept) for concept in own] for own in asked.values()]
    truth_NL = labelled.truth_NL[:, [labelled.labels.index(label) for label in asked]]
    table, found = label_scores.label_scores(
        np.column_stack([score_NV[:, own].mean(1) for own in of_label]), truth_NL, list(asked),
        tfidf_NL=label_scores.word_count_scores(labelled.texts, truth_NL, cfg["seed"]),
        length_N=np.array([len(text.ids) for text in tokenised]),
        random_NR=score_NV[:, len(unit_CD) :], **chance,
    )  # fmt: skip
    table.insert(1, "concepts", [", ".join(own) for own in asked.values()])
    write_table(scores, table)
    write_json(
        summary,
        {**found, "labelled_set": summary.stem, "layer": layer, "too_short": int((~kept_N).sum()),
         "left_out": left_out},
    )  # fmt: skip


if __name__ == "__main__":
    run_script(main, globals())
