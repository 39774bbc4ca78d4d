"""Python processes that have Keras at once: forks of one process that imported it.

`Server` starts that process, which runs this file as a script; it needs Linux. A fork is
as a fresh interpreter that ran a script or a module, but that Keras and what it imports
are in `sys.modules`, and that all of one server have the same hash seed.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
from pathlib import Path

IMPORTED = ("keras", "openvino")
ROOT = Path(__file__).parents[1]


def environment(**more):
    """Return this process's variables, for a process that imports this repository."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


class Server:
    """The process that forks; a context that ends it."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(TF_CPP_MIN_LOG_LEVEL="3"),
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.communicate()

    def start(self, command, folder, **more):
        """Start a command in a session of its own.

        Args:
            command: A script or `-m` and a module, then its arguments.
            folder: Where it runs; it writes `out` and `err` there.
            more: Variables added to the environment.
        """
        words, variables = list(map(str, command)), environment(**more)
        pid = self.ask(command=words, folder=str(folder), environment=variables)
        return Process(self, pid)

    def ask(self, **request):
        """Return the answer to a request, a whole number."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


class Process:
    """A fork, with those methods of `subprocess.Popen` that tests use."""

    def __init__(self, server, pid):
        self.pid, self.returncode, self._server = pid, None, server
        self._end = os.pidfd_open(pid)

    def wait(self, timeout=None):
        """Return the exit code, negative for a signal.

        Raises:
            subprocess.TimeoutExpired: It has not ended after so many seconds.
        """
        if self.returncode is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            self.returncode = self._server.ask(wait=self.pid)
            os.close(self._end)
        return self.returncode

    def poll(self):
        """Return the exit code, None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number):
        """Send a signal to the process unless it is known to have ended."""
        if self.returncode is None:
            os.kill(self.pid, number)


def main():
    """Answer requests, one a line; in a fork, run its command."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            status = os.waitpid(request["wait"], 0)[1]
            print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
        elif not os.fork():
            try:
                _prepare(request["folder"], request["environment"])
            finally:
                print(os.getpid(), file=answers, flush=True)
                answers.close()
            _run(request["command"])
            return


def _prepare(folder, environment):
    os.setsid()
    # As Python is started, before a command asks for more.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.chdir(folder)
    new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, (name, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), ("out", new), ("err", new)]
    ):
        file = os.open(name, flags, 0o644)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)


def _run(command):
    if command[0] == "-m":
        sys.argv[:] = command[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = command
        sys.path[0] = str(Path(command[0]).parent)
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main()
