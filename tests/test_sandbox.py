"""What a model's code can do in the sandbox, and that nothing of it gets out.

Each hostile program runs for real; what it should not reach is laid out by the test, and looked at afterwards.
"""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from emotion_concepts import sandbox
from emotion_concepts.errors import DataError
from emotion_concepts.sandbox import Limits, Program, require_bubblewrap, run_pair, run_python
from tests.sandboxing import needs_sandbox

PACKAGE = Path(sandbox.__file__).parent
QUICK = Limits(wall_s=1.0, cpu_s=5)


def run(code, limits=Limits(), **files):  # noqa: B008
    """Run code under a file name that no other process has among its arguments; nothing of it may be left."""
    main = f"main_{uuid.uuid4().hex}.py"
    ran = run_python({main: textwrap.dedent(code), **files}, main, limits=limits)
    assert processes_with(main) == []
    assert ran.wall_s < limits.wall_s + 1
    return ran


def processes_with(word):
    """Processes of this machine with a word among their arguments; those in namespaces below are seen too."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                arguments = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            found += [int(folder.name)] if word.encode() in arguments else []
    return found


# Prints, for each attempt, what came of it: "done", or the name of the error.
TRY = """
def attempt(name, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except BaseException as error:
        print(name, type(error).__name__)
    else:
        print(name, "done")
"""


def attempts(code, limits=Limits(), **files):  # noqa: B008
    ran = run(TRY + textwrap.dedent(code), limits, **files)
    assert ran.returncode == 0, ran
    return dict(line.split() for line in ran.out.splitlines())


def test_without_bubblewrap_one_line_says_how_to_get_it_and_nothing_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **kwargs: pytest.fail("a program was started"))
    for refused in (require_bubblewrap, lambda: run_python({"main.py": "print(1)"}, "main.py")):
        with pytest.raises(DataError) as caught:
            refused()
        line = str(caught.value)
        assert "\n" not in line and line.startswith("bwrap: not found")
        for way in ("apt install bubblewrap", "dnf install bubblewrap", "conda-forge bubblewrap"):
            assert way in line


def test_without_namespaces_one_line_says_what_to_turn_on_and_nothing_runs(monkeypatch, tmp_path):
    told = "bwrap: No permissions to create new namespace"
    (tmp_path / "bwrap").write_text(f"#!/bin/sh\necho '{told}' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match="unprivileged_userns") as caught:
        run_python({"main.py": "print(1)"}, "main.py")
    assert "\n" not in str(caught.value) and "(No permissions to create new namespace)" in str(caught.value)


def test_an_unknown_machine_is_refused(monkeypatch, tmp_path):
    (tmp_path / "bwrap").write_text("")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sandbox.platform, "machine", lambda: "riscv64")
    with pytest.raises(DataError, match="x86_64 and aarch64, but this is riscv64"):
        run_python({"main.py": "print(1)"}, "main.py")


@needs_sandbox
def test_a_program_has_its_files_and_python():
    ran = run(
        "import sys, math, json, hashlib, sqlite3, other\nprint(other.WORD); print('é', file=sys.stderr); sys.exit(3)",
        **{"other.py": "WORD = 'hello'"},
    )
    assert (ran.returncode, ran.out, ran.err, ran.timed_out) == (3, "hello\n", "é\n", False)


@needs_sandbox
def test_two_runs_print_the_same_order_of_a_set():
    code = "print({str(i) for i in range(50)})"
    assert run(code).out == run(code).out


@needs_sandbox
def test_what_is_outside_cannot_be_read(monkeypatch, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    paths = [
        tmp_path / "secret.txt", __file__, PACKAGE / "sandbox.py", PACKAGE.parents[1] / "config.yaml",
        "/etc/passwd", "/etc/hostname", "/etc/resolv.conf", "/proc/self/environ", "/proc/1/cmdline", "/sys/kernel",
        "/proc", "/sys", "/home", "/mnt", "/var", "/run", "/dev/shm", "/dev/kmsg", "/dev/mem", "/dev/tty",
    ]  # fmt: skip
    for path in ("/etc/passwd", "/proc/self/environ", tmp_path / "secret.txt"):
        assert Path(path).exists()
    tried = attempts(f"import os\nfor path in {list(map(str, paths))}: attempt(path, os.stat, path)")
    assert len(tried) == len(paths) and set(tried.values()) == {"FileNotFoundError"}
    ran = run("import os; print(os.environ, os.getuid(), os.getgid(), os.uname().nodename, os.getppid())")
    assert "SECRET" not in ran.out and "HOME" not in ran.out and ran.out.endswith("65534 65534 sandbox 1\n")


@needs_sandbox
def test_of_the_home_folder_only_python_itself_is_there():
    home, prefix = Path.home(), Path(os.path.realpath(sys.base_prefix))
    ran = run(f"""
        import os
        for folder, folders, files in os.walk({str(home)!r}):
            if folder == {str(prefix)!r}:
                folders.clear()
                continue
            print(*folders, *files)
    """)
    parts = prefix.relative_to(home).parts if prefix.is_relative_to(home) else ()
    assert ran.out.split() == list(parts)
    ran = run(
        "import sys; sys.path.append(sys.prefix + '/lib/python%d.%d/site-packages' % sys.version_info[:2]); import pip"
    )
    assert "ModuleNotFoundError" in ran.err


@needs_sandbox
def test_outside_of_its_folders_nothing_can_be_written(tmp_path):
    folders = ["/", "/usr", "/usr/lib", "/etc", "/dev", "/root", sys.base_prefix, str(tmp_path), "/dev/shm"]
    tried = attempts(f"""
        import os
        for folder in {folders}:
            attempt(folder, open, os.path.join(folder, "escaped.txt"), "w")
            attempt(folder + "!", os.mkdir, os.path.join(folder, "escaped"))
        attempt("python", open, os.__file__, "a")
        for folder in ("/work", "/tmp"):
            attempt(folder, open, folder + "/mine.txt", "w")
    """)
    assert tried.pop("/work") == tried.pop("/tmp") == "done"
    assert set(tried.values()) <= {"OSError", "PermissionError", "FileNotFoundError"}
    assert list(tmp_path.iterdir()) == [] and not Path("/tmp/mine.txt").exists()
    for folder in folders:
        assert not list(Path(folder).glob("escaped*"))


@needs_sandbox
def test_there_is_no_network():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        tried = attempts(f"""
            import socket
            attempt("tcp", socket.create_connection, ("127.0.0.1", {server.getsockname()[1]}), 1)
            attempt("udp", socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
            attempt("unix", socket.socket, socket.AF_UNIX)
            attempt("host", socket.socket, socket.AF_VSOCK)
            attempt("raw", socket.socket, socket.AF_PACKET, socket.SOCK_RAW)
            attempt("name", socket.getaddrinfo, "example.org", 80)
        """)
        with pytest.raises(TimeoutError):
            server.accept()
    assert tried.pop("name") == "gaierror" and set(tried.values()) == {"PermissionError"} and len(tried) == 5


@needs_sandbox
def test_a_fork_bomb_does_not_start():
    ran = run(
        """
        import os
        while True:
            try:
                os.fork()
            except OSError as error:
                print(error.strerror)
                break
    """
    )
    assert ran.out == "Operation not permitted\n" and ran.returncode == 0


@needs_sandbox
def test_no_process_and_no_thread_can_be_started():
    tried = attempts("""
        import ctypes, multiprocessing, os, subprocess, threading, _thread
        libc = ctypes.CDLL(None, use_errno=True)
        def call(number, *args):
            ctypes.set_errno(0)
            if libc.syscall(number, *args) >= 0:
                os.write(1, b"started done\\n")
            elif ctypes.get_errno() == 1:
                raise PermissionError
        attempt("fork", os.fork)
        attempt("spawn", os.posix_spawn, "/usr/bin/sleep", ["sleep", "60"], {})
        attempt("popen", subprocess.Popen, ["/usr/bin/sleep", "60"], start_new_session=True)
        attempt("pool", multiprocessing.get_context("fork").Process(target=print).start)
        attempt("thread", _thread.start_new_thread, print, ())
        if os.uname().machine == "x86_64":
            for name, number in {"clone": 56, "fork2": 57, "vfork": 58, "clone3": 435, "x32": 0x40000000 + 57}.items():
                attempt(name, call, number, 17, 0, 0, 0, 0)
    """)
    assert "started" not in tried and tried.pop("thread") == "RuntimeError"
    assert set(tried.values()) == {"PermissionError"} and len(tried) >= 4


@needs_sandbox
def test_it_has_no_rights_and_can_get_none():
    tried = attempts("""
        import ctypes, os, resource
        libc = ctypes.CDLL(None, use_errno=True)
        def zero(value):
            if value:
                raise OSError(ctypes.get_errno(), "refused")
        for name, (soft, hard) in {n: resource.getrlimit(getattr(resource, n)) for n in
                                   ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE")}.items():
            attempt(name, resource.setrlimit, getattr(resource, name), (hard + 1, hard + 1))
        attempt("setuid", os.setuid, 0)
        attempt("chroot", os.chroot, "/tmp")
        attempt("nice", os.setpriority, os.PRIO_PROCESS, 0, -5)
        attempt("mount", lambda: zero(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)))
        attempt("unshare", lambda: zero(libc.unshare(0x10000000)))
        attempt("memfd", os.memfd_create, "more")
        attempt("shared", lambda: zero(libc.shmget(0, 1 << 20, 0o1600) < 0))
    """)
    assert set(tried.values()) <= {"PermissionError", "ValueError", "OSError"} and len(tried) == 11


@needs_sandbox
def test_it_gets_no_open_file_of_ours():
    with open(__file__):
        ran = run("""
            import os
            found = []
            for number in range(1024):
                try:
                    os.fstat(number)
                    found.append(number)
                except OSError:
                    pass
            print(found)
        """)
    assert ran.out == "[0, 1, 2]\n"


@needs_sandbox
def test_signals_stay_inside():
    tried = attempts(f"import os\nattempt('us', os.kill, {os.getpid()}, 9)\nattempt('all', os.kill, -1, 9)")
    assert tried["us"] == "ProcessLookupError"


@needs_sandbox
def test_ten_gigabytes_of_output_are_cut_and_stopped():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ran = run("import os\nfor _ in range(10 * 2**14): os.write(1, b'x' * 2**16)")
    assert ran.out == "x" * (64 << 10) and ran.returncode is None and not ran.timed_out and ran.wall_s < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


@needs_sandbox
def test_output_below_that_is_cut_and_the_program_ends_by_itself():
    ran = run("import sys\nprint('x' * 10**6); print('y' * 10**6, file=sys.stderr)", Limits(output_kb=1))
    assert (ran.out, ran.err, ran.returncode) == ("x" * 1024, "y" * 1024, 0)


@needs_sandbox
def test_ten_gigabytes_of_memory_are_refused():
    ran = run("held = []\nwhile len(held) < 1000: held.append(bytearray(10 << 20))\nprint('got it')")
    assert "MemoryError" in ran.err and ran.returncode == 1 and ran.out == ""


@needs_sandbox
def test_files_are_bounded_one_by_one_and_together():
    tried = attempts("""
        def fill(path, megabytes):
            with open(path, "wb") as file:
                for _ in range(megabytes):
                    file.write(bytes(1 << 20))
        for folder in ("/work", "/tmp"):
            attempt(folder + "/small", fill, folder + "/small", 7)
            attempt(folder + "/large", fill, folder + "/large", 9)
            attempt(folder + "/more", fill, folder + "/more", 7)
    """)
    assert [tried[f"{folder}/small"] for folder in ("/work", "/tmp")] == ["done", "done"]
    assert len(tried) == 6 and list(tried.values()).count("OSError") == 4


@needs_sandbox
@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(600)",
        "import os, time; os.close(1); os.close(2); time.sleep(600)",
        "import signal, time\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\ntime.sleep(600)",
        "import os, sys; os.execv('/usr/bin/sleep', [sys.argv[0], '600'])",
        "import time\nprint('told', flush=True)\ntry: time.sleep(600)\nfinally: time.sleep(600)",
    ],
    ids=["loop", "sleep", "silent", "deaf", "other_program", "stubborn"],
)
def test_the_clock_ends_what_does_not_end(code):
    ran = run(code, QUICK)
    assert ran.timed_out and ran.returncode is None and 1 <= ran.wall_s < 2
    assert ran.out == ("told\n" if "told" in code else "")


@needs_sandbox
def test_a_file_of_the_program_cannot_stand_in_for_what_sets_the_limits():
    ran = run("held = bytearray(10 << 30)", **{"resource.py": "def setrlimit(*args): pass"})
    assert "MemoryError" in ran.err


@needs_sandbox
def test_processor_time_is_bounded_too():
    ran = run("while True: pass", Limits(wall_s=8, cpu_s=1))
    assert ran.returncode == 128 + signal.SIGKILL and not ran.timed_out and ran.wall_s < 6


@needs_sandbox
def test_nothing_outlives_a_parent_that_is_killed():
    main = f"main_{uuid.uuid4().hex}.py"
    code = f"""
        from emotion_concepts.sandbox import Limits, run_python
        run_python({{{main!r}: "import time; time.sleep(600)"}}, {main!r}, limits=Limits(wall_s=600))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    parent = subprocess.Popen(command, cwd=PACKAGE.parent)
    try:
        # bwrap, its first process inside, and the program.
        assert within(10, lambda: len(set(processes_with(main)) - {parent.pid}) >= 3)
    finally:
        parent.kill()
        parent.wait()
    assert within(5, lambda: processes_with(main) == [])


def within(wait_s, holds):
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


@needs_sandbox
def test_two_programs_share_a_pipe_each_way_and_nothing_else():
    before = len(os.listdir("/proc/self/fd"))
    code = """
        import os, sys
        reads, writes = (os.fdopen(int(number), mode) for number, mode in zip(sys.argv[1:], "rw"))
        open("/tmp/mine", "w").close()
    """
    asking = textwrap.dedent(code) + "print('2 + 3', file=writes, flush=True); print(reads.readline())"
    answering = (
        textwrap.dedent(code) + "print(os.listdir('/tmp'), eval(reads.readline()), file=writes, flush=True)"
    )
    asked, answered = run_pair(Program({"a.py": asking}, "a.py"), Program({"b.py": answering}, "b.py"))
    assert asked.out == "['mine'] 5\n\n" and (asked.returncode, answered.returncode) == (0, 0), (
        asked,
        answered,
    )
    assert len(os.listdir("/proc/self/fd")) == before


@needs_sandbox
def test_of_two_programs_one_that_is_stopped_lets_the_other_see_it():
    asking = Program(
        {"a.py": "import os, sys; print(os.read(int(sys.argv[1]), 9))"}, "a.py", replace(QUICK, wall_s=5)
    )
    answering = Program({"b.py": "while True: pass"}, "b.py", QUICK)
    asked, answered = run_pair(asking, answering)
    assert asked.out == "b''\n" and answered.timed_out and not asked.timed_out and asked.wall_s < 3


@needs_sandbox
@pytest.mark.skipif(os.getuid() != 0, reason="the other tests do this where the user is not root")
@pytest.mark.skipif(
    not (shutil.which("setpriv") and Path("/usr/bin/python3").exists()), reason="no setpriv, no python3"
)
def test_it_works_for_a_user_who_is_not_root():
    code = """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        from emotion_concepts.sandbox import run_python
        assert os.getuid() == 65534
        program = "import os, threading; print(os.getuid(), os.listdir('/')); os.fork()"
        print(run_python({"main.py": program}, "main.py"))
    """
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        package = Path(folder, "emotion_concepts")
        package.mkdir()
        for name in ("errors.py", "sandbox.py"):
            shutil.copy(PACKAGE / name, package)
        who = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        command = [*who, "/usr/bin/python3", "-B", "-c", textwrap.dedent(code), folder]
        ran = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert ran.returncode == 0, ran.stderr
    assert "65534 ['" in ran.stdout and "Operation not permitted" in ran.stdout
