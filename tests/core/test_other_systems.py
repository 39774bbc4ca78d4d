"""What only Linux has is absent: every module is imported, and commands run and continue.

This shows that nothing of ours asks for it, not that macOS or Windows were tried.
"""

import os
import signal
import subprocess
import sys
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


def run_without(code, tmp_path, *, check=True, start=subprocess.run, **options):
    script = tmp_path / "script.py"
    script.write_text(ABSENT + textwrap.dedent(code))
    environment = os.environ | {"KERASFACES_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, str(script)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    done = start(command, env=environment, cwd=tmp_path, **pipes, **options)
    if start is subprocess.run and check:
        assert done.returncode == 0, done.stderr[-2000:]
    return done


@pytest.mark.torch
@pytest.mark.tf
def test_every_module_is_imported(tmp_path):
    code = """
        import importlib, pkgutil, kerasfaces
        names = [m.name for m in pkgutil.walk_packages(kerasfaces.__path__, "kerasfaces.")
                 if not m.name.endswith("__main__")]
        for name in names:
            importlib.import_module(name)
        print(len(names))
    """
    assert int(run_without(code, tmp_path).stdout) > 250


COMMAND = """
    import sys
    from kerasfaces import cli
    from kerasfaces.core import folders
    from kerasfaces.__main__ import main
    sys.argv = ["kerasfaces", *{words!r}]
    cli.run(main)
"""


@pytest.mark.tf
def test_a_killed_training_continues_and_predicts(tmp_path):
    def command(*words, **options):
        return run_without(COMMAND.format(words=list(words)), tmp_path, **options)

    command("sample", "-o", "sample", "--pairs", "60")
    words = ["train", "--manifest", "sample/manifest.csv", "--weights", "forensic"]
    words += ["--set", "epochs=3", "-o", "run"]
    process = command(*words, start=subprocess.Popen)
    until = time.monotonic() + 120
    while not (tmp_path / "run" / "manifest.csv").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    command(*words)
    assert (tmp_path / "run" / "report.html").exists()
    words = ["predict", "run", "sample/real", "--csv", "scores.csv"]
    process = command(*words, start=subprocess.Popen)
    process.communicate()
    assert process.returncode in {0, 3, 4}  # all real, some fake, or some unsure
    assert (tmp_path / "scores.csv").exists()


def test_two_writers_are_kept_apart(tmp_path):
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
    assert run_without(code, tmp_path).stdout.strip() == "True"
