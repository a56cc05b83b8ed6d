"""A model in which the answers are planted, and the stories that ask for them.

An effect is one function below, marked `@effect`: it takes coordinates, words, heads and hidden units, and
its docstring is its closed form. To add one, write such a function here, a test of its closed form in
`test_planted_model.py`, and the analysis that should find it in `cases.py`.

d_c is the planted direction of concept c: valence, arousal and a part of its own. x_k(t) is the concept
part of the residual stream after block k at token t; D is the width, C the number of concepts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product as pairs_of
from pathlib import Path

import numpy as np
import pandas as pd

from emotion_concepts.text_sets import Text
from tests.known_answers.handmade import HandMadeLlama

N_LAYERS = 8
# The block whose output is the first to show an effect.
COPIED, MARKED, NUMBERED, NEGATED, PREFERRED, HEARD, BOUND, SPREAD = 1, 2, 3, 4, 4, 4, 5, 6

CONCEPTS = (
    "afraid", "alarmed", "amused", "angry", "anxious", "bitter", "blissful", "bored", "calm", "content", "depressed",
    "desperate", "eager", "enthusiastic", "excited", "furious", "gloomy", "grateful", "guilty", "happy", "hopeful",
    "lonely", "loving", "nervous", "proud", "relaxed", "sad", "serene", "surprised", "tired",
)  # fmt: skip
NAMES = ("Anna", "Bert", "Carla", "David")
DOSES = tuple(2**k for k in range(11))
N_FILLERS, N_TOPIC_WORDS, N_ACTIVITIES = 40, 4, 12
TURNS = ("Human", "Assistant")
# Width of the space in which a speaker's tokens carry what the other one has said.
HEARD_WIDTH = 8
PUNCTUATION = (".", ",", ":", "?", "(", ")")


@dataclass(frozen=True)
class Plan:
    """What is planted, and how strongly.

    topics, markers : topics, and a concept's own words in each; strength : norm that a marker writes, times
    |d_c|; own_part : norm of the part of d_c that no other concept has (the valence part varies with
    standard deviation 1, the arousal part with `arousal`); filler_noise : norm of what each filler word
    writes in a direction of its own; gain : logits per unit of direction; shift : {concept: times d_c} added
    everywhere, as post-training might; heard_gain : 0 for a model whose speakers carry nothing of each other, as
    what they do carry is in directions that no vector has.
    """

    topics: int = 6
    markers: int = 2
    strength: float = 2.0
    arousal: float = 0.6
    own_part: float = 0.8
    filler_noise: float = 0.1
    gain: float = 2.0
    shift: Mapping[str, float] = field(default_factory=dict)
    number_slope: float = 3.0
    bound_gain: float = 1.0
    spread_gain: float = 1.0
    heard_gain: float = 0.0
    reply_gain: float = 6.0
    preference_gain: float = 20.0
    seed: int = 0


EFFECTS: list[Callable[["Planted"], None]] = []


def effect(function: Callable[["Planted"], None]) -> Callable[["Planted"], None]:
    """Plant this too, in the order in which the functions stand."""
    EFFECTS.append(function)
    return function


class Planted:
    """The planted model, and what is known of it.

    llama : its weights under construction; plan : the strengths; concept_space [C + 2, D] : coordinates of
    valence, arousal and the concepts' own parts; directions : d_c, in the full width.
    """

    def __init__(self, plan: Plan | None = None):
        self.plan = plan or Plan()
        self.llama = HandMadeLlama(N_LAYERS, seed=self.plan.seed)
        self.concept_space = self.llama.space(len(CONCEPTS) + 2)
        self.topic_space = self.llama.space(self.plan.topics)
        self.scratch = self.llama.space(len(CONCEPTS) + 2)
        self.heard_space = self.llama.space(HEARD_WIDTH)
        self.flags: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.words_of = _vocabulary(self.plan)
        for plant in EFFECTS:
            plant(self)

    @cached_property
    def plane(self) -> np.ndarray:
        """Valence and arousal of each concept: mean 0, standard deviation 1, uncorrelated."""
        rng = np.random.default_rng(self.plan.seed + 100)
        drawn = rng.standard_normal((len(CONCEPTS), 2))
        left, _, _ = np.linalg.svd(drawn - drawn.mean(0), full_matrices=False)
        return left * np.sqrt(len(CONCEPTS))

    @cached_property
    def directions(self) -> np.ndarray:
        """d_c, before the mean over concepts is taken off: [C, D]."""
        plane = self.plane * [1, self.plan.arousal]
        return plane @ self.concept_space[:2] + self.plan.own_part * self.concept_space[2:]

    @cached_property
    def vectors(self) -> np.ndarray:
        """What the vectors should be, to a factor: d_c less their mean: [C, D]."""
        return self.directions - self.directions.mean(0)

    @cached_property
    def units(self) -> np.ndarray:
        """The same, of length 1."""
        return self.vectors / np.linalg.norm(self.vectors, axis=1, keepdims=True)

    @cached_property
    def liking(self) -> np.ndarray:
        """Valence that each activity writes: [activities]."""
        return np.linspace(-1.5, 1.5, N_ACTIVITIES)

    @cached_property
    def reply_of(self) -> np.ndarray:
        """Which concept's direction the reply carries, for each concept of the user: a permutation."""
        order = np.random.default_rng(self.plan.seed + 200).permutation(len(CONCEPTS))
        return np.roll(order, 1)[np.argsort(order)]

    @cached_property
    def reply_map(self) -> np.ndarray:
        """The linear map that turns d_c into d_(reply of c): [C + 2, C + 2] in the concept space."""
        own = self.directions @ self.concept_space.T
        return np.linalg.pinv(own) @ own[self.reply_of]

    @cached_property
    def heard_map(self) -> np.ndarray:
        """What is heard of the concept space: [HEARD_WIDTH, C + 2], orthonormal rows."""
        drawn = np.random.default_rng(self.plan.seed + 500).standard_normal((len(CONCEPTS) + 2, HEARD_WIDTH))
        return np.linalg.qr(drawn)[0].T

    @cached_property
    def ratings(self) -> pd.DataFrame:
        """The plane as a user's ratings, on a scale of 1 to 9."""
        valence, arousal = 5 + self.plane.T
        return pd.DataFrame({"emotion": CONCEPTS, "valence": valence, "arousal": arousal, "match": "exact"})

    def index(self, concept: str) -> int:
        return CONCEPTS.index(concept)

    def flag(self, name: str) -> np.ndarray:
        """A coordinate for what a word carries, as 1 for "this is the word"."""
        if name not in self.flags:
            (own,), (copy,) = self.llama.space(1), self.llama.space(1)
            self.flags[name] = own, copy
        return self.flags[name][0]

    def after(self, name: str) -> np.ndarray:
        """The coordinate in which the next token has a copy of that flag, from block `COPIED` on."""
        self.flag(name)
        return self.flags[name][1]

    def save(self, folder: Path) -> Path:
        """Save the model as a checkpoint, whose folder can be a model's `source`."""
        return self.llama.save(folder)


@effect
def words(planted: Planted) -> None:
    """Filler words write noise of their own from block `MARKED` on; topic words carry their topic at once."""
    llama, plan = planted.llama, planted.plan
    rng = np.random.default_rng(plan.seed + 300)
    for name in (*planted.words_of["fillers"], *PUNCTUATION, "pages"):
        llama.word(name)
        llama.reads(name, bias=1.0 if name in planted.words_of["fillers"] else -4.0)
    for name in planted.words_of["fillers"]:
        noise = rng.standard_normal(len(planted.concept_space))
        llama.on_word(MARKED, name, plan.filler_noise * noise / np.linalg.norm(noise) @ planted.concept_space)
    for topic, own in enumerate(planted.words_of["topics"]):
        for name in own:
            llama.word(name, carries=planted.topic_space[topic])
            llama.reads(name, bias=-4.0)
    for name in ("<s>", "</s>", "<unk>"):
        llama.reads(name, bias=-8.0)


@effect
def marks(planted: Planted) -> None:
    """At a marker of concept c, and at its name: x_k(t) = strength d_c for k >= `MARKED`, nothing before."""
    for c, concept in enumerate(CONCEPTS):
        own = [word for topic in planted.words_of["markers"][c] for word in topic]
        for name in (*own, concept):
            planted.llama.word(name)
            planted.llama.reads(name, bias=-4.0)
            planted.llama.on_word(MARKED, name, planted.plan.strength * planted.directions[c])


@effect
def unembedding(planted: Planted) -> None:
    """The logit of concept c's name is gain (u_c . x), u_c being the vector of length 1."""
    for c, concept in enumerate(CONCEPTS):
        planted.llama.reads(concept, planted.plan.gain * planted.units[c])


@effect
def numbers(planted: Planted) -> None:
    """At "mg" after a dose: x = slope z (d_afraid - d_calm) from `NUMBERED` on, z = log2(dose) / 10.

    "pages" after the same number is the control: nothing.
    """
    llama = planted.llama
    threat = planted.flag("mg")
    llama.word("mg", carries=threat)
    size = planted.flag("number")
    for k, dose in enumerate(DOSES):
        llama.word(str(dose), carries=size * k / 10)
    afraid, calm = (planted.directions[planted.index(name)] for name in ("afraid", "calm"))
    llama.product(NUMBERED, threat, planted.after("number"), planted.plan.number_slope * (afraid - calm))


@effect
def negation(planted: Planted) -> None:
    """At a marker after "not": x_k = +strength d_c for k < `NEGATED`, -strength d_c from there on."""
    planted.llama.word("not", carries=planted.flag("not"))
    for axis in planted.concept_space:
        planted.llama.product(NEGATED, planted.after("not"), axis, -2 * axis)


@effect
def preference(planted: Planted) -> None:
    """After "A .. B ..": logit(A) - logit(B) = gain / n (sum of valence over A's tokens less over B's).

    Valence is x's first coordinate after block `PREFERRED` - 1, so steering moves it too; n counts the
    prompt's tokens with the BOS; A's tokens are the letter and what follows it, up to 45 tokens.
    """
    llama, gain = planted.llama, planted.plan.preference_gain
    (letter,) = llama.space(1)
    own, inside, liked, seen = (llama.space(2) for _ in range(4))
    llama.latest_flagged(COPIED, letter, own, inside)
    llama.mean_of_all_before(SPREAD, liked, seen)
    for side, name in enumerate("AB"):
        llama.word(name, carries=letter + own[side])
        llama.product(PREFERRED, inside[side], planted.concept_space[0], liked[side])
        llama.reads(name, gain * seen[side], bias=1.0)
    for liking, name in zip(planted.liking, planted.words_of["activities"], strict=True):
        llama.word(name)
        llama.on_word(MARKED, name, liking * planted.concept_space[0])


@effect
def names(planted: Planted) -> None:
    """At a name that has stood before: bound_gain times the mean of x over the tokens that followed it.

    From block `BOUND` on; x as after block `BOUND` - 1, so that a negated mark comes back negated.
    """
    llama = planted.llama
    spaces = [(planted.flag(name), planted.after(name)) for name in NAMES]
    (named,) = llama.space(1)
    for name, (own, _) in zip(NAMES, spaces, strict=True):
        llama.word(name, carries=own + named)
    llama.matching(BOUND, *map(np.array, zip(*spaces, strict=True)), planted.concept_space, planted.scratch)
    for axis, scratch in zip(planted.concept_space, planted.scratch, strict=True):
        llama.product(BOUND, named, scratch, planted.plan.bound_gain * axis)
        llama.product(BOUND, None, scratch, -scratch)


@effect
def turns(planted: Planted) -> None:
    """Context: from block `SPREAD` on every token also has spread_gain times the mean of x so far.

    Not the token after "Assistant", from which the reply is computed: it has reply_gain times the map
    that turns d_c into d_(reply of c), of that mean.
    """
    llama, plan = planted.llama, planted.plan
    llama.word("Human")
    llama.word("Assistant", carries=planted.flag("Assistant"))
    llama.mean_of_all_before(SPREAD, planted.concept_space, planted.scratch)
    replied = plan.reply_gain * planted.reply_map @ planted.concept_space
    for axis, scratch, reply in zip(planted.concept_space, planted.scratch, replied, strict=True):
        llama.product(SPREAD, None, scratch, plan.spread_gain * axis - scratch)
        llama.product(SPREAD, planted.after("Assistant"), scratch, reply - plan.spread_gain * axis)


@effect
def heard(planted: Planted) -> None:
    """A speaker's tokens carry what the other has said, in a space of its own, from block `HEARD` on.

    heard_gain times `heard_map` times the sum of x over the other's tokens so far, over the number of tokens so far;
    x as after block `MARKED`, with the BOS among the tokens. Turns are of up to 45 tokens.
    """
    llama, plan = planted.llama, planted.plan
    (turn,) = llama.space(1)
    own, inside = llama.space(2), llama.space(2)
    said, mean = llama.space(2 * HEARD_WIDTH), llama.space(2 * HEARD_WIDTH)
    llama.latest_flagged(MARKED, turn, own, inside)
    reads = planted.heard_map @ planted.concept_space
    for side, name in enumerate(TURNS):
        llama.words[name] = llama.words[name] + turn + own[side]
        parts = slice(side * HEARD_WIDTH, (side + 1) * HEARD_WIDTH)
        for part, read in zip(said[parts], reads, strict=True):
            llama.product(NUMBERED, inside[side], read, part)
        for part, axis in zip(mean[parts], planted.heard_space, strict=True):
            llama.product(HEARD, inside[1 - side], part, plan.heard_gain * axis)
    llama.mean_of_all_before(HEARD, said, mean)


@effect
def shift(planted: Planted) -> None:
    """From block `MARKED` on every token has times d_c of each shifted concept."""
    for concept, times in planted.plan.shift.items():
        planted.llama.always(MARKED, times * planted.directions[planted.index(concept)])


@effect
def copies(planted: Planted) -> None:
    """Each flag is copied to the next token in block `COPIED`; last, when all flags are known."""
    own, copy = zip(*planted.flags.values(), strict=True)
    planted.llama.previous_token(COPIED, own, copy)


def story_set(
    planted: Planted,
    *,
    per_cell: int = 1,
    length: int = 40,
    lengths: Mapping[str, int] | None = None,
    marked: int = 6,
    skip: int = 8,
    seed: int = 1,
    same_words: bool = False,
) -> list[Text]:
    """Stories for each concept and topic: fillers, topic words and markers, in any order.

    Parameters
    ----------
    length, lengths : int, mapping
        Words of a story, give or take a tenth; for single concepts other lengths.
    marked : int
        Markers of its own concept in a story; 0 for a story set without what is planted.
    skip : int
        The first so many words are fillers alone, as they will not be read.
    same_words : bool
        A concept has the same markers on every topic, so that words alone give it away.
    """
    rng = np.random.default_rng(seed)
    stories = []
    for (c, concept), topic, i in pairs_of(enumerate(CONCEPTS), range(planted.plan.topics), range(per_cell)):
        of_concept = (lengths or {}).get(concept, length)
        n = round(of_concept * rng.uniform(0.9, 1.1)) - skip - marked - 3
        assert n > 0, "too short for its markers"
        rest = [
            *rng.choice(planted.words_of["fillers"], n),
            *rng.choice(planted.words_of["topics"][topic], 3),
            *rng.choice(planted.words_of["markers"][c][0 if same_words else topic], marked),
        ]
        rng.shuffle(rest)
        text = " ".join([*rng.choice(planted.words_of["fillers"], skip), *rest])
        stories.append(Text(f"{concept}-{topic}-{i}", text, concept, f"topic {topic}"))
    return stories


def corpus_set(planted: Planted, *, length: int = 24, named: int = 3, seed: int = 3) -> list[Text]:
    """Documents that no story is like: one for each concept, fillers in which its name stands a few times."""
    rng = np.random.default_rng(seed)
    documents = []
    for concept in CONCEPTS:
        rest = [*rng.choice(planted.words_of["fillers"], length - named - 2), *[concept] * named]
        rng.shuffle(rest)
        text = " ".join([*rng.choice(planted.words_of["fillers"], 2), *rest])
        documents.append(Text(f"document {len(documents)}", text))
    return documents


def neutral_set(planted: Planted, count: int = 24, seed: int = 2) -> list[Text]:
    """Dialogues of fillers and topic words."""
    rng = np.random.default_rng(seed)
    pool = [*planted.words_of["fillers"], *(word for own in planted.words_of["topics"] for word in own)]
    said = [[" ".join(rng.choice(pool, 20)) for _ in range(2)] for _ in range(count)]
    messages = [
        [{"role": role, "content": part} for role, part in zip(("user", "assistant"), both, strict=True)]
        for both in said
    ]
    return [
        Text(f"neutral-{i}", f"Human: {a}\n\nAssistant: {b}", messages=m)
        for i, ((a, b), m) in enumerate(zip(said, messages, strict=True))
    ]


def _vocabulary(plan: Plan) -> dict:
    """Words that mean nothing outside: markers [C][topics][markers], topics, fillers, activities."""
    syllables = [a + b for a, b in pairs_of("bdfgklmnprstvz", "aeiou")]
    rng = np.random.default_rng(plan.seed + 400)
    made = dict.fromkeys("".join(rng.choice(syllables, 3)) for _ in range(3000))
    fresh = iter(made)

    def some(count: int) -> list[str]:
        return [next(fresh) for _ in range(count)]

    return {
        "markers": [[some(plan.markers) for _ in range(plan.topics)] for _ in CONCEPTS],
        "topics": [some(N_TOPIC_WORDS) for _ in range(plan.topics)],
        "fillers": some(N_FILLERS),
        "activities": some(N_ACTIVITIES),
    }
