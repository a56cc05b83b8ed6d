"""Runs Python that a model wrote, inside bubblewrap and nowhere else.

A program sees Python's own files and /usr, read-only; an empty /work with its files and an empty /tmp, in
memory and of bounded size; no network, no /proc, no home folder, no environment. It is one process with one
thread: the system calls of `_REFUSED` fail, above all those that start another. That is a seccomp filter, as
RLIMIT_NPROC does not bind root, and holds for every user.
"""

import errno
import functools
import json
import os
import platform
import select
import selectors
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion_concepts.errors import DataError

WORK = "/work"


@dataclass(frozen=True)
class Limits:
    """What one program may use; what goes beyond fails, or ends it."""

    wall_s: float = 10.0
    cpu_s: int = 8
    memory_mb: int = 512
    file_mb: int = 8  # of one file
    folder_mb: int = 16  # of /work, and of /tmp
    open_files: int = 32
    output_kb: int = 64  # kept of stdout, and of stderr
    flood_mb: int = 16  # of output: more ends the program


USUAL = Limits()


@dataclass(frozen=True)
class Program:
    """Files by name, which of them is run, and its limits."""

    files: Mapping[str, str]
    main: str
    limits: Limits = USUAL


@dataclass(frozen=True)
class Ran:
    """How a program ended; `returncode` is None if it was stopped from outside, 128 + n after signal n."""

    returncode: int | None
    out: str
    err: str
    timed_out: bool
    wall_s: float


def run_python(files: Mapping[str, str], main: str, *, limits: Limits = USUAL) -> Ran:
    """Run `main`, one of the files, to its end or to a limit.

    Parameters
    ----------
    files : mapping of str to str
        Name (no folders) to text; they lie in /work, where the program starts.

    Raises
    ------
    DataError
        There is no sandbox here: nothing was run. See `require_bubblewrap`.
    """
    require_bubblewrap()
    return _run([Program(files, main, limits)], [()])[0]


def run_pair(asking: Program, answering: Program) -> tuple[Ran, Ran]:
    """Run two programs at once, each in a sandbox of its own, with a pipe each way as all they share.

    Each is started with two arguments: the file descriptors it reads from and writes to.
    """
    require_bubblewrap()
    from_asking, to_answering = os.pipe()
    from_answering, to_asking = os.pipe()
    ends = [(from_answering, to_answering), (from_asking, to_asking)]
    asked, answered = _run([asking, answering], ends)
    return asked, answered


def require_bubblewrap() -> None:
    """Check once that programs can be shut in here.

    Raises
    ------
    DataError
        bwrap is missing (how to install it), or cannot make namespaces (what to turn on).
    """
    path = shutil.which("bwrap")
    if path is None:
        raise DataError(
            "bwrap: not found, and a model's code is run in no other way; install bubblewrap"
            " (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap;"
            " conda: conda install -c conda-forge bubblewrap)"
        )
    if platform.machine() not in _MACHINES:
        raise DataError(
            f"bwrap: the sandbox knows {' and '.join(_MACHINES)}, but this is {platform.machine()};"
            " a model's code is run in no other way"
        )
    _try_out(path)


@functools.cache
def _try_out(path: str) -> None:
    """Run a program of one line in the bwrap at `path`; a failure is not remembered."""
    ran = _run([Program({"main.py": "print('in')"}, "main.py")], [()])[0]
    if ran.out != "in\n":
        told = (ran.err.strip().splitlines() or ["no answer"])[-1]
        raise DataError(f"bwrap: Python does not start inside the sandbox ({told})")


# Linux system calls by number: of x86_64, of arm64 (None: it has none of that name).
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_REFUSED = {
    # Another process or thread, another namespace.
    **{"clone": (56, 220), "fork": (57, None), "vfork": (58, None), "clone3": (435, 435)},
    **{"unshare": (272, 97), "setns": (308, 268), "chroot": (161, 51), "pivot_root": (155, 41)},
    **{"mount": (165, 40), "umount2": (166, 39), "open_tree": (428, 428), "move_mount": (429, 429)},
    **{"fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "mount_setattr": (442, 442)},
    # Sockets: those to a virtual machine's host pass by the network namespace.
    **{"socket": (41, 198)},
    # Memory that the limit on the address space does not count.
    **{"memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186)},
    **{"semget": (64, 190)},
    # Parts of the kernel that a test has no use for.
    **{"ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271)},
    **{"keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280)},
    **{"io_uring_setup": (425, 425), "userfaultfd": (323, 282), "perf_event_open": (298, 241)},
    **{"open_by_handle_at": (304, 265)},
}

# Runs first inside: the limits, which nothing inside can raise again; then the program, as what was called.
_START = f"""
import resource, sys
for word in sys.argv[1].split():
    name, value = word.split("=")
    resource.setrlimit(getattr(resource, name), (int(value), int(value)))
del sys.argv[:2]
sys.path.insert(0, {WORK!r})
__file__ = sys.argv[0]
del name, resource, sys, value, word
exec(compile(open(__file__, encoding="utf-8").read(), __file__, "exec"))
"""


def _filter() -> bytes:
    """The seccomp program: another machine's calls end the process, those of `_REFUSED` fail."""
    column, machine = _MACHINES[platform.machine()]
    numbers = sorted(row[column] for row in _REFUSED.values() if row[column] is not None)
    load, if_equal, if_at_least, answer = 0x20, 0x15, 0x35, 0x06
    steps = [(load, 0, 0, 4), (if_equal, 1, 0, machine), (answer, 0, 0, 0x80000000), (load, 0, 0, 0)]
    # From 0x40000000 on, x86_64 has the same calls a second time (x32).
    steps.append((if_at_least, len(numbers) + 1, 0, 0x40000000))
    steps += [(if_equal, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]
    steps += [(answer, 0, 0, 0x7FFF0000), (answer, 0, 0, 0x00050000 | errno.EPERM)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _arguments(program: Program, descriptors: list[int]) -> list[str]:
    """bwrap's arguments for a program; what they read from is added to `descriptors`."""

    def holding(content: bytes) -> str:
        descriptor = os.memfd_create("sandbox")
        descriptors.append(descriptor)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return str(descriptor)

    limits, size = program.limits, str(program.limits.folder_mb << 20)
    python, prefix = os.path.realpath(sys._base_executable), os.path.realpath(sys.base_prefix)
    arguments = ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"]
    arguments += ["--cap-drop", "ALL", "--new-session", "--die-with-parent", "--hostname", "sandbox"]
    arguments += ["--clearenv", "--setenv", "PYTHONHASHSEED", "0", "--ro-bind", "/usr", "/usr"]
    for folder in ("/lib", "/lib32", "/lib64"):
        if os.path.islink(folder):
            arguments += ["--symlink", os.readlink(folder), folder]
        else:
            arguments += ["--ro-bind-try", folder, folder]
    arguments += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    if not Path(prefix).is_relative_to("/usr"):
        for folder in ("bin", "lib", "lib64"):
            arguments += ["--ro-bind-try", f"{prefix}/{folder}", f"{prefix}/{folder}"]
    # What is installed beside Python, this project maybe, is covered by empty folders.
    for place in sorted({prefix, "/usr", "/usr/local"}):
        for folder in sorted({path.resolve() for path in Path(place).glob("lib*/python*/*-packages")}):
            arguments += ["--size", "4096", "--tmpfs", str(folder), "--remount-ro", str(folder)]
    for device in ("/dev/null", "/dev/zero", "/dev/urandom"):
        arguments += ["--dev-bind", device, device]
    for folder in (WORK, "/tmp"):
        arguments += ["--size", size, "--tmpfs", folder]
    for name, text in program.files.items():
        assert "/" not in name and name not in ("", ".", ".."), name
        arguments += ["--file", holding(text.encode("utf-8", "replace")), f"{WORK}/{name}"]
    arguments += ["--remount-ro", "/", "--chdir", WORK, "--seccomp", holding(_filter())]
    rlimits = {
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_AS": limits.memory_mb << 20,
        "RLIMIT_FSIZE": limits.file_mb << 20,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_NPROC": 1,
        "RLIMIT_CORE": 0,
    }
    words = " ".join(f"{name}={value}" for name, value in rlimits.items())
    # -P: no file of the program stands in for a module that sets the limits.
    start = [python, "-P", "-s", "-S", "-B", "-X", "utf8", "-c", _START]
    return [*arguments, "--", *start, words, program.main]


class _Run:
    """A program that runs: its process, what it wrote so far, and when it has to end."""

    def __init__(self, program: Program, ends: Sequence[int]) -> None:
        self.limits = program.limits
        self.kept = {"stdout": bytearray(), "stderr": bytearray()}
        self.written, self.stopped, self.timed_out = 0, False, False
        own: list[int] = []
        reads, status = os.pipe()
        self.status = open(reads, "rb")  # noqa: SIM115
        try:
            command = ["bwrap", "--json-status-fd", str(status), *_arguments(program, own)]
            self.start = time.monotonic()
            self.process = subprocess.Popen(
                [*command, *map(str, ends)],
                executable=os.path.abspath(shutil.which("bwrap")),
                pass_fds=[*ends, *own, status],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                cwd="/",
                env={},
            )
        except BaseException:
            self.status.close()
            raise
        finally:
            for descriptor in (*own, status):
                os.close(descriptor)
        self.inside = self._first_inside()

    def _first_inside(self) -> int | None:
        """A descriptor of the first process inside, with which all others in there end; None if there is none."""
        told = self.status.readline()
        try:
            return os.pidfd_open(json.loads(told)["child-pid"]) if told else None
        except ProcessLookupError:
            return None

    @property
    def left_s(self) -> float:
        return max(0.0, self.start + self.limits.wall_s - time.monotonic())

    def take(self, name: str, data: bytes) -> None:
        room = (self.limits.output_kb << 10) - len(self.kept[name])
        self.kept[name] += data[: max(0, room)]
        self.written += len(data)
        if self.written > self.limits.flood_mb << 20:
            self.stop()

    def stop(self) -> None:
        """Kill bwrap; the kernel then kills all that is in its process namespace."""
        if not self.stopped and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.stopped = True

    def stop_in_time(self) -> None:
        if not self.stopped and not self.left_s:
            self.stop()
            self.timed_out = self.stopped

    def ended(self) -> Ran:
        """How it ended.

        Raises
        ------
        DataError
            bwrap itself failed, so the program was not run.
        """
        try:
            self.process.wait(timeout=self.left_s + 1)
        except subprocess.TimeoutExpired:
            self.stop()
            self.timed_out = self.stopped
            self.process.wait()
        wall_s = time.monotonic() - self.start
        told = b"exit-code" in self.status.read()
        out, err = (bytes(kept).decode("utf-8", "replace") for kept in self.kept.values())
        if not told and not self.stopped:
            line = (err.strip().splitlines() or [f"it ended with {self.process.returncode}"])[0]
            raise DataError(
                f"bwrap cannot shut a program in here ({line.removeprefix('bwrap: ')}); it needs user"
                " namespaces: sysctl kernel.unprivileged_userns_clone=1 (Debian),"
                " kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), user.max_user_namespaces=1000"
                " (Fedora); a container has to allow them"
            )
        return Ran(None if self.stopped else self.process.returncode, out, err, self.timed_out, wall_s)

    def close(self) -> None:
        """Stop it, and wait until nothing of it is left."""
        self.stop()
        self.process.wait()
        if self.inside is not None:
            ended = select.poll()
            ended.register(self.inside, select.POLLIN)
            ended.poll()
            os.close(self.inside)
        for file in (self.process.stdout, self.process.stderr, self.status):
            file.close()


def _run(programs: Sequence[Program], ends: Sequence[Sequence[int]]) -> list[Ran]:
    """Run programs at the same time; `ends` are descriptors each gets, all closed here once they have them."""
    runs: list[_Run] = []
    try:
        try:
            runs += (_Run(program, inside) for program, inside in zip(programs, ends, strict=True))
        finally:
            for inside in ends:
                for end in inside:
                    os.close(end)
        _watch(runs)
        return [run.ended() for run in runs]
    finally:
        for run in runs:
            run.close()


def _watch(runs: Sequence[_Run]) -> None:
    """Read what the programs write until all their output is closed; stop those that take too long."""
    with selectors.DefaultSelector() as selector:
        for run in runs:
            for name in run.kept:
                selector.register(getattr(run.process, name), selectors.EVENT_READ, (run, name))
        while selector.get_map():
            left = [key.data[0].left_s for key in selector.get_map().values() if not key.data[0].stopped]
            for key, _ in selector.select(min(left, default=1.0)):
                run, name = key.data
                data = os.read(key.fd, 1 << 16)
                run.take(name, data)
                if not data:
                    selector.unregister(key.fileobj)
            for run in runs:
                run.stop_in_time()
