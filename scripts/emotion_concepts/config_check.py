"""Reading the settings: every mistake becomes one line with file, line, key and what would be right."""

import difflib
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from emotion_concepts.config import Config, CrossReferenceError
from emotion_concepts.config_corpora import FileCorpus, FolderCorpus, HubCorpus, PypiCorpus
from emotion_concepts.config_texts import (
    BundledStories,
    EndpointDialogues,
    EndpointStories,
    FileStories,
    GeneratedDialogues,
    GeneratedStories,
    HubColumns,
    HubStories,
    LocalWriter,
    Sampling,
)
from emotion_concepts.errors import ConfigError
from emotion_concepts.layers import single_layer, steered_layers
from emotion_concepts.model_sources import KNOWN_WHEELS, local_folder
from emotion_concepts.text_sets import concepts_of_file, read_named_lines

Place = tuple[str | int, ...]
# Where in the settings, and what is wrong there.
Problem = tuple[Place, str]

# The kinds of entry in each map of sources, by their `source`.
SECTIONS_OF = {
    "story_sets": {
        "bundled": BundledStories,
        "file": FileStories,
        "hub": HubStories,
        "generate": GeneratedStories,
        "endpoint": EndpointStories,
    },
    "text_sets": {"generate": GeneratedDialogues, "endpoint": EndpointDialogues},
    "corpora": {"pypi": PypiCorpus, "folder": FolderCorpus, "file": FileCorpus, "hub": HubCorpus},
}


def checked_config(settings: dict, files: Sequence[Path] = (), *, resources: Path, results: Path) -> Config:
    """The settings as a typed tree.

    Parameters
    ----------
    settings : dict
        As merged by Snakemake from the files and the command line.
    files : sequence of Path
        The YAML files, the last overriding the first; only searched for line numbers.
    resources, results : Path
        Folder of bundled stories; folder in which earlier runs left what they know of the models.

    Raises
    ------
    ConfigError
        One line a mistake, all of them at once.
    """
    try:
        config = Config.model_validate(settings)
    except ValidationError as error:
        # A tagged union reports its members one by one; the same mistake is said once.
        lines = dict.fromkeys(_line_of(problem, files) for problem in error.errors())
        raise ConfigError("\n".join(lines)) from None
    _check_against_files(config, files, resources, results)
    return config


def _check_against_files(config: Config, files: Sequence[Path], resources: Path, results: Path) -> None:
    problems = chain(
        _unknown_concepts(config, resources),
        _too_many_topics(config, resources),
        _missing_files(config),
        _unfit_models(config, results),
    )
    lines = [f"{_where(place, files)}: {message}" for place, message in problems]
    if lines:
        raise ConfigError("\n".join(lines))


def _unknown_concepts(config: Config, resources: Path) -> Iterator[Problem]:
    """Story files that are missing, and concepts that none of the chosen story sets has."""
    bundled = set((resources / "emotions.txt").read_text(encoding="utf-8").split("\n")) - {""}
    known: set[str] = set()
    chosen = [config.story_sets[name] for name in config.run.story_sets]
    # What a dataset on the Hub holds is not known here.
    any_word = any(isinstance(story_set, HubStories) for story_set in chosen)
    if all(isinstance(story_set, Sampling) for story_set in chosen):
        # A model writes about any word.
        known |= set(config.emotions or ())
    for name, story_set in zip(config.run.story_sets, chosen, strict=True):
        path = story_file(name, story_set, resources)
        if isinstance(story_set, Sampling):
            known |= bundled | set(story_set.emotions or ())
        elif path is None:
            continue
        elif not path.is_file():
            place = ("story_sets", name, "path" if isinstance(story_set, FileStories) else "source")
            yield place, f"no such file: {path}"
        else:
            known |= concepts_of_file(path)
    for key, concepts in (
        (("emotions",), config.emotions),
        (("steering", "concepts"), config.steering.concepts),
    ):
        for place, emotion in enumerate(concepts or ()):
            if emotion not in known and not any_word:
                yield (*key, place), f"unknown concept {emotion!r}{_nearest(emotion, known)}"


def _too_many_topics(config: Config, resources: Path) -> Iterator[Problem]:
    n_topics = len(read_named_lines(resources / "topics.txt"))
    for kind, sets in (("story_sets", config.story_sets), ("text_sets", config.text_sets)):
        for name, texts in sets.items():
            if isinstance(texts, Sampling) and texts.topics > n_topics:
                yield (kind, name, "topics"), f"{texts.topics}, but resources/topics.txt has {n_topics}"


def _missing_files(config: Config) -> Iterator[Problem]:
    """The user's own files, but for stories."""
    for key, path in (
        (("neutral", "path"), config.neutral.path),
        (("ratings", "path"), config.ratings.path),
    ):
        if path and not Path(path).is_file():
            yield key, f"no such file: {path}"
    for name, path in config.reading.paths.items():
        if not Path(path).expanduser().is_file() and not path.startswith("results/texts/"):
            yield ("reading", "paths", name), f"no such file: {path}"
    for name in config.run.vector_sets:
        vectors = config.vector_sets[name]
        for key, path in (("path", vectors.path), ("concepts", vectors.concepts)):
            if isinstance(path, str) and not Path(path).expanduser().exists():
                yield ("vector_sets", name, key), f"no such file: {path}"
    for name in config.run.corpora:
        corpus = config.corpora[name]
        if isinstance(corpus, FileCorpus | FolderCorpus) and not corpus_files(corpus):
            what = f"file with {corpus.pattern} in" if isinstance(corpus, FolderCorpus) else "such file:"
            yield ("corpora", name, "path"), f"no {what} {corpus.path}"
    for name in config.run.labelled_sets:
        for key, path in config.labelled_sets[name].files().items():
            if not path.is_file():
                yield ("labelled_sets", name, key), f"no such file: {path}"


def _unfit_models(config: Config, results: Path) -> Iterator[Problem]:
    """Folders that are no model, and layers that a model is known to lack."""
    for name in used_models(config):
        source = config.models[name].source
        folder = local_folder(source)
        if folder and not (folder / "config.json").is_file():
            yield (
                ("models", name, "source"),
                f"{source} holds no config.json; give a model's folder or a Hub id",
            )
        depth = _known_depth(source, folder, results / name / "model.json")
        if depth and name in config.run.models:
            for place, check in (
                (("validation", "layer"), lambda d=depth: single_layer(d, config.validation.layer)),
                (("steering", "layers"), lambda d=depth: steered_layers(d, config.steering.layers)),
            ):
                try:
                    check()
                except ConfigError as error:
                    yield place, f"{error} (model {name!r})"


def used_models(config: Config) -> list[str]:
    """Models that the run touches: those studied, and the writers that run here."""
    texts = [config.story_sets[name] for name in config.run.story_sets]
    texts += [config.text_sets[name] for name in written_dialogues(config)]
    writers = [written.model for written in texts if isinstance(written, LocalWriter)]
    studied = [config.vector_sets[name].model for name in config.run.vector_sets]
    compared = [
        getattr(config.model_pairs[name], side)
        for name in config.run.model_pairs
        for side in ("base", "post")
    ]
    return [name for name in dict.fromkeys([*config.run.models, *writers, *studied, *compared]) if name]


def written_dialogues(config: Config) -> list[str]:
    """Dialogue sets that the run needs."""
    neutral = [config.neutral.text_set] if config.neutral.text_set else []
    return list(dict.fromkeys([*config.run.text_sets, *neutral]))


def story_file(name: str, story_set, resources: Path) -> Path | None:
    """The file in which a story set stands; None for one that is written or on the Hub."""
    if isinstance(story_set, FileStories):
        return Path(story_set.path).expanduser()
    return resources / "stories" / f"{name}.jsonl" if isinstance(story_set, BundledStories) else None


def corpus_files(corpus) -> list[str]:
    """The files of a corpus that is here already, sorted; nothing for one that is fetched."""
    if isinstance(corpus, FileCorpus):
        path = Path(corpus.path).expanduser()
        return [str(path)] if path.is_file() else []
    if isinstance(corpus, FolderCorpus):
        found = Path(corpus.path).expanduser().glob(corpus.pattern)
        return sorted(str(path) for path in found if path.is_file())
    return []


def neutral_file(config: Config, resources: Path) -> Path:
    """The file of the neutral dialogues: the user's, one that a model writes, or the bundled one."""
    if config.neutral.text_set:
        return Path(f"results/texts/{config.neutral.text_set}.jsonl")
    return Path(config.neutral.path or resources / "neutral/dialogues.jsonl")


def source_files(source: str) -> list[str]:
    """The files of a model that is a local folder; nothing for one that is fetched."""
    folder = local_folder(source)
    return sorted(str(path) for path in folder.iterdir() if path.is_file()) if folder else []


def concepts_to_write(name: str, config: Config, resources: Path) -> list[str]:
    """The concepts that a written story set is about: its own, `emotions`, or those of the bundled sets."""
    chosen = config.story_sets[name].emotions or config.emotions
    if chosen:
        narrowed = [c for c in chosen if not config.emotions or c in config.emotions]
        return sorted(narrowed or config.emotions)
    bundled = [n for n, s in config.story_sets.items() if isinstance(s, BundledStories)]
    return sorted(
        set().union(*(concepts_of_file(story_file(n, config.story_sets[n], resources)) for n in bundled))
    )


def _known_depth(source: str, folder: Path | None, description: Path) -> int | None:
    if source in KNOWN_WHEELS:
        return KNOWN_WHEELS[source].n_layers
    if folder and (folder / "config.json").is_file():
        shape = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return shape.get("text_config", shape).get("num_hidden_layers")
    if description.is_file():
        return json.loads(description.read_text(encoding="utf-8"))["n_layers"]
    return None


def _line_of(problem: dict, files: Sequence[Path]) -> str:
    """One line for one of pydantic's errors."""
    place, kind = tuple(problem["loc"]), problem["type"]
    cause = problem.get("ctx", {}).get("error")
    if isinstance(cause, CrossReferenceError):
        return f"{_where(cause.place, files)}: {cause.value!r} is not defined{_nearest(cause.value, cause.known)}"
    # A name that is not allowed: pydantic marks it as a key.
    place = tuple(p for p in place if p != "[key]")
    place = tuple(p for p in place if p not in SECTIONS_OF.get(place[0], {}) or p == place[1])
    where = _where(place, files)
    if kind == "extra_forbidden":
        known = _keys_beside(tuple(problem["loc"]))
        close = difflib.get_close_matches(str(place[-1]), known, 1, 0.5)
        parents = [str(p) for p in place[:-1]]
        hint = (
            f"did you mean {'.'.join([*parents, close[0]])}?" if close else f"known keys: {', '.join(known)}"
        )
        return f"{where}: unknown key; {hint}"
    if kind == "literal_error":
        return f"{where}: {problem['input']!r} is not one of {problem['ctx']['expected']}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        where = _where((*place, "source"), files)
        said = (
            f"{problem['ctx']['tag']!r} is not one of"
            if kind == "union_tag_invalid"
            else "missing; give one of"
        )
        expected = problem["ctx"].get("expected_tags", ", ".join(map(repr, SECTIONS_OF[place[0]])))
        return f"{where}: {said} {expected}"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    given = "" if kind in ("missing", "value_error") else f", got {problem['input']!r}"
    return f"{where}: {message}{given}"


def _keys_beside(place: Place) -> list[str]:
    """The keys that are known where an unknown one was found."""
    section: type[BaseModel] = Config
    if place[0] in ("models", "vector_sets", "model_pairs", "labelled_sets") and len(place) > 2:
        section = Config.model_fields[place[0]].annotation.__args__[1]
    elif place[0] in SECTIONS_OF and len(place) > 2:
        section = SECTIONS_OF[place[0]][place[2]]
        if "columns" in place[3:-1]:
            section = HubColumns
    elif len(place) > 1:
        section = Config.model_fields[place[0]].annotation
    return list(section.model_fields)


def _nearest(name: str, known) -> str:
    close = difflib.get_close_matches(name, sorted(known), 1, 0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    if not known:
        return "; none is"
    shown = ", ".join(sorted(known)[:12])
    return f"; known: {shown}{', ..' if len(known) > 12 else ''}"


def _where(place: Place, files: Sequence[Path]) -> str:
    """`config.yaml:41: recording.skip`: the last file that has the key, or that has what it belongs in."""
    key = ".".join(str(p) for p in place) or "config"
    for known in (place, place[:-1]):
        for file in reversed(list(files)):
            line = _line_in(Path(file), known) if known else None
            if line:
                return f"{file}:{line}: {key}"
    return key


def _line_in(file: Path, place: Place) -> int | None:
    node = yaml.compose(file.read_text(encoding="utf-8"))
    line = None
    for step in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if not found:
                return None
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return None
    return line
