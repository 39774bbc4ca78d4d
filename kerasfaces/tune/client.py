"""KerasTuner's chief seen from a worker: calls that end in a sentence, and a heartbeat."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_client import OracleClient

from kerasfaces.core.errors import RunError
from kerasfaces.tune import records
from kerasfaces.tune.records import RUNNING

logger = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
_AGAIN_S = 0.2  # until a call on a lost connection is tried again


class Client(OracleClient):
    """Asks the chief for trials; their values come from the shared folder, unrounded."""

    def __init__(self, oracle: Any, folder: Path, timeout_s: float) -> None:
        """Connect when first asked.

        Args:
            oracle: One of the chief's kind, for its objective.
            folder: The study's.
            timeout_s: How long a silent chief is waited for.
        """
        super().__init__(oracle)
        self._folder, self._timeout_s = folder, timeout_s
        self.verbose = 0
        stub: Any = self.stub
        self.stub: Any = _Patient(stub, self._call)

    def create_trial(self, tuner_id: str) -> Any:
        """Return the next trial."""
        trial = super().create_trial(tuner_id)
        if trial.status != RUNNING:
            return trial
        path = records.folder_of(self._folder, trial.trial_id) / "trial.json"
        if not path.exists():
            raise RunError(
                f"The chief handed out trial {trial.trial_id}, but {path} is not here: chief "
                "and workers need one shared folder (-o)."
            )
        return records.load(path)

    @contextmanager
    def alive(self, trial_id: str) -> Iterator[None]:
        """Tell the chief every few seconds that the trial is in work."""
        over = threading.Event()

        def beat() -> None:
            request = protos.get_service().GetTrialRequest(trial_id=trial_id)
            while not over.wait(HEARTBEAT_S):
                try:
                    self.stub.GetTrial(request)
                except RunError:
                    return  # the next call of the main thread says so

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        end = time.monotonic() + self._timeout_s
        while True:
            left_s = max(0.0, end - time.monotonic())
            try:
                return method(request, wait_for_ready=True, timeout=left_s)
            except grpc.RpcError as error:
                # gRPC waits for a connection, not for one that broke during the call;
                # every call may be repeated.
                lost = _code(error) == grpc.StatusCode.UNAVAILABLE
                if not lost or left_s <= _AGAIN_S:
                    raise RunError(self._words(error)) from error
            time.sleep(_AGAIN_S)

    def _words(self, error: grpc.RpcError) -> str:
        where = ":".join(
            os.environ[f"KERASTUNER_ORACLE_{part}"] for part in ("IP", "PORT")
        )
        told = getattr(error, "details", lambda: "")() or ""
        if _code(error) == grpc.StatusCode.UNKNOWN:  # raised by what it was asked
            return (
                f"The chief at {where} ended the search: "
                f"{told.removeprefix('Exception calling application: ')}"
            )
        return (
            f"The chief at {where} did not answer within {self._timeout_s:.0f} s ({told}); "
            "start it again with the same command: finished trials are kept. Then start "
            "this worker again."
        )


def _code(error: grpc.RpcError) -> Any:
    return getattr(error, "code", lambda: None)()


class _Patient:
    """A gRPC stub whose calls all go through one function."""

    def __init__(self, stub: Any, call: Callable[[Any, Any], Any]) -> None:
        self._stub, self._call = stub, call

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._stub, name)

        def ask(request: Any, **ignored: Any) -> Any:
            return self._call(method, request)

        return ask
