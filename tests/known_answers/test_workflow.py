"""The whole workflow, from files to the scorecard, on the planted model and stories of its own."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from emotion_concepts import load_vectors
from emotion_concepts.post_training import KINDS
from emotion_concepts.ratings import write_table
from emotion_concepts.text_sets import write_texts
from tests.known_answers.cases import LAYER, told_stories
from tests.known_answers.dialogues import prompt_set
from tests.known_answers.planted import CONCEPTS, MARKED, N_LAYERS, corpus_set, neutral_set
from tests.known_answers.reading import planted_texts
from tests.workflow.conftest import snakemake

# Not "turns", whose replies would be the planted model's own.
READ = ["implicit", "numbers", "context", "negation", "binding", "locality"]


@pytest.fixture(scope="session")
def planted_run(planted, planted_folder, post_trained_folder, tmp_path_factory):
    """A user's files, a preset made of them, and its results."""
    folder = tmp_path_factory.mktemp("planted run")
    # A concept's words in the experiments' texts are in no story.
    write_texts(folder / "stories.jsonl", told_stories(planted))
    texts = planted_texts(planted, planted.plan.topics - 1)
    texts = {name: texts[name] for name in READ} | {kind: prompt_set(planted, kind) for kind in KINDS}
    for name, of in texts.items():
        write_texts(folder / f"{name}.jsonl", of)
    write_texts(folder / "named.jsonl", corpus_set(planted))
    write_texts(folder / "neutral.jsonl", neutral_set(planted))
    write_table(folder / "ratings.csv", planted.ratings.drop(columns="match"))
    # The directions themselves, as a set that somebody published.
    np.savez(folder / "published.npz", directions=np.stack([planted.units] * 3))
    settings = {
        "models": {
            "planted": {"source": str(planted_folder)},
            "trained": {"source": str(post_trained_folder)},
        },
        "model_pairs": {"training": {"base": "planted", "post": "trained"}},
        "story_sets": {"marked": {"source": "file", "path": "stories.jsonl"}},
        "vector_sets": {
            "published": {
                "source": "file",
                "path": "published.npz",
                "concepts": list(CONCEPTS),
                "layers": [4, 5, 6],
                "model": "planted",
            }
        },
        # Made-up words are no language and no sentence.
        "checks": {"drop": ["names the concept", "exact duplicate"], "min_words": 10},
        "neutral": {"path": "neutral.jsonl"},
        "recording": {"skip": 8, "precision": "float32"},
        "vectors": {"reliability_samples": 50, "control_directions": 7},
        "ratings": {"path": "ratings.csv"},
        "validation": {
            # The planted reply stands before it only from here on.
            "layer": LAYER,
            "max_splits": 20,
            "permutations": 199,
            "retrieval_shuffles": 39,
            "bootstraps": 200,
            "cluster_starts": 2,
        },
        "steering": {"concepts": list(CONCEPTS[::2][:12]), "max_new_tokens": 6},
        # Judged on tables (cases.py), and in test_conduct.py on this model.
        "preferences": {"story_sets": []},
        "conduct": {"experiments": []},
        "corpora": {"named": {"source": "file", "path": "named.jsonl"}},
        "sweep": {"snippets": 1},
        "reading": {"experiments": READ, "paths": {name: f"{name}.jsonl" for name in texts}},
        "run": {
            "models": ["planted"],
            "story_sets": ["marked"],
            "vector_sets": ["published"],
            "model_pairs": ["training"],
            "corpora": ["named"],
        },
    }
    (folder / "planted.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    figure = "results/comparison/training/marked/shift.png"
    snakemake(folder, "results/scorecard.json", figure, "--configfile", str(folder / "planted.yaml"))
    return folder / "results"


def test_scorecard_finds_all_that_is_planted(planted_run):
    lines = json.loads((planted_run / "scorecard.json").read_text())
    rows = {name: {e["row"] for e in lines if e["story_set"] == name} for name in ("marked", "published")}
    # There are no stories behind published vectors that could be held out.
    assert rows == {
        "marked": {1, 2, 3, 4, 5, 8, 10, 11, 12, 13, 20},
        "published": {1, 2, 3, 4, 5, 8, 10, 11, 12, 13},
    }
    # Nobody has labelled a text here.
    lines = [line for line in lines if line["verdict"] != "not applicable"]
    for line in lines:
        assert line["verdict"] == "reproduced", line
        if line["row"] in (1, 8):
            assert line["value"] >= 0.95, line


def test_two_models_are_compared_from_their_files(planted_run):
    table = pd.read_csv(planted_run / "comparison/training/marked/shift.csv")
    assert sorted(set(table["kind"])) == sorted(KINDS) and set(table["format"]) == {"plain"}
    for _, of in table.groupby(["kind", "format"]):
        order = of.sort_values("shift")["concept"].tolist()
        assert (order[0], order[-1]) == ("enthusiastic", "gloomy")
        assert len(order) == len(CONCEPTS)
    # The post-trained model reads the prompts, and nothing else.
    recorded = {path.parent.name for path in (planted_run / "trained/activations").glob("*/manifest.json")}
    assert recorded == set(KINDS)


def test_vectors_on_disk_are_the_planted_ones_from_their_layer_on(planted, planted_run):
    vectors = load_vectors(planted_run / "planted/vectors/marked/vectors.safetensors")
    assert vectors.concepts == list(CONCEPTS) and len(vectors.layers) == N_LAYERS
    for layer in range(N_LAYERS):
        cosines = [vectors.unit(concept, layer) @ planted.units[c] for c, concept in enumerate(CONCEPTS)]
        assert min(cosines) >= 0.95 if layer >= MARKED else np.abs(cosines).max() < 0.01


def test_steered_text_says_the_word(planted_run):
    said = [json.loads(line) for line in (planted_run / "planted/steering/marked/continuations.jsonl").open()]
    steered = [entry for entry in said if entry["kind"] == "concept"]
    assert steered and all(set(entry["text"].split()) == {entry["direction"]} for entry in steered)
