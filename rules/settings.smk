# The checked settings, and what the rules' params need: `config_of` and `code_of`.
import os
import re
import shlex
import sys

sys.path.insert(0, f"{workflow.basedir}/scripts")

# Snakemake puts this into each script's shell command as it is (its issue 2645): without quotes, no
# script would start from an environment whose path has a space.
sys.executable = shlex.quote(sys.executable)

from pathlib import Path

from emotion_concepts.code_digest import code_digest
from emotion_concepts.conduct_experiments import CONDUCT
from emotion_concepts.config import NEUTRAL
from emotion_concepts.config_check import (
    checked_config,
    concepts_to_write,
    corpus_files,
    neutral_file,
    source_files,
    story_file,
    used_models,
)
from emotion_concepts.config_texts import HubStories, LocalWriter, Sampling
from emotion_concepts.config_vectors import NO_MODEL
from emotion_concepts.errors import UserError
from emotion_concepts.experiments import ANSWERED, EXPERIMENTS, PROMPTS

# Relative to where the run is, so that a project that is moved with its results stays finished.
RESOURCES = Path(os.path.relpath(workflow.basedir)) / "resources"

try:
    SETTINGS = checked_config(config, workflow.configfiles, resources=RESOURCES, results=Path("results"))
except UserError as error:
    # The message alone: a traceback of this file would say nothing to its reader.
    sys.exit(str(error))

MODELS = SETTINGS.run.models
STORY_SETS = SETTINGS.run.story_sets
PAIRS = [(model, story_set) for model in MODELS for story_set in STORY_SETS]
# Vectors made elsewhere, with the model that they are of, or the folder of those without one.
IMPORTED = [(SETTINGS.vector_sets[name].model or NO_MODEL, name) for name in SETTINGS.run.vector_sets]
WRITTEN = [name for name, texts in SETTINGS.story_sets.items() if isinstance(texts, Sampling)]


ON_HUB = [name for name in STORY_SETS if isinstance(SETTINGS.story_sets[name], HubStories)]
# Every pair of model and vectors of the run, and what there is of each: imported vectors have no stories,
# and without a model nothing that needs one.
STUDIED = [*PAIRS, *IMPORTED]
WITH_MODEL = [pair for pair in STUDIED if pair[0] != NO_MODEL]
# Models of the pairs that are compared, base and post-trained.
COMPARED_MODELS = [
    getattr(SETTINGS.model_pairs[name], side)
    for name in SETTINGS.run.model_pairs
    for side in ("base", "post")
]


def config_of(*sections):
    """The settings of these sections as one plain dict: all that a rule reads of them."""
    chosen = {}
    for section in sections:
        chosen |= getattr(SETTINGS, section).model_dump(mode="json")
    return chosen


def keys_of(section, *keys):
    """Some settings of a section, where a rule does not read all of them."""
    return {key: config_of(section)[key] for key in keys}


def recording_of(wildcards):
    """Settings of a recording; the neutral dialogues' token moments are kept too, for denoising."""
    return config_of("recording") | {"moments": wildcards.text_set == NEUTRAL}


def code_of(script):
    """Digest of a script and of every project module that it imports."""
    return code_digest(
        Path(workflow.basedir) / "scripts" / f"{script}.py", Path(workflow.basedir) / "scripts"
    )


def for_pairs(pattern, **more):
    """A path for each model and story set of the run, in the order of `PAIRS`."""
    return [path for m, s in PAIRS for path in expand(pattern, model=m, story_set=s, **more)]


def made_here(path):
    """An input of vectors that were made here from stories; nothing for imported ones."""
    return lambda wildcards: path if wildcards.story_set in SETTINGS.story_sets else []


def neutral_of(wildcards, name):
    """What was recorded of the neutral dialogues by the model of imported vectors; nothing without a model."""
    path = f"results/{wildcards.model}/activations/{NEUTRAL}/{name}"
    return path if wildcards.model in SETTINGS.models else []


def for_sets(pattern):
    """A path for each story set of the run, the model left as a wildcard."""
    return expand(pattern, story_set=STORY_SETS, allow_missing=True)


def figure_names(pair):
    """Figures of a pair, in the report's order."""
    names = [*RETRIEVAL_FIGURES] if pair in PAIRS else []
    read = [f"sweep-{name}" for name in SETTINGS.run.corpora]
    read += [f"labelled-{name}" for name in SETTINGS.run.labelled_sets]
    names += [*GEOMETRY_FIGURES, *(["lens", "words", *ANALYSED, *read] if pair in WITH_MODEL else [])]
    names += PREFERENCE_FIGURES if pair in PREFERRED else []
    return [*names, *(MEASURES if pair in STEERED else [])]


def figures_of(types):
    """Every figure of every pair of the run."""
    return [
        path
        for pair in STUDIED
        for path in expand(FIGURES, model=pair[0], story_set=pair[1], name=figure_names(pair), type=types)
    ]


def steering_sets(chosen):
    """The story sets that steer: those chosen, which may be none, or else the run's first."""
    return STORY_SETS[:1] if chosen is None else chosen


def summaries(pairs, stage):
    """A stage's summary for each pair that has one."""
    return [f"results/{model}/{stage.format(story_set=name)}" for model, name in pairs]


def readings(ending):
    """What every experiment that reads left, pair by pair."""
    return [f"results/{m}/reading/{s}/{name}.{ending}" for m, s in WITH_MODEL for name in ANALYSED]


def of_side(side, pattern):
    """A path of one side of a pair, its base or what came of it; a list of paths for a list."""

    def path_of(wildcards):
        model = getattr(SETTINGS.model_pairs[wildcards.pair], side)
        # A single path stays one: a script takes a list of one for several.
        found = expand(pattern, model=model, story_set=wildcards.story_set)
        return found[0] if isinstance(pattern, str) else found

    return path_of


def text_source(wildcards):
    """An experiment's file: the user's, or the bundled one."""
    own = SETTINGS.reading.paths.get(wildcards.experiment)
    return own or RESOURCES / "text_sets" / (EXPERIMENTS | PROMPTS)[wildcards.experiment].source


def texts_of(experiment):
    """An experiment's texts; those that the model answers, with its replies."""
    folder = "results/{model}/texts" if experiment == ANSWERED else "results/texts"
    return f"{folder}/{experiment}.jsonl"


def writer_of(texts):
    """The `model.json` of a writer that runs here; nothing for one behind an endpoint."""
    return f"results/{texts.model}/model.json" if isinstance(texts, LocalWriter) else []


def any_of(names):
    """A wildcard constraint: one of these names, or nothing at all if there are none."""
    return "|".join(map(re.escape, names)) or "none^"


wildcard_constraints:
    model=any_of([*SETTINGS.models, NO_MODEL]),
    # Imported vectors go where those of a story set would; rules that need the stories say so.
    story_set=any_of([*SETTINGS.story_sets, *SETTINGS.vector_sets]),
    text_set=any_of([NEUTRAL, *SETTINGS.story_sets]),
    experiment=any_of([*EXPERIMENTS, *PROMPTS]),
    pair=any_of(SETTINGS.model_pairs),
