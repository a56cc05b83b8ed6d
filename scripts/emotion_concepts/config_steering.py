"""Settings of steering: words, preferences and conduct."""

from typing import Annotated, Literal

from pydantic import Field

from emotion_concepts.conduct_experiments import CONDUCT
from emotion_concepts.config_base import Name, Section

ConductName = Literal[tuple(CONDUCT)]


class Steering(Section):
    """Steering with the vectors: what all experiments share, and words."""

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
    control_directions: int = Field(
        7,
        ge=5,
        description="Directions of the same norm steered in the same batches, as control: so many random ones, as many "
        "orthogonal to all vectors, and as many of shuffled labels.",
    )
    format: Literal["plain", "chat"] = Field(
        "chat",
        description="How preferences and scenarios are put to the model: through its chat template (plain turns, if "
        "it has none), or as plain Human: / Assistant: turns.",
    )
    max_perplexity_ratio: float = Field(
        8.0,
        gt=1,
        description="Median perplexity of steered text under the unsteered model, as a multiple of that of unsteered "
        "text, beyond which a dose is marked as damaged and not interpreted.",
    )
    max_repetition: float = Field(
        0.5,
        gt=0,
        le=1,
        description="The same for the median share of a text's runs of three words that stood in it before.",
    )
    seed: int = Field(1, ge=0, description="Seed of the random directions.")


class Preferences(Section):
    """Which of two activities (rows 6 and 7)."""

    story_sets: list[Name] | None = Field(
        None, description="Which of run.story_sets steer here; [] is none. Null takes the first."
    )
    activities: int | None = Field(
        32,
        ge=16,
        description="Activities that are compared in both orders of every pair, as many of each of the eight "
        "categories; null takes all 64.",
    )
    steered_activities: int | None = Field(
        16,
        ge=16,
        description="Activities that are compared under steering: every second one is steered on its own tokens, and "
        "compared with those that are not. Null takes all.",
    )
    strength: float = Field(
        0.05, gt=0, le=2, description="As steering.strength, on the tokens of the steered activities."
    )
    bands: int = Field(
        0,
        ge=0,
        description="Equal bands of the model's depth that are steered one by one too, for the effect by layer; "
        "each takes as long as the steered comparison itself.",
    )


class ConductSettings(Section):
    """What a model does under steering (rows 16 to 19), and what remedies undo."""

    story_sets: list[Name] | None = Field(
        None, description="Which of run.story_sets steer here; [] is none. Null takes the first."
    )
    experiments: list[ConductName] = Field(
        list(CONDUCT),
        description="Which sets of scenarios are run: blackmail (row 17), hacking (18, needs bubblewrap where replies "
        "hold code), claims (19), denial (16, if unexpressed is in reading.experiments), and errands, which a remedy should "
        "not spoil.",
    )
    strengths: list[Annotated[float, Field(gt=0, le=2)]] = Field(
        [0.05],
        min_length=1,
        description="Steering strengths, as steering.strength, each with both signs. Control directions have the "
        "largest alone.",
    )
    scenarios: int | None = Field(
        5, ge=5, description="At most so many scenarios of each set, spread evenly over it; null takes all."
    )
    scripted: int | None = Field(
        1, ge=1, description="Scripted replies of each stance that are scored; null takes all."
    )
    tokens: Literal["all", "reply"] = Field(
        "reply", description="Which tokens are steered: all, or the reply's alone, which costs less."
    )
    rollouts: int = Field(
        1,
        ge=1,
        description="Replies that are sampled for each scenario, concept and strength (the paper: 50).",
    )
    max_new_tokens: int = Field(
        32, ge=8, description="Length of a sampled reply, in tokens; three times that where it holds code."
    )
    temperature: float = Field(0.8, gt=0, le=2, description="Sampling temperature.")
    top_p: float = Field(0.95, gt=0, le=1, description="Nucleus sampling: probability mass that is kept.")
    seed: int = Field(1, ge=0, description="Seed; each reply's own seed is derived from it.")
