"""Runs inside the sandbox, twice at once: one process holds the tests, the other the code they test.

Each call of the function goes over a pipe as one line of JSON: plain data, by value. So the tested code sees
its arguments alone, and whatever it does to its own interpreter, the tests do not feel it. The folder of the
one holds `tests.json`, that of the other `code.json`. Only Python's own modules are used.
"""

import builtins
import contextlib
import json
import math
import os
import sys
import time
import types
from collections.abc import Callable, Iterator
from os import write as os_write

LONGEST_LINE = 1 << 20
# How the process with the code ends where it could not go on, and did not choose to.
BROKEN = 100

_PLAIN = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}

# What honest code on plain data does not do (audit events of Python), in words.
_ATTEMPTS = {
    **dict.fromkeys(("open", "os.listdir", "os.scandir", "os.chdir"), "looks for files"),
    **dict.fromkeys(("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link"), "changes files"),
    **dict.fromkeys(("os.symlink", "os.truncate", "os.chmod", "shutil.rmtree"), "changes files"),
    **dict.fromkeys(("subprocess.Popen", "os.system", "os.exec", "os.fork"), "starts a process"),
    **dict.fromkeys(("os.posix_spawn", "os.spawn", "os.forkpty"), "starts a process"),
    **dict.fromkeys(("os.kill", "signal.pthread_kill"), "sends a signal"),
    **dict.fromkeys(("socket.__new__", "socket.connect", "socket.getaddrinfo"), "uses the network"),
    **dict.fromkeys(("sys.settrace", "sys.setprofile", "sys._current_frames"), "traces the interpreter"),
    **dict.fromkeys(("gc.get_objects", "gc.get_referrers", "ctypes.dlopen"), "traces the interpreter"),
}
_NOISE, _EXIT, _REPLACEMENT = "writes to the harness", "exits", "replaces functions of Python"
_CHAMELEON = "answers with what decides itself what it equals"
_NOTES = [*_ATTEMPTS.values(), _NOISE, _EXIT, _REPLACEMENT, _CHAMELEON]
_OWN_FILES = ("open", "os.listdir", "os.scandir")  # imports do these with the files of Python itself
_WATCHED = (builtins, json, math, os, sys, time)


class Gone(BaseException):
    """The process with the code gives no more answers; not an Exception, so that no test swallows it."""


def pack(value: object) -> object:
    """Plain data as what JSON can hold; a TypeError if it is anything else."""
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is bytes:
        return {"bytes": value.hex()}
    if kind is dict:
        return {"dict": [[pack(key), pack(item)] for key, item in value.items()]}
    if kind.__name__ in _PLAIN and kind is _PLAIN[kind.__name__]:
        return {kind.__name__: [pack(item) for item in value]}
    raise TypeError(f"{kind.__name__} is not plain data")


def unpack(packed: object) -> object:
    """What `pack` was given."""
    if not isinstance(packed, dict):
        return packed
    ((kind, held),) = packed.items()
    if kind == "bytes":
        return bytes.fromhex(held)
    if kind == "dict":
        return {unpack(key): unpack(item) for key, item in held}
    return _PLAIN[kind](unpack(item) for item in held)


class Asker:
    """The side of the tests: calls the function, and keeps what was noted about the code."""

    def __init__(self, answers: int, requests: int) -> None:
        self.answers, self.requests = os.fdopen(answers, "rb"), os.fdopen(requests, "wb", buffering=0)
        self.notes: set[str] = set()
        self.n_calls = 0
        self.gone = False  # no more answers
        self.ended = False  # for the process ended, not for an answer that was too long

    def next_answer(self) -> tuple[str, object]:
        """What came of the last call: lines before it that answer no call are noted."""
        while True:
            line = self.answers.readline(LONGEST_LINE)
            if not line.endswith(b"\n"):
                self.gone, self.ended = True, len(line) < LONGEST_LINE
                raise Gone("no answer")
            try:
                kind, number, told = json.loads(line)
            except (ValueError, TypeError, RecursionError):
                kind, number, told = "note", 0, _NOISE
            if kind == "note" and told in _NOTES:
                self.notes.add(told)
            elif kind != "note" and number == self.n_calls:
                return kind, told
            else:
                self.notes.add(_NOISE)

    def call(self, *args: object, **kwargs: object) -> object:
        """One call of the function; an exception of it is raised here by the name it has there."""
        if self.gone:
            raise Gone("no answer")
        self.n_calls += 1
        with contextlib.suppress(BrokenPipeError):  # its last notes may still be read
            self.requests.write(json.dumps([self.n_calls, pack(args), pack(kwargs)]).encode() + b"\n")
        kind, told = self.next_answer()
        if kind == "value":
            return unpack(told)
        name, message = told
        known = getattr(builtins, name, None)
        raise (known if isinstance(known, type) and issubclass(known, Exception) else Exception)(message)

    def hang_up(self) -> None:
        """No more calls: read on to the end."""
        self.requests.close()
        self.n_calls = -1
        while not self.gone:
            with contextlib.suppress(Gone):
                self.next_answer()


def ask(answers: int, requests: int, job: dict) -> None:
    """Run each test; print one line for each, with the job's token, then one line for the end."""

    def report(**told: object) -> None:
        print(job["token"], json.dumps(told), flush=True)

    asker = Asker(answers, requests)
    names = {"__name__": "tests", job["function"]: asker.call, "source": job["source"]}
    exec(compile(job["tests"], "<tests>", "exec"), names)
    report(begin=True)
    for name in [name for name in names if name.startswith("test_")]:
        why = None
        try:
            names[name]()
        except (Exception, Gone) as error:
            why = f"{type(error).__name__}: {error}"[:200].rstrip(": ")
        report(test=name, why=why)
    early = asker.ended
    asker.hang_up()
    report(end=True, early=early, notes=sorted(asker.notes))


class Answerer:
    """The side of the code: loads it, answers calls, and notes what honest code would not do."""

    def __init__(self, requests: int, answers: int) -> None:
        self.requests, self.answers = os.fdopen(requests, "rb"), os.fdopen(answers, "wb", buffering=0)
        self.noted: set[str] = set()
        self.dumps = json.dumps
        watched = [(vars(module), name) for module in _WATCHED for name in vars(module)]
        self.before = [(names, name, names[name]) for names, name in watched if callable(names[name])]

    def say(self, kind: str, number: int, told: object) -> None:
        self.answers.write(self.dumps([kind, number, told]).encode() + b"\n")

    def note(self, what: str) -> None:
        if what not in self.noted:
            self.noted.add(what)
            # As little of Python as can be: the code may have replaced what `say` needs.
            os_write(self.answers.fileno(), f'["note", 0, "{what}"]\n'.encode())

    def heed(self, event: str, args: tuple) -> None:
        """An audit hook: note an attempt as it is made."""
        what = _ATTEMPTS.get(event)
        if what is None:
            return
        own = event in _OWN_FILES and isinstance(args[0], str)
        # A file in <> is what Python looks for to show the line of an error.
        if not (own and args[0].startswith((sys.base_prefix + "/", "/usr/lib", "<"))):
            self.note(what)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Around whatever the code does: note an exit, and functions of Python that were replaced."""
        try:
            yield
        except SystemExit:
            self.note(_EXIT)
            raise
        finally:
            for names, name, item in self.before:
                if names.get(name) is not item:
                    self.note(_REPLACEMENT)

    def load(self, code: str) -> dict:
        """The code's names; what it raises after the function is defined (checks of its own) does no harm."""
        module = types.ModuleType("solution")
        sys.modules["solution"] = module
        with contextlib.suppress(BaseException), self.watched():
            exec(compile(code, "<solution>", "exec"), vars(module))
        return vars(module)

    def answer(self, number: int, function: Callable, args: tuple, kwargs: dict) -> None:
        """Make one call and send what came of it."""
        try:
            with self.watched():
                value = function(*args, **kwargs)
            if any("__eq__" in vars(kind) and kind.__module__ == "solution" for kind in type(value).__mro__):
                self.note(_CHAMELEON)
            kind, told = "value", pack(value)
        except BaseException as error:
            kind, told = "raised", [type(error).__name__, str(error)[:500]]
        self.say(kind, number, told)


def answer(requests: int, answers: int, job: dict) -> None:
    """Load the code and answer every call until no more come."""
    # Not searched for modules: there are none.
    sys.path.remove(os.getcwd())
    sys.set_int_max_str_digits(0)
    answerer, loads = Answerer(requests, answers), json.loads
    sys.addaudithook(answerer.heed)
    names = answerer.load(job["code"])
    for line in answerer.requests:
        number, args, kwargs = loads(line)
        function = names.get(job["function"])
        if callable(function):
            answerer.answer(number, function, unpack(args), unpack(kwargs))
        else:
            answerer.say("raised", number, ["NameError", f"name {job['function']!r} is not defined"])


def main(reads: int, writes: int) -> None:
    """Take the side that this folder has the file for."""
    for name, side in {"tests.json": ask, "code.json": answer}.items():
        if os.path.exists(name):
            with open(name, encoding="utf-8") as file:
                job = json.load(file)
            os.remove(name)
            side(reads, writes, job)


if __name__ == "__main__":
    try:
        main(*map(int, sys.argv[1:]))
    except Exception:
        os._exit(BROKEN)
