"""Writing stories with a model: prompts, checks, and drafts that survive being killed."""

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from emotion_concepts.errors import DataError
from emotion_concepts.files import read_json, write_json
from emotion_concepts.generation import chat_prompt, sample
from emotion_concepts.models import Model
from emotion_concepts.text_sets import Text

logger = logging.getLogger(__name__)

BATCH_STORIES = 32
MIN_WORDS = 70


@dataclass(frozen=True)
class Assignment:
    """One story to be written: concept, topic, its number, and the grammatical person."""

    emotion: str
    topic: str
    number: int
    person: str

    @property
    def id(self) -> str:
        return f"{self.emotion}-{self.topic}-{self.number}".replace(" ", "-")


def assignments(emotions: Sequence[str], topics: Sequence[str], stories_per_topic: int) -> list[Assignment]:
    """Every concept with every topic; first and third person in turn, balanced within both."""
    return [
        Assignment(emotion, topic, k, ("first", "third")[(i + j + k) % 2])
        for i, emotion in enumerate(emotions)
        for j, topic in enumerate(topics)
        for k in range(stories_per_topic)
    ]


def write_stories(
    model: Model,
    wanted: Sequence[Assignment],
    topics: dict[str, str],
    template: str,
    drafts_path: Path,
    *,
    attempts: int,
    max_new_tokens: int,
    temperature: float,
    top_p: float,
    seed: int,
) -> tuple[list[Text], dict[str, int]]:
    """Write the stories; one that fails the checks is written anew with the next seed.

    Parameters
    ----------
    topics : dict
        What each topic's name stands for in the prompt.
    template : str
        Jinja2, with emotion, topic and person.
    drafts_path : Path
        Where drafts are kept while this goes on; those of a run that was killed are used if model,
        prompt and settings are the same.

    Returns
    -------
    stories, faults
        The stories that passed, in the order asked for; how many drafts failed, by reason.

    Raises
    ------
    DataError
        No story passed.
    """
    prompt = Environment(undefined=StrictUndefined, autoescape=False).from_string(template)
    settings = [model.revision, template, topics, max_new_tokens, temperature, top_p, seed]
    drafts = _Drafts(drafts_path, hashlib.sha256(json.dumps(settings).encode()).hexdigest())
    passed: dict[str, str] = {}
    faults: Counter[str] = Counter()
    for attempt in range(attempts):
        left = [a for a in wanted if a.id not in passed]
        todo = [a for a in left if (a.id, attempt) not in drafts]
        for first in range(0, len(todo), BATCH_STORIES):
            batch = todo[first : first + BATCH_STORIES]
            prompts = [
                prompt.render(emotion=a.emotion, topic=topics[a.topic], person=a.person) for a in batch
            ]
            texts = sample(
                model,
                [chat_prompt(model, text) for text in prompts],
                max_new_tokens=max_new_tokens,
                temperature=temperature,
                top_p=top_p,
                seeds=[_seed(seed, a.id, attempt) for a in batch],
            )
            drafts.add({(a.id, attempt): text for a, text in zip(batch, texts, strict=True)})
        for a in left:
            story = whole_sentences(drafts[a.id, attempt])
            fault = story_fault(story, a.emotion)
            if fault:
                faults[fault] += 1
            else:
                passed[a.id] = story
        logger.info("attempt %d: %d of %d stories stand", attempt + 1, len(passed), len(wanted))
    if not passed:
        raise DataError(f"the model wrote no story that passes the checks: {dict(faults)}")
    return [Text(a.id, passed[a.id], a.emotion, a.topic) for a in wanted if a.id in passed], dict(faults)


def whole_sentences(draft: str) -> str:
    """A draft as one paragraph, cut after its last whole sentence."""
    flat = " ".join(draft.split())
    end = max(flat.rfind(mark) for mark in (".", "!", "?", '."', '!"', '?"', ".”", "!”", "?”"))
    if end < 0:
        return ""
    closing = 1 if end + 1 < len(flat) and flat[end + 1] in '"”' else 0
    return flat[: end + 1 + closing]


def story_fault(story: str, emotion: str) -> str | None:
    """Why a story cannot be used, or None: too short, or it names the emotion."""
    if len(story.split()) < MIN_WORDS:
        return "too short"
    if names_emotion(story, emotion):
        return "names the emotion"
    return None


def names_emotion(story: str, emotion: str) -> bool:
    """Whether the word or an inflection of it occurs (its stem with any ending)."""
    stem = re.sub(r"(fully|ful|ness|ing|ed|ly|y|e)$", "", emotion.lower())
    stem = stem if len(stem) >= 3 else emotion.lower()
    return re.search(rf"\b{re.escape(stem)}(?:[a-z]{{0,5}})\b", story.lower()) is not None


class _Drafts:
    """Drafts by (story, attempt), kept in one JSON file that belongs to one way of writing."""

    def __init__(self, path: Path, settings: str):
        self._path, self._settings = path, settings
        known = read_json(path) if path.is_file() else {}
        self._texts: dict[str, str] = known["drafts"] if known.get("settings") == settings else {}

    def __contains__(self, key: tuple[str, int]) -> bool:
        return "/".join(map(str, key)) in self._texts

    def __getitem__(self, key: tuple[str, int]) -> str:
        return self._texts["/".join(map(str, key))]

    def add(self, texts: dict[tuple[str, int], str]) -> None:
        self._texts |= {"/".join(map(str, key)): text for key, text in texts.items()}
        write_json(self._path, {"settings": self._settings, "drafts": self._texts})


def _seed(seed: int, story: str, attempt: int) -> int:
    """A story's own seed: it does not change when other stories are added."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{story}/{attempt}".encode()).digest()[:7])
