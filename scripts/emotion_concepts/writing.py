"""The writing stage: prompts out, replies in, what fails the checks is asked for again.

A cell is what a text is about (a concept and a topic, a pair of concepts); each cell wants some
texts. Replies are kept as they come, so that writing can be killed at any moment and go on.
"""

import hashlib
import logging
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jinja2 import Environment, StrictUndefined

from emotion_concepts.config_texts import Sampling
from emotion_concepts.drafts import DraftStore
from emotion_concepts.errors import DataError
from emotion_concepts.progress import progress_bar
from emotion_concepts.text_sets import Text
from emotion_concepts.writers import Request, Writer

logger = logging.getLogger(__name__)

# Replies are written to the disk this often, so a kill loses no more than that.
PART_SECONDS = 20


@dataclass(frozen=True)
class Cell:
    """What some texts are about.

    id : its name; variables : what the prompt's template is given; variants : further variables, of which
    each call takes the next; labels : what the texts carry (emotion, topic, ..).
    """

    id: str
    variables: Mapping[str, object]
    labels: Mapping[str, str]
    variants: Sequence[Mapping[str, object]] = field(default=({},))

    def variant(self, call: int) -> Mapping[str, object]:
        return self.variants[call % len(self.variants)]


def write_cells(
    writer: Callable[[], Writer],
    cells: Sequence[Cell],
    wanted: int,
    template: str,
    accepted: Callable[[Cell, Mapping[str, object], str], Text | str],
    drafts: DraftStore,
    sampling: Sampling,
) -> tuple[dict[str, list[Text]], dict]:
    """Write until each cell has the wanted number of texts, or the rounds are over.

    Parameters
    ----------
    writer : callable
        Gives the writer; called only if a reply is missing, so that nothing is loaded for nothing.
    template : str
        Jinja2: a prompt for `n` texts, with a cell's variables.
    accepted : callable
        Takes a cell, its variant and one text of a reply; gives the text that is kept, or the fault
        for which it is not.

    Returns
    -------
    texts, counts
        Texts by the cell's id, at most `wanted` each; and how many were wanted, written, and failed, by fault.

    Raises
    ------
    DataError
        Nothing that was written can be used.
    """
    prompt = Environment(undefined=StrictUndefined, autoescape=False).from_string(template)
    texts: dict[str, list[Text]] = {cell.id: [] for cell in cells}
    faults: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for number in range(sampling.attempts):
        asked = []
        for cell in cells:
            for _ in range(math.ceil((wanted - len(texts[cell.id])) / sampling.per_call)):
                variant = cell.variant(calls[cell.id])
                message = prompt.render(n=sampling.per_call, **cell.variables, **variant).strip()
                asked.append((cell, variant, _request(cell.id, calls[cell.id], message, sampling.seed)))
                calls[cell.id] += 1
        _fetch(writer, [request for *_, request in asked], drafts)
        for cell, variant, request in asked:
            parts = split_reply(drafts[request.key])
            faults["fewer texts than asked for"] += max(0, sampling.per_call - len(parts))
            for part in parts[: sampling.per_call]:
                result = accepted(cell, variant, part)
                if isinstance(result, str):
                    faults[result] += 1
                elif any(result.text == known.text for known in texts[cell.id]):
                    faults["exact duplicate"] += 1
                elif len(texts[cell.id]) < wanted:
                    texts[cell.id].append(result)
        stand = sum(map(len, texts.values()))
        logger.info("round %d: %d of %d texts stand", number + 1, stand, wanted * len(cells))
    if not any(texts.values()):
        raise DataError(f"nothing that was written passes the checks: {dict(+faults)}")
    counts = {"wanted": wanted * len(cells), "written": sum(map(len, texts.values()))}
    return texts, {**counts, "failed_drafts": dict(+faults)}


def numbered(texts: Mapping[str, Sequence[Text]]) -> list[Text]:
    """All texts, each with its cell's id and its number there as id."""
    return [
        replace(text, id=f"{cell}-{number}")
        for cell, own in texts.items()
        for number, text in enumerate(own, 1)
    ]


def split_reply(reply: str) -> list[str]:
    """The texts of a reply: parted by lines of === (three or more)."""
    return [
        part for part in (p.strip() for p in re.split(r"^\s*={3,}\s*$", reply, flags=re.MULTILINE)) if part
    ]


def whole_sentences(draft: str) -> str:
    """A draft as one paragraph, cut after its last whole sentence."""
    flat = " ".join(draft.split())
    ends = [match.end() for match in re.finditer(r"[.!?…][\"”'’]?(?=\s|$)", flat)]
    return flat[: ends[-1]] if ends else ""


def _request(cell: str, call: int, message: str, seed: int) -> Request:
    """A reply's key holds its prompt, so that a changed prompt is asked anew and the others are not."""
    key = f"{cell}/{call}/{hashlib.sha256(message.encode()).hexdigest()[:12]}"
    # A text's own seed: it does not change when other texts are added.
    own = hashlib.sha256(f"{seed}/{cell}/{call}".encode()).digest()
    return Request(key, message, int.from_bytes(own[:7]))


def _fetch(writer: Callable[[], Writer], requests: Sequence[Request], drafts: DraftStore) -> None:
    """Get the replies that are not there yet, keeping them as they come."""
    missing = [request for request in requests if request.key not in drafts]
    if not missing:
        return
    pending: dict[str, str] = {}
    written = time.monotonic()
    with progress_bar(len(missing), "texts", "writing") as bar:
        try:
            for portion in writer().replies(missing):
                pending |= portion
                bar.update(len(portion))
                if time.monotonic() - written > PART_SECONDS:
                    drafts.add(pending)
                    pending, written = {}, time.monotonic()
        finally:
            # What is paid for is kept, also if a later reply failed.
            if pending:
                drafts.add(pending)
