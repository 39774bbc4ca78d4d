"""Start a command, interrupt it, look at what it leaves."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import warm_python

LIMIT_S = 10.0  # from the signal to the end
OVER_S = 0.5  # from the last line of a command to the end of its process
START_S = 240.0  # on a busy machine
SENTENCE = "error: Interrupted; the same command continues where it stopped."


def fresh(command, folder, **more):
    """Start an interpreter in a session of its own; it writes `out` and `err`."""
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        # In the background of a script SIGINT is ignored, and so by its children.
        return subprocess.Popen(
            ["env", "--default-signal", sys.executable, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            cwd=folder,
            env=warm_python.environment(TF_CPP_MIN_LOG_LEVEL="3", **more),
        )


class Started:
    """A process in a session of its own, its output in files of a folder."""

    def __init__(self, process, folder):
        self.process, self.folder = process, folder

    def out(self):
        return (self.folder / "out").read_text()

    def err(self):
        return (self.folder / "err").read_text()

    def wait_for(self, path):
        """Wait until a file is there."""
        self.wait_until(path.exists, path.name)

    def wait_until(self, has_come, what):
        """Wait until a function returns true."""
        end = time.monotonic() + START_S
        while not has_come():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise AssertionError(f"{what} never came:\n{self.err()[-2000:]}")
            time.sleep(0.01)

    def has_mapped(self, library):
        """Tell whether the process has loaded a native library by that name."""
        return library in Path(f"/proc/{self.process.pid}/maps").read_text()

    def wait(self):
        """Wait for the end and return the exit code."""
        try:
            return self.process.wait(START_S)
        finally:
            self.kill()

    def interrupt(self, number, group):
        """Send a signal."""
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        self.sent_s = time.monotonic()

    def ended(self):
        """Return the exit code, None if a signal does not end the process in time."""
        try:
            code = self.process.wait(max(0, self.sent_s + LIMIT_S - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None
        self.took_s = time.monotonic() - self.sent_s
        return code

    def left(self):
        """Return the command lines of this session's processes that are alive."""
        end = time.monotonic() + 2
        while (found := self._alive()) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def kill(self):
        """Kill whatever there is."""
        for process in self._alive():
            os.kill(process, signal.SIGKILL)
        self.process.wait()

    def _alive(self):
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "stat").read_text().rpartition(")")[2].split()
                if words[0] not in "ZX" and int(words[3]) == self.process.pid:
                    found[int(folder.name)] = (folder / "cmdline").read_text()
            except OSError:
                continue
        return found


def check_interrupted(started, number, may_be_over=False):
    """Check all that can be said about any process that was sent a signal.

    Returns False where its work may have been over when the signal came, and was.
    """
    code = started.ended()
    left = started.left()
    started.kill()
    told = started.err()
    if may_be_over and code == 0 and started.took_s < OVER_S:
        assert SENTENCE not in told
        assert left == {}
        return False
    assert code is not None, f"it goes on; it last said:\n{told[-1000:]}"
    assert code == 128 + number, told[-2000:]
    assert left == {}
    assert told.strip().splitlines()[-1] == SENTENCE
    assert told.count(SENTENCE) == 1
    assert "Traceback" not in told
    assert "Exception ignored" not in told
    return True
