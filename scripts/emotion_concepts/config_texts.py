"""Settings of texts: where stories and dialogues come from, who writes them, how they are checked."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from emotion_concepts.config_base import Name, Section


class BundledStories(Section):
    source: Literal["bundled"] = Field(
        description="bundled: the stories of resources/stories/NAME.jsonl, NAME being the set's."
    )


class FileStories(Section):
    source: Literal["file"] = Field(description="file: stories of your own.")
    path: str = Field(
        description="JSON lines, CSV or Parquet (told by the ending) with emotion, topic, text; one story each."
    )


class HubColumns(Section):
    emotion: str = Field("emotion", description="Column with the concept.")
    topic: str = Field("topic", description="Column with the topic.")
    text: str = Field("text", description="Column with the story.")


class HubStories(Section):
    source: Literal["hub"] = Field(description="hub: stories of a dataset on the Hugging Face Hub.")
    dataset: str = Field(description="The dataset's id, as owner/name.")
    revision: str | None = Field(None, description="Branch, tag or commit; null takes the newest.")
    split: str = Field("train", description="Which split of it.")
    columns: HubColumns = Field(HubColumns(), description="What its columns are called.")


class Sampling(Section):
    """How a model writes, wherever it runs."""

    attempts: int = Field(
        3,
        ge=1,
        description="Rounds of writing: each asks again for the texts that failed the checks, until all stand.",
    )
    per_call: int = Field(
        1,
        ge=1,
        description="Texts asked for in one reply, parted by a line of ===. More is for strong writers.",
    )
    max_new_tokens: int = Field(200, ge=40, description="Length limit of one text, in tokens.")
    temperature: float = Field(0.8, gt=0, le=2, description="Sampling temperature.")
    top_p: float = Field(0.95, gt=0, le=1, description="Nucleus sampling: probability mass that is kept.")
    seed: int = Field(1, ge=0, description="Seed; each reply's own seed is derived from it.")


class LocalWriter(Sampling):
    source: Literal["generate"] = Field(description="generate: written by a model that runs here.")
    model: Name = Field(description="The writer: a key of models.")


class EndpointWriter(Sampling):
    source: Literal["endpoint"] = Field(
        description="endpoint: written by a model behind an OpenAI-compatible server, as vLLM serves."
    )
    url: str = Field(
        pattern=r"^https?://", description="The server's base address, as http://localhost:8000/v1."
    )
    model: str = Field(description="The model's name at the server.")
    key_variable: str = Field(
        "OPENAI_API_KEY",
        description="Environment variable that holds the key, where the server wants one. The key is never written.",
    )
    concurrency: int = Field(8, ge=1, description="Requests under way at a time.")
    timeout_s: float = Field(300, gt=0, description="Seconds until a request is given up and tried again.")
    retries: int = Field(
        5, ge=0, description="How often a request is tried again, with growing pauses, before the run stops."
    )


class StoriesToWrite(Section):
    """Which stories a model writes."""

    emotions: list[str] | None = Field(
        None,
        min_length=2,
        description="Concepts to write about. Null takes `emotions` below, or else those of the bundled sets.",
    )
    topics: int = Field(2, ge=1, description="How many topics of resources/topics.txt, from the top.")
    per_topic: int = Field(1, ge=1, description="Stories for each concept and topic.")


class GeneratedStories(StoriesToWrite, LocalWriter):
    pass


class EndpointStories(StoriesToWrite, EndpointWriter):
    pass


WrittenStories = GeneratedStories | EndpointStories
StorySet = Annotated[
    BundledStories | FileStories | HubStories | GeneratedStories | EndpointStories,
    Field(discriminator="source"),
]


class DialoguesToWrite(Section):
    """Which dialogues a model writes."""

    kind: Literal["neutral", "speakers", "unexpressed"] = Field(
        description="neutral: Human and Assistant, no emotional content. speakers: two people whose emotions are "
        "drawn independently. unexpressed: a speaker in one emotion who shows another."
    )
    emotions: list[str] | None = Field(
        None, min_length=2, description="speakers, unexpressed: the concepts that are paired."
    )
    topics: int = Field(8, ge=1, description="How many topics of resources/topics.txt, from the top.")
    per_cell: int = Field(
        1, ge=1, description="Dialogues for each topic (neutral), or each pair of concepts (the others)."
    )

    @model_validator(mode="after")
    def _check_emotions(self):
        if (self.kind == "neutral") == bool(self.emotions):
            needed = "has no effect on" if self.emotions else "is needed for"
            raise ValueError(f"emotions {needed} kind: {self.kind}")
        return self


class GeneratedDialogues(DialoguesToWrite, LocalWriter):
    pass


class EndpointDialogues(DialoguesToWrite, EndpointWriter):
    pass


DialogueSet = Annotated[GeneratedDialogues | EndpointDialogues, Field(discriminator="source")]

# What can be wrong with a story. The first of these leave it out unless the settings say otherwise.
DROPPING = (
    "names the concept",
    "uses a synonym",
    "names another concept",
    "too short",
    "too long",
    "another language",
    "refusal or remark",
    "heading",
    "cut off",
    "exact duplicate",
    "near duplicate",
)
COUNTED = ("speaks of feelings", "other person")
Reason = Literal[(*DROPPING, *COUNTED)]


class Checks(Section):
    drop: list[Reason] = Field(
        list(DROPPING),
        description="Faults for which a story is left out. The others are counted: speaks of feelings, other person.",
    )
    min_words: int = Field(60, ge=1, description="Fewest words of a story.")
    max_words: int = Field(400, ge=1, description="Most words of a story.")
    language: str = Field("en", description="The stories' language, as simplemma names it.")
    min_known_words: float = Field(
        0.6, ge=0, le=1, description="Share of a story's words that must be known in that language."
    )
    near_duplicate: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Jaccard similarity of their runs of five words from which the later of two stories goes.",
    )
    max_name_share: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Share of the stories that may have the same first name before a warning.",
    )
    max_lost_share: float = Field(
        0.5, ge=0, le=1, description="Share of its stories that a concept may lose before the run stops."
    )
