"""The planted model, its shifted twin, and what the workflow would make of its stories."""

import pytest

from emotion_concepts import load_model
from tests.known_answers.dialogues import POST_TRAINED
from tests.known_answers.planted import CONCEPTS, Plan, Planted

SHIFT = {"gloomy": 0.4, "eager": -0.3}


@pytest.fixture(scope="session")
def planted() -> Planted:
    # One topic more than there are stories of: the texts of the experiments have its words.
    return Planted(Plan(topics=7))


@pytest.fixture(scope="session")
def planted_folder(planted, tmp_path_factory):
    return planted.save(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="session")
def planted_model(planted_folder):
    return load_model(str(planted_folder), dtype="float32")


@pytest.fixture(scope="session")
def post_trained_folder(planted, tmp_path_factory):
    """The same with the shift that row 20 claims, where the reply stands: there each concept is read as another."""
    said_as = {CONCEPTS[reply]: CONCEPTS[said] for said, reply in enumerate(planted.reply_of)}
    shift = {said_as[concept]: times for concept, times in POST_TRAINED.items()}
    return Planted(Plan(topics=7, shift=shift)).save(tmp_path_factory.mktemp("post-trained"))


@pytest.fixture(scope="session")
def shifted_model(tmp_path_factory):
    """The same model as if trained further: every token has more gloom and less eagerness."""
    return load_model(
        str(Planted(Plan(topics=7, shift=SHIFT)).save(tmp_path_factory.mktemp("shifted"))), dtype="float32"
    )
