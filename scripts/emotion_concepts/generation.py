"""Writing text with a model: batched sampling, a seed for each text, steering for each row."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import numpy as np
import torch

from emotion_concepts.models import Model
from emotion_concepts.progress import progress_bar
from emotion_concepts.steering import Steering, steered

# Tokens that are looked at first for a nucleus.
NUCLEUS_TOKENS = 512


def generate(
    model: Model, prompts: Sequence[str], steering: Steering | None = None, *, max_new_tokens: int = 60
) -> list[str]:
    """The likeliest continuation of each prompt, steered toward a concept if asked.

    Parameters
    ----------
    model : Model
        As `load_model` returns it; left as found.
    prompts : sequence of str
        Continued as they are; for a chat model render its template first (`chat_prompt`).
    steering : Steering, optional
        Applied to every token, those of the prompt included.
    max_new_tokens : int
        Most tokens that are written for a prompt.

    Returns
    -------
    list of str
        What was written, without the prompt.
    """
    additions = (
        {k: np.tile(v, (len(prompts), 1)) for k, v in steering.additions().items()} if steering else {}
    )
    return sample(model, prompts, additions, max_new_tokens=max_new_tokens)


def sample(
    model: Model,
    prompts: Sequence[str],
    addition_BD: Mapping[int, np.ndarray] | None = None,
    *,
    max_new_tokens: int,
    temperature: float = 0,
    top_p: float = 1,
    seeds: Sequence[int] = (),
) -> list[str]:
    """Continue each prompt; all of them go through together, with a key-value cache.

    Parameters
    ----------
    addition_BD : mapping, optional
        {layer: [prompts, width]}, added to every token of that row.
    temperature : float
        0 takes the likeliest token; otherwise tokens are drawn.
    top_p : float
        Nucleus: draws are from the likeliest tokens that together hold this much probability.
    seeds : sequence of int
        One a prompt, where tokens are drawn: a text does not depend on its batch mates' draws.

    Returns
    -------
    list of str
        What was written, without the prompt and special tokens.
    """
    assert temperature == 0 or len(seeds) == len(prompts)
    encoded = [_encoded(model, prompt) for prompt in prompts]
    longest = max(len(ids) for ids in encoded)
    # Left padding, so that every row's next token is at the same place.
    ids = torch.tensor([[0] * (longest - len(row)) + row for row in encoded], device=model.device)
    attended = torch.tensor(
        [[0] * (longest - len(row)) + [1] * len(row) for row in encoded], device=model.device
    )
    generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    ends = torch.tensor(sorted(_end_tokens(model)), device=model.device)
    finished = torch.zeros(len(prompts), dtype=torch.bool, device=model.device)
    written: list[torch.Tensor] = []
    steering = (
        steered(model, {k: torch.from_numpy(np.asarray(v)) for k, v in addition_BD.items()})
        if addition_BD
        else nullcontext()
    )
    cache = None
    position = (attended.cumsum(-1) - 1).clamp(min=0)
    with torch.inference_mode(), steering, progress_bar(max_new_tokens, "steps", "writing") as bar:
        for _ in range(max_new_tokens):
            output = model.hf(
                input_ids=ids,
                attention_mask=attended,
                position_ids=position,
                cache=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            cache = output.cache
            token = _next_token(output.logits[:, -1].float(), temperature, top_p, generators)
            token = torch.where(finished, ends[0], token)
            written.append(token)
            finished |= torch.isin(token, ends)
            bar.update(1)
            if finished.all():
                break
            ids = token[:, None]
            attended = torch.cat([attended, attended.new_ones(len(prompts), 1)], dim=1)
            position = position[:, -1:] + 1
    rows = torch.stack(written, 1).tolist()
    stop = set(ends.tolist())
    return [model.tokenizer.decode(_until(row, stop), skip_special_tokens=True) for row in rows]


def chat_prompt(model: Model, message: str) -> str:
    """A user's message in the model's chat template, ready for the reply; plain turns without one."""
    if model.tokenizer.chat_template is None:
        return f"Human: {message}\n\nAssistant:"
    messages = [{"role": "user", "content": message}]
    return model.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def _encoded(model: Model, prompt: str) -> list[int]:
    """Tokens of a prompt; one that begins as a chat template writes it has its special tokens already."""
    first = model.tokenizer.bos_token
    has_them = first is not None and prompt.startswith(first)
    return model.tokenizer(prompt, add_special_tokens=not has_them)["input_ids"]


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


def _until(row: list[int], stop: set[int]) -> list[int]:
    return row[: next((i for i, token in enumerate(row) if token in stop), len(row))]
