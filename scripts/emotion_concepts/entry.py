"""How a script starts, from Snakemake or by hand: arguments, logging, progress, exit code."""

import argparse
import inspect
import logging
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from emotion_concepts.errors import UserError
from emotion_concepts.progress import progress_to

# What an option is on the command line by its annotation; any other is a path.
TYPES = {int: int, int | None: int, float: float, str: str, str | None: str}


def run_script(main: Callable[..., None], namespace: dict) -> None:
    """Call a script's `main` with what Snakemake or the command line gives, by parameter name.

    Under Snakemake, parameters are the rule's named inputs, outputs, logs, `cfg`, threads and resources. By hand,
    every parameter is an option: `--cfg` takes YAML. A user's mistake becomes one line and exit
    code 1; any other error rises with its traceback.
    """
    snakemake = namespace.get("snakemake")
    if snakemake is None:
        arguments = _from_command_line(main, namespace.get("__doc__"))
        log = None
    else:
        arguments = _from_snakemake(main, snakemake)
        log = Path(snakemake.log[0]) if snakemake.log else None
    with _logging_to(log):
        try:
            main(**arguments)
        except UserError as error:
            logging.getLogger("emotion_concepts").error("%s", error)
            sys.exit(1)


def _from_snakemake(main: Callable, snakemake) -> dict:
    given = {**dict(snakemake.input.items()), **dict(snakemake.output.items()), **dict(snakemake.log.items())}
    given |= {"cfg": snakemake.params.get("cfg"), "threads": snakemake.threads}
    given |= dict(snakemake.resources.items())
    arguments = {}
    for name, parameter in inspect.signature(main).parameters.items():
        value = given[name]
        if parameter.annotation == list[Path]:
            # One file is given as a string, none or several as a list.
            value = [Path(item) for item in ([value] if isinstance(value, str) else value)]
        elif isinstance(value, str):
            value = Path(value)
        arguments[name] = value
    return arguments


def _from_command_line(main: Callable, description: str | None) -> dict:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, parameter in inspect.signature(main).parameters.items():
        options = {"required": parameter.default is inspect.Parameter.empty, "default": parameter.default}
        if name == "cfg":
            options |= {"type": yaml.safe_load, "metavar": "YAML", "help": "settings, as in config.yaml"}
        elif parameter.annotation == list[Path]:
            options |= {"type": Path, "nargs": "+"}
        else:
            options |= {"type": TYPES.get(parameter.annotation, Path)}
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, **options)
    return vars(parser.parse_args())


@contextmanager
def _logging_to(path: Path | None):
    """Log to the rule's log; the screen gets warnings and, in a terminal, progress bars."""
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.INFO if path is None else logging.WARNING)
    handlers: list[logging.Handler] = [screen]
    with ExitStack() as stack:
        file = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(open(path, "w", encoding="utf-8", buffering=1))
            handlers.append(logging.StreamHandler(file))
        logging.basicConfig(
            level=logging.INFO, format="%(levelname)s %(message)s", handlers=handlers, force=True
        )
        logging.captureWarnings(True)
        # A line for every request says nothing that a user needs.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        stack.enter_context(progress_to(file))
        try:
            yield
        except Exception:
            # The traceback belongs in the rule's log too, where the user is sent to look.
            if file is not None:
                traceback.print_exc(file=file)
            raise
        finally:
            logging.shutdown()
