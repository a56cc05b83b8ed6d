"""Reading the settings: every mistake becomes one line with file, line, key and what would be right."""

import difflib
import json
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from emotion_concepts.config import (
    BundledStories,
    Config,
    CrossReferenceError,
    FileStories,
    GeneratedStories,
)
from emotion_concepts.errors import ConfigError
from emotion_concepts.layers import single_layer, steered_layers
from emotion_concepts.model_sources import KNOWN_WHEELS, local_folder
from emotion_concepts.text_sets import concepts_of_file

Place = tuple[str | int, ...]


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
    problems = []

    def say(place: Place, message: str) -> None:
        problems.append(f"{_where(place, files)}: {message}")

    known: set[str] = set()
    for name in config.run.story_sets:
        story_set = config.story_sets[name]
        if isinstance(story_set, GeneratedStories):
            continue
        path = story_file(name, story_set, resources)
        if not path.is_file():
            place = ("story_sets", name, "path" if isinstance(story_set, FileStories) else "source")
            say(place, f"no such file: {path}")
        else:
            known |= concepts_of_file(path)
    if any(isinstance(config.story_sets[name], GeneratedStories) for name in config.run.story_sets):
        known |= set((resources / "emotions.txt").read_text(encoding="utf-8").split("\n")) - {""}
    if all(isinstance(config.story_sets[name], GeneratedStories) for name in config.run.story_sets):
        # A model writes about any word.
        known |= set(config.emotions or ())
    for place, emotion in enumerate(config.emotions or ()):
        if emotion not in known:
            say(("emotions", place), f"unknown concept {emotion!r}{_nearest(emotion, known)}")
    for place, emotion in enumerate(config.steering.concepts or ()):
        if emotion not in known:
            say(("steering", "concepts", place), f"unknown concept {emotion!r}{_nearest(emotion, known)}")
    for key, path in (
        (("neutral", "path"), config.neutral.path),
        (("ratings", "path"), config.ratings.path),
    ):
        if path and not Path(path).is_file():
            say(key, f"no such file: {path}")
    for name in used_models(config):
        source = config.models[name].source
        folder = local_folder(source)
        if folder and not (folder / "config.json").is_file():
            say(
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
                    say(place, f"{error} (model {name!r})")
    if problems:
        raise ConfigError("\n".join(problems))


def used_models(config: Config) -> list[str]:
    """Models that the run touches: those studied, and the writers of the chosen story sets."""
    writers = [
        config.story_sets[name].model
        for name in config.run.story_sets
        if isinstance(config.story_sets[name], GeneratedStories)
    ]
    return list(dict.fromkeys([*config.run.models, *writers]))


def story_file(name: str, story_set: BundledStories | FileStories, resources: Path) -> Path:
    """The file in which a story set that is not generated stands."""
    if isinstance(story_set, FileStories):
        return Path(story_set.path).expanduser()
    return resources / "stories" / f"{name}.jsonl"


def source_files(source: str) -> list[str]:
    """The files of a model that is a local folder; nothing for one that is fetched."""
    folder = local_folder(source)
    return sorted(str(path) for path in folder.iterdir() if path.is_file()) if folder else []


def concepts_to_write(config: Config, resources: Path) -> list[str]:
    """The concepts that a generated story set is about: `emotions`, or those of the bundled sets."""
    if config.emotions:
        return sorted(config.emotions)
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
    place = tuple(p for p in place if p not in ("bundled", "file", "generate") or place[0] != "story_sets")
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
        expected = problem["ctx"].get("expected_tags", "'bundled', 'file', 'generate'")
        return f"{where}: {said} {expected}"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    given = "" if kind in ("missing", "value_error") else f", got {problem['input']!r}"
    return f"{where}: {message}{given}"


def _keys_beside(place: Place) -> list[str]:
    """The keys that are known where an unknown one was found."""
    section: type[BaseModel] = Config
    if place[0] == "models" and len(place) > 2:
        section = Config.model_fields["models"].annotation.__args__[1]
    elif place[0] == "story_sets" and len(place) > 2:
        section = {"bundled": BundledStories, "file": FileStories, "generate": GeneratedStories}[place[2]]
    elif len(place) > 1:
        section = Config.model_fields[place[0]].annotation
    return list(section.model_fields)


def _nearest(name: str, known) -> str:
    close = difflib.get_close_matches(name, sorted(known), 1, 0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
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
