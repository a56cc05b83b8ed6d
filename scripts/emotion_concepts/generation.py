"""Writing text with a model: batched sampling, a seed for each text, steering for each row."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from transformers import Cache

from emotion_concepts.caches import cache_kind, joined, kept_rows
from emotion_concepts.errors import DataError
from emotion_concepts.models import Model
from emotion_concepts.progress import progress_bar
from emotion_concepts.sequence_scores import left_padded, prompt_ids
from emotion_concepts.steering import Aim, Edits, Steering, stacked_edits, steered, steered_tokens

# Tokens that are looked at first for a nucleus.
NUCLEUS_TOKENS = 512
# Rows leave and join when at least this part of the batch is done: each time, its cache is copied.
JOINS = 4


def generate(
    model: Model,
    prompts: Sequence[str],
    steering: Steering | Sequence[Steering | None] | None = None,
    *,
    max_new_tokens: int = 60,
) -> list[str]:
    """The likeliest continuation of each prompt, steered if asked.

    Parameters
    ----------
    model : Model
        As `load_model` returns it; left as found.
    prompts : sequence of str
        Continued as they are; for a chat model render its template first (`chat_prompt`).
    steering : Steering, optional
        One for all prompts, or one for each (None leaves it unsteered): all go through together.
    max_new_tokens : int
        Most tokens that are written for a prompt.

    Returns
    -------
    list of str
        What was written, without the prompt.
    """
    each = [steering] * len(prompts) if steering is None or isinstance(steering, Steering) else list(steering)
    if len(each) != len(prompts):
        raise DataError(f"{len(each)} steerings for {len(prompts)} prompts")
    if not any(each):
        return sample(model, prompts, max_new_tokens=max_new_tokens)
    where = [
        steered_tokens(model, prompt, prompt_ids(model, prompt), "all" if one is None else one.tokens)
        for prompt, one in zip(prompts, each, strict=True)
    ]
    rows = [-1 if one is None else number for number, one in enumerate(each)]
    return sample(
        model, prompts, stacked_edits(each, model.width), rows, where, max_new_tokens=max_new_tokens
    )


def sample(
    model: Model,
    prompts: Sequence[str],
    edits: Edits | None = None,
    edit_rows: Sequence[int] | None = None,
    where: Sequence[np.ndarray] | None = None,
    *,
    max_new_tokens: int,
    temperature: float = 0,
    top_p: float = 1,
    seeds: Sequence[int] = (),
    batch_rows: int | None = None,
) -> list[str]:
    """All that `sampled` gives, in the prompts' order."""
    written = sampled(
        model, prompts, edits, edit_rows, where, max_new_tokens=max_new_tokens, temperature=temperature,
        top_p=top_p, seeds=seeds, batch_rows=batch_rows,
    )  # fmt: skip
    return [text for _, text in sorted(written)]


def sampled(
    model: Model,
    prompts: Sequence[str],
    edits: Edits | None = None,
    edit_rows: Sequence[int] | None = None,
    where: Sequence[np.ndarray] | None = None,
    *,
    max_new_tokens: int,
    temperature: float = 0,
    top_p: float = 1,
    seeds: Sequence[int] = (),
    batch_rows: int | None = None,
) -> Iterator[tuple[int, str]]:
    """Continue each prompt, with a key-value cache; a row that is done makes room for the next prompt.

    Prompts that are the same, and treated alike, are read once.

    Parameters
    ----------
    edits, edit_rows : optional
        What is done to the residual stream, and which row of it each prompt has (-1: none); without `edit_rows`,
        rows of the edits are rows of the prompts.
    where : sequence of bool arrays [prompt tokens + 1], optional
        At which tokens; the last entry stands for all that is written. None: all tokens.
    temperature : float
        0 takes the likeliest token; otherwise tokens are drawn.
    top_p : float
        Nucleus: draws are from the likeliest tokens that together hold this much probability.
    seeds : sequence of int
        One a prompt, where tokens are drawn: a text does not depend on its batch mates' draws.
    batch_rows : int, optional
        Most rows at once; None takes all.

    Yields
    ------
    int, str
        A prompt's number, and what was written, without the prompt and special tokens; as they are done.
    """
    assert temperature == 0 or len(seeds) == len(prompts)
    if not prompts:
        return
    edit_of = range(len(prompts)) if edits and edit_rows is None else edit_rows
    waiting = deque(
        _Row(
            number,
            ids := prompt_ids(model, prompt),
            edit_of[number] if edits else -1,
            np.ones(len(ids) + 1, bool) if where is None else where[number],
            torch.Generator().manual_seed(int(seeds[number])) if seeds else None,
        )
        for number, prompt in enumerate(prompts)
    )
    kind, ends = cache_kind(model), _end_tokens(model)
    changes = kind.can_be_cut(max(len(row.ids) for row in waiting) + max_new_tokens)
    # A recurrent state does not go well with padding.
    limit = (batch_rows or len(prompts)) if kind.plain else 1
    batch: _Batch | None = None
    with (
        torch.inference_mode(),
        steered(model, edits or Edits({})) as aim,
        progress_bar(len(prompts), "texts", "writing") as bar,
    ):
        while waiting or batch:
            free = limit - (len(batch.rows) if batch else 0)
            if waiting and (batch is None or (changes and free >= max(1, limit // JOINS))):
                rows = [waiting.popleft() for _ in range(min(free, len(waiting)))]
                new = _begun(model, rows, aim, changes) if kind.exists else _Batch(rows)
                batch = new if batch is None else _joined(batch, new)
            logits_BV = (_step if kind.exists else _step_without_cache)(model, batch, aim)
            drawn = _next_token(logits_BV, temperature, top_p, [row.generator for row in batch.rows]).tolist()
            for row, token in zip(batch.rows, drawn, strict=True):
                if row.done:
                    continue
                row.written.append(token)
                row.done = token in ends or len(row.written) == max_new_tokens
                if row.done:
                    kept = row.written[:-1] if token in ends else row.written
                    bar.update(1)
                    yield row.number, model.tokenizer.decode(kept, skip_special_tokens=True)
            batch = _without_done(batch, changes, limit)


@dataclass
class _Row:
    """A text that is being written."""

    number: int
    ids: list[int]
    edit: int
    where: np.ndarray
    generator: torch.Generator | None
    written: list[int] = field(default_factory=list)
    done: bool = False


@dataclass
class _Batch:
    """Rows that are written together: what was read of them, all but their last token."""

    rows: list[_Row]
    cache: Cache | None = None
    own_BP: torch.Tensor | None = None


def _begun(model: Model, rows: list[_Row], aim: Aim, shared: bool) -> _Batch:
    """Read all but the last token of some prompts; the same ones, treated alike, once."""
    keys = [
        (
            tuple(row.ids[:-1]),
            (row.edit, tuple(row.where[:-2])) if row.edit >= 0 and row.where[:-2].any() else (),
        )
        for row in rows
    ]
    first_of = {key: number for number, key in reversed(list(enumerate(keys)))} if shared else {}
    read = [rows[n] for n in sorted(first_of.values())] if shared else rows
    # Every row's next token is then at the same place.
    own, ids, where = left_padded([row.ids[:-1] for row in read], [row.where[:-2] for row in read])
    own_BP = torch.from_numpy(own).to(model.device)
    aim.at(
        torch.tensor([row.edit for row in read], device=model.device),
        torch.from_numpy(where).to(model.device),
    )
    cache = model.trunk(
        input_ids=torch.from_numpy(ids).to(model.device),
        attention_mask=_mask(own_BP),
        position_ids=(own_BP.cumsum(-1) - 1).clamp(min=0),
        use_cache=True,
    ).cache
    if shared and len(read) < len(rows):
        places = {row.number: place for place, row in enumerate(read)}
        index = [places[rows[first_of[key]].number] for key in keys]
        cache.batch_select_indices(torch.tensor(index, device=model.device))
        own_BP = own_BP[index]
    return _Batch(rows, cache, own_BP)


def _joined(batch: _Batch, new: _Batch) -> _Batch:
    own_BP = joined(batch.cache, new.cache, batch.own_BP, new.own_BP)
    return _Batch(batch.rows + new.rows, batch.cache, own_BP)


def _step(model: Model, batch: _Batch, aim: Aim) -> torch.Tensor:
    """Feed each row's last token; logits of the next: float32 [B, V]."""
    rows, device = batch.rows, model.device
    steered_now = [bool(row.where[-1] if row.written else row.where[-2]) for row in rows]
    aim.at(
        torch.tensor([row.edit for row in rows], device=device),
        None if all(steered_now) else torch.tensor(steered_now, device=device)[:, None],
    )
    batch.own_BP = torch.cat([batch.own_BP, batch.own_BP.new_ones(len(rows), 1)], dim=1)
    output = model.hf(
        input_ids=torch.tensor([[(row.written or row.ids)[-1]] for row in rows], device=device),
        attention_mask=_mask(batch.own_BP),
        position_ids=torch.tensor([[len(row.ids) + len(row.written) - 1] for row in rows], device=device),
        cache=batch.cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return output.logits[:, -1].float()


def _step_without_cache(model: Model, batch: _Batch, aim: Aim) -> torch.Tensor:
    """The same for a model that remembers nothing: the one row is read again from its beginning."""
    (row,) = batch.rows
    aim.at(
        torch.tensor([row.edit], device=model.device),
        torch.from_numpy(np.append(row.where[:-1], np.full(len(row.written), row.where[-1])))[None].to(
            model.device
        ),
    )
    ids = torch.tensor([row.ids + row.written], device=model.device)
    return model.hf(input_ids=ids, use_cache=False, logits_to_keep=1).logits[:, -1].float()


def _mask(own_BP: torch.Tensor) -> torch.Tensor | None:
    """What a model is told of padding; nothing where there is none: recurrent ones take no mask for a step."""
    return None if own_BP.all() else own_BP.long()


def _without_done(batch: _Batch, changes: bool, limit: int) -> _Batch | None:
    """The batch without its finished rows; where they are few, or cannot leave, they stay as they are."""
    going = [place for place, row in enumerate(batch.rows) if not row.done]
    if not going:
        return None
    gone = len(batch.rows) - len(going)
    if not changes or gone < max(1, limit // JOINS):
        return batch
    index = torch.tensor(going, device=batch.own_BP.device)
    own_BP = kept_rows(batch.cache, batch.own_BP, index)
    return _Batch([batch.rows[place] for place in going], batch.cache, own_BP)


def chat_prompt(model: Model, message: str) -> str:
    """A user's message in the model's chat template, ready for the reply; plain turns without one."""
    if model.tokenizer.chat_template is None:
        return f"Human: {message}\n\nAssistant:"
    messages = [{"role": "user", "content": message}]
    return model.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def _next_token(logits_BV: torch.Tensor, temperature: float, top_p: float, generators) -> torch.Tensor:
    if temperature == 0:
        return logits_BV.argmax(-1)
    probability_BV = (logits_BV / temperature).softmax(-1)
    # The nucleus is mostly small, and sorting a whole vocabulary costs a fifth of a step on a CPU.
    wanted = NUCLEUS_TOKENS
    while True:
        ordered_BK, order_BK = probability_BV.topk(min(wanted, probability_BV.shape[-1]))
        cumulated_BK = ordered_BK.cumsum(-1)
        if ordered_BK.shape[-1] == probability_BV.shape[-1] or (cumulated_BK[:, -1] >= top_p).all():
            break
        wanted *= 8
    kept_BK = ordered_BK.where(cumulated_BK - ordered_BK < top_p, 0.0)
    # One number a row from its own generator, found in the cumulated probabilities.
    drawn = torch.tensor([torch.rand((), generator=g).item() for g in generators], device=logits_BV.device)
    cumulated_BK = kept_BK.cumsum(-1)
    place = torch.searchsorted(cumulated_BK, (drawn * cumulated_BK[:, -1])[:, None], right=True)
    place = place.clamp(max=ordered_BK.shape[-1] - 1)
    return order_BK.gather(-1, place)[:, 0]


def _end_tokens(model: Model) -> set[int]:
    ends = model.hf.generation_config.eos_token_id
    ends = {ends} if isinstance(ends, int) else set(ends or ())
    return ends | {model.tokenizer.eos_token_id} - {None}
