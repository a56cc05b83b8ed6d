"""The studied model's own replies to the messages of a text set."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from emotion_concepts.errors import DataError
from emotion_concepts.generation import sample
from emotion_concepts.models import Model
from emotion_concepts.spans import rendered
from emotion_concepts.text_sets import Text, plain_dialogue

logger = logging.getLogger(__name__)


def replies_to(
    model: Model, texts: Sequence[Text], formats: Sequence[str], *, max_new_tokens: int, seed: int
) -> list[Text]:
    """Each dialogue with the model's reply, once for each format that the model has.

    Parameters
    ----------
    texts : sequence of Text
        Dialogues that end with the user.
    formats : sequence of str
        "plain" and "chat" (`span_recording`); a model without a chat template gives no chat.

    Returns
    -------
    list of Text
        With labels `format`, the only one that the text is to be read in, and `seed`. A reply that is empty
        is left out and logged.

    Raises
    ------
    DataError
        Every reply is empty.
    """
    answered, n_empty = [], 0
    for form in formats:
        chat = form == "chat"
        if chat and model.tokenizer.chat_template is None:
            continue
        prompts = [rendered(text, model.tokenizer, chat_template=chat).text for text in texts]
        seeds = [seed * 100_003 + row for row in range(len(texts))]
        replies = sample(
            model, prompts, max_new_tokens=max_new_tokens, temperature=0.7, top_p=0.95, seeds=seeds
        )
        for text, reply, own_seed in zip(texts, replies, seeds, strict=True):
            # In plain turns a model may go on to write the other's turn.
            said = reply.split("\nHuman:")[0].strip()
            if not said:
                n_empty += 1
                continue
            messages = [*text.messages, {"role": "assistant", "content": said}]
            labels = text.labels | {"format": form, "seed": own_seed}
            answered.append(
                replace(
                    text,
                    id=f"{text.id}-{form}",
                    text=plain_dialogue(messages),
                    messages=messages,
                    labels=labels,
                )
            )
    if not answered:
        raise DataError(f"the model's replies to all {len(texts)} messages are empty")
    logger.info("%d replies, %d empty", len(answered), n_empty)
    return answered
