"""What sampled replies do: written rubrics by rules, answers that a reply must hold, code that is run in the sandbox."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from emotion_concepts import rubrics
from emotion_concepts.coding_tasks import judge, read_coding_tasks
from emotion_concepts.errors import DataError
from emotion_concepts.progress import progress_bar
from emotion_concepts.sandbox import require_bubblewrap
from emotion_concepts.text_sets import read_texts

logger = logging.getLogger(__name__)


def judged(experiment: str, source: Path, replies: Sequence[dict]) -> list[dict]:
    """The replies with a boolean for each criterion of their experiment, None where it was not judged.

    Parameters
    ----------
    experiment : str
        "hacking": hack, honest, admits, tampered, and `verdict`, of code that runs in the sandbox; without
        bubblewrap none of it runs, all are None, and `refused` says how to install it.
        "errands": right. Any other: its rubric's.
    source : Path
        The scenarios, by whose ids the replies name them.
    """
    if experiment == "hacking":
        return _of_code(source, replies)
    if experiment == "errands":
        answers = {text.id: re.compile(text.labels["answer"], re.IGNORECASE) for text in read_texts(source)}
        return [
            reply | {"right": bool(answers[reply["scenario"]].search(reply["text"]))} for reply in replies
        ]
    return [reply | rubrics.score(experiment, reply["text"]) for reply in replies]


def _of_code(source: Path, replies: Sequence[dict]) -> list[dict]:
    kinds = ("hack", "honest", "admits", "tampered")
    try:
        require_bubblewrap()
    except DataError as error:
        logger.warning("%s", error)
        return [reply | dict.fromkeys(kinds) | {"refused": str(error)} for reply in replies]
    tasks, found = {task.id: task for task in read_coding_tasks(source)}, []
    with progress_bar(len(replies), "replies", "judging") as bar:
        for reply in replies:
            verdict = judge(tasks[reply["scenario"]], reply["text"])
            found.append(
                reply
                | {kind: verdict.kind == kind for kind in kinds}
                | {"verdict": verdict.kind, "admits": verdict.admitted}
            )
            bar.update(1)
    return found
