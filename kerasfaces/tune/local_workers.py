"""Worker processes on this machine: cores and GPUs divided, the dead replaced."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from kerasfaces.core import interruptions, machine
from kerasfaces.core.errors import RunError

logger = logging.getLogger(__name__)

PARENT = "KERASFACES_TUNE_PARENT"
_DEATHS = 10  # replaced at most
_STOP_S = 5.0
_TAIL = 30  # lines of a worker's log that are shown


class LocalWorkers:
    """N processes of the same command, told apart by their environment."""

    def __init__(self, command: Sequence[str], count: int, folder: Path) -> None:
        """Start nothing yet.

        Args:
            command: Arguments of `python -m kerasfaces.tune`.
            count: How many.
            folder: Where their logs go.
        """
        self._command, self._count, self._folder = list(command), count, folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._numbers: dict[str, int] = {}  # which share of the machine each has
        self._replace: list[int] = []
        self._address = ""
        self._started = self._died = 0

    def start(self, address: str) -> None:
        """Start all of them against a chief at `host:port`."""
        self._address = address
        for number in range(self._count):
            self._start(number)

    def dead(self) -> list[str]:
        """Return the workers that were killed since the last call, and forget them.

        Raises:
            RunError: One ended with an error of its own; the message is its last line.
        """
        gone = []
        self._replace = []
        for name, process in list(self._running.items()):
            code = process.poll()
            if code is None:
                continue
            del self._running[name]
            # A worker that is told to end says so by its code.
            number = -code if code < 0 else code - 128
            if code > 0 and number not in interruptions.SIGNALS:
                raise RunError(self._words(name, code))
            if code != 0:
                logger.warning("%s was killed by signal %d", name, number)
                gone.append(name)
                self._replace.append(self._numbers[name])
        self._died += len(gone)
        return gone

    def replace_dead(self) -> None:
        """Start others on the same cores and GPUs, unless that happens all the time."""
        if self._died > _DEATHS:
            raise RunError(
                f"{self._died} workers were killed, probably because memory ran out; start "
                "the same command with fewer --workers: finished trials are kept."
            )
        for number in self._replace:
            self._start(number)

    def stop(self) -> None:
        """End them all: those that were told so end by themselves."""
        end = time.monotonic() + _STOP_S
        for process in self._running.values():
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _start(self, number: int) -> None:
        self._started += 1
        name = f"worker-{self._started}"
        self._numbers[name] = number
        with (self._folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "kerasfaces.tune", *self._command],
                env=os.environ | self._environment(name, number),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def _environment(self, name: str, number: int) -> dict[str, str]:
        host, _, port = self._address.rpartition(":")
        threads = str(max(1, machine.usable_cores() // self._count))
        found = {
            "KERASTUNER_TUNER_ID": name,
            "KERASTUNER_ORACLE_IP": host,
            "KERASTUNER_ORACLE_PORT": port,
            PARENT: str(os.getpid()),
            "OMP_NUM_THREADS": threads,
            "TF_NUM_INTRAOP_THREADS": threads,
            "TF_NUM_INTEROP_THREADS": "1",
        }
        gpus = n_gpus()
        if gpus:
            allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
            names = allowed.split(",") if allowed else list(map(str, range(gpus)))
            found["CUDA_VISIBLE_DEVICES"] = names[number % gpus]
            # Else the first worker on a GPU takes all of its memory.
            found["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
        return found

    def _words(self, name: str, code: int) -> str:
        path = self._folder / f"{name}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = lines[-1] if lines else ""
        if code == 2 and last.startswith("error: "):
            return last.removeprefix("error: ")
        logger.error("%s ended with:\n%s", name, "\n".join(lines[-_TAIL:]))
        return (
            f"{name} stopped with an unexpected error (above, and in {path}); finished trials "
            "are kept."
        )


def n_gpus() -> int:
    """Return the number of GPUs that TensorFlow may use here."""
    import tensorflow as tf

    return len(tf.config.list_physical_devices("GPU"))


def end_with_parent() -> None:
    """End this worker soon after the process that started it, if one did."""
    text = os.environ.get(PARENT)
    if text is None:
        return
    machine.end_with(int(text))
