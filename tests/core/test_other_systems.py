"""What only Linux has is absent: every module is imported, and commands run and continue.

This shows that nothing of ours asks for it, not that macOS or Windows were tried.
"""

import signal
import textwrap
import time

import pytest

ABSENT = """
import subprocess
import builtins, os, select, signal, sys

MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "posix"}
real = builtins.__import__

def without(name, globals=None, *rest, **named):
    if (globals or {}).get("__name__", "").startswith("kerasfaces") and name in MODULES:
        raise ImportError(f"{name} is on Linux only")
    return real(name, globals, *rest, **named)

builtins.__import__ = without
for module, names in {
    os: ("sched_getaffinity", "sched_setaffinity", "memfd_create"),
    signal: ("SIGHUP", "SIGKILL", "pthread_sigmask"),
    select: ("poll",),
}.items():
    for name in names:
        delattr(module, name)
if hasattr(os, "process_cpu_count"):  # from 3.13; where there is no affinity it is this
    os.process_cpu_count = os.cpu_count
import psutil
for process in (subprocess.Popen, psutil.Process):
    process.kill = process.terminate  # as on Windows, which has no SIGKILL
"""


@pytest.fixture
def start_without(warm_python, tmp_path):
    """Start code that imports kerasfaces where that is absent; see `warm_python`."""

    def start(code):
        script = tmp_path / "script.py"
        script.write_text(ABSENT + textwrap.dedent(code))
        cache = str(tmp_path / "cache")
        return warm_python.start([script], tmp_path, KERASFACES_CACHE=cache)

    return start


@pytest.fixture
def run_without(start_without, tmp_path):
    """Run code that imports kerasfaces where that is absent; return its stdout."""

    def run(code):
        status = start_without(code).wait()
        assert status == 0, (tmp_path / "err").read_text()[-2000:]
        return (tmp_path / "out").read_text()

    return run


@pytest.mark.torch
@pytest.mark.tf
def test_every_module_is_imported(run_without):
    code = """
        import importlib, pkgutil, kerasfaces
        names = [m.name for m in pkgutil.walk_packages(kerasfaces.__path__, "kerasfaces.")
                 if not m.name.endswith("__main__")]
        for name in names:
            importlib.import_module(name)
        print(len(names))
    """
    assert int(run_without(code)) > 250


COMMAND = """
    import sys
    from kerasfaces import cli
    from kerasfaces.core import folders
    from kerasfaces.__main__ import main
    sys.argv = ["kerasfaces", *{words!r}]
    cli.run(main)
"""


@pytest.mark.tf
def test_a_killed_training_continues_and_predicts(start_without, run_without, tmp_path):
    def command(*words, run=run_without):
        return run(COMMAND.format(words=list(words)))

    command("sample", "-o", "sample", "--pairs", "28")
    words = ["train", "--manifest", "sample/manifest.csv", "--weights", "forensic"]
    words += ["--set", "epochs=3", "-o", "run"]
    process = command(*words, run=start_without)
    until = time.monotonic() + 120
    while not (tmp_path / "run" / "manifest.csv").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM
    command(*words)
    assert (tmp_path / "run" / "report.html").exists()
    words = ["predict", "run", "sample/real", "--csv", "scores.csv"]
    code = command(*words, run=start_without).wait()
    assert code in {0, 3, 4}  # all real, some fake, or some unsure
    assert (tmp_path / "scores.csv").exists()


@pytest.mark.tf
def test_two_writers_are_kept_apart(run_without):
    code = """
        from pathlib import Path
        from kerasfaces.core import folders
        from kerasfaces.core.errors import LockedError
        with folders.lock(Path("run")):
            try:
                with folders.lock(Path("run")):
                    print("both")
            except LockedError as error:
                print(str(os.getpid()) in str(error))
    """
    assert run_without(code).strip() == "True"
