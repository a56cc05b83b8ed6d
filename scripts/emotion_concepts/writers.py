"""Writers: who answers a prompt. A model that runs here, or one behind an OpenAI-compatible server."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emotion_concepts.config_texts import EndpointWriter, LocalWriter
from emotion_concepts.errors import DataError
from emotion_concepts.files import read_json


@dataclass(frozen=True)
class Request:
    """One reply that is wanted: key, by which it is kept; message to the writer; its own seed."""

    key: str
    message: str
    seed: int


class Writer(Protocol):
    """What the writing stage needs of a writer."""

    def replies(self, requests: Sequence[Request]) -> Iterator[dict[str, str]]:
        """Replies by key, in portions, as they are done."""


class ModelWriter:
    """A model that runs here: requests go through it in batches of like length.

    Parameters
    ----------
    model : Model
        As `load_model` returns it.
    settings : LocalWriter
        Sampling.
    batch_texts : int
        Replies that are sampled together; a reply does not depend on its batch mates.
    """

    def __init__(self, model, settings: LocalWriter, batch_texts: int):
        self._model, self._settings, self._batch_texts = model, settings, batch_texts

    def replies(self, requests: Sequence[Request]) -> Iterator[dict[str, str]]:
        """See `Writer`: one portion a batch."""
        # Not at the top: an endpoint needs no torch.
        from emotion_concepts.generation import chat_prompt, sample

        ordered = sorted(requests, key=lambda request: (len(request.message), request.key))
        for first in range(0, len(ordered), self._batch_texts):
            batch = ordered[first : first + self._batch_texts]
            texts = sample(
                self._model,
                [chat_prompt(self._model, request.message) for request in batch],
                max_new_tokens=self._settings.max_new_tokens * self._settings.per_call,
                temperature=self._settings.temperature,
                top_p=self._settings.top_p,
                seeds=[request.seed for request in batch],
            )
            yield {request.key: text for request, text in zip(batch, texts, strict=True)}


class ServerWriter:
    """A model behind an OpenAI-compatible server: several requests at a time, each with its retries.

    The key is read from the environment when it is needed and is never written anywhere.
    """

    def __init__(self, settings: EndpointWriter):
        import openai

        self._settings = settings
        self._errors = openai.APIError
        self._client = openai.OpenAI(
            base_url=settings.url,
            # A server without keys takes any.
            api_key=os.environ.get(settings.key_variable) or "none",
            timeout=settings.timeout_s,
            max_retries=settings.retries,
        )

    def replies(self, requests: Sequence[Request]) -> Iterator[dict[str, str]]:
        """See `Writer`: one portion a reply.

        Raises
        ------
        DataError
            The server cannot be reached, refuses the key, or fails after all retries.
        """
        with ThreadPoolExecutor(self._settings.concurrency) as pool:
            waiting = {pool.submit(self._reply, request): request for request in requests}
            try:
                for done in as_completed(waiting):
                    yield {waiting[done].key: done.result()}
            except self._errors as error:
                raise DataError(self._told(error)) from None
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _reply(self, request: Request) -> str:
        settings = self._settings
        answer = self._client.chat.completions.create(
            model=settings.model,
            messages=[{"role": "user", "content": request.message}],
            max_tokens=settings.max_new_tokens * settings.per_call,
            temperature=settings.temperature,
            top_p=settings.top_p,
            seed=request.seed % 2**31,
        )
        return answer.choices[0].message.content or ""

    def _told(self, error) -> str:
        where = f"endpoint {self._settings.url}"
        status = getattr(error, "status_code", None)
        if status in (401, 403):
            return f"{where}: the key was refused (HTTP {status}); put a valid one in ${self._settings.key_variable}"
        if status is None:
            return f"{where}: no answer after {self._settings.retries} retries ({type(error).__name__})"
        reason = str(error.message).splitlines()[0][:200]
        return f"{where}: HTTP {status} after {self._settings.retries} retries: {reason}"


def sampling_of(cfg: Mapping) -> LocalWriter | EndpointWriter:
    """The part of a text set's settings that says who writes and how."""
    kind = LocalWriter if cfg["source"] == "generate" else EndpointWriter
    return kind(**{key: value for key, value in cfg.items() if key in kind.model_fields})


def writer_of(
    sampling: LocalWriter | EndpointWriter, model: Sequence[Path], *, threads: int, batch_texts: int
) -> tuple[Callable[[], Writer], dict]:
    """What opens the writer, and what its replies depend on (beside their keys).

    Parameters
    ----------
    model : sequence of Path
        The writer's `model.json`; empty for an endpoint.
    """
    # How many requests are under way, or how patient we are, changes no reply; nor does the number of rounds.
    ours = {"attempts", "concurrency", "timeout_s", "retries", "key_variable", "seed"}
    about = sampling.model_dump(mode="json", exclude=ours)
    if isinstance(sampling, EndpointWriter):
        return lambda: ServerWriter(sampling), about
    about["revision"] = read_json(model[0])["revision"]

    def opened() -> Writer:
        # Not at the top: an endpoint needs no torch, nor do replies that are there already.
        import torch

        from emotion_concepts.models import open_described

        torch.set_num_threads(threads)
        return ModelWriter(open_described(model[0]), sampling, batch_texts)

    return opened, about
