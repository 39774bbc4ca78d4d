"""KerasTuner's chief with leases: a dead worker's trial goes to another, and no call hangs.

The chief hands out trials over gRPC (KerasTuner's own protocol) and trains none. A worker
is this program with KERASTUNER_TUNER_ID set, on this machine or another that sees the
same study folder; `--workers N` starts N of them here.
"""

import logging
import os
import time
from concurrent import futures
from typing import Any

import grpc
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from kerasfaces.core.errors import InputError, RunError
from kerasfaces.tune.local_workers import LocalWorkers

logger = logging.getLogger(__name__)

LEASE_S = 15.0  # seven heartbeats
_POLL_S = 0.1
_LAST_WORDS_S = 5.0  # in which idle workers hear that it is over


class _Servicer(OracleServicer):
    """Remembers errors, which gRPC would only show the worker, and who was heard last."""

    def __init__(self, oracle: Any) -> None:
        super().__init__(oracle)
        self.error: BaseException | None = None
        self.heard = time.monotonic()
        self.workers: set[str] = set()

    def CreateTrial(self, request: Any, context: Any) -> Any:
        self.workers.add(request.tuner_id)
        answer = self._ask("CreateTrial", request, context)
        stopped = protos.get_proto().TrialStatus.STOPPED
        if answer.trial.status == stopped:
            self.workers.discard(request.tuner_id)
        return answer

    def UpdateTrial(self, request: Any, context: Any) -> Any:
        return self._ask("UpdateTrial", request, context)

    def EndTrial(self, request: Any, context: Any) -> Any:
        return self._ask("EndTrial", request, context)

    def GetTrial(self, request: Any, context: Any) -> Any:
        return self._ask("GetTrial", request, context)

    def _ask(self, name: str, request: Any, context: Any) -> Any:
        self.heard = time.monotonic()
        try:
            return getattr(super(), name)(request, context)
        except BaseException as error:
            self.error = self.error or error
            raise


def serve(
    oracle: Any, address: str, workers: LocalWorkers | None, timeout_s: float
) -> None:
    """Hand out trials until there are none left.

    Args:
        oracle: Prepared.
        address: `host:port`; port 0 takes a free one (local workers only).
        workers: Local workers, not yet started; None waits for others.
        timeout_s: How long silence of all workers is borne.

    Raises:
        InputError: The address cannot be used.
        RunError: No worker is left, or none was heard for too long.
    """
    oracle.leases.limit_s = LEASE_S
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    servicer = _Servicer(oracle)
    protos.get_service_grpc().add_OracleServicer_to_server(servicer, server)
    port = _bind(server, address)
    server.start()
    try:
        if workers is not None:
            workers.start(f"{address.rpartition(':')[0]}:{port}")
        _wait(oracle, servicer, workers, timeout_s)
    finally:
        if workers is not None:
            workers.stop()
        server.stop(grace=1).wait()


def _bind(server: Any, address: str) -> int:
    try:
        port: int = server.add_insecure_port(address)
    except RuntimeError:
        port = 0
    if not port:
        raise InputError(
            f"The chief cannot listen at {address}: another program holds it, or it is no "
            "address of this machine; change KERASTUNER_ORACLE_IP or _PORT."
        )
    return port


def _wait(
    oracle: Any, servicer: _Servicer, workers: LocalWorkers | None, timeout_s: float
) -> None:
    over: float | None = None
    while True:
        time.sleep(_POLL_S)
        if servicer.error is not None:
            raise servicer.error
        if workers is not None:
            for name in workers.dead():
                servicer.workers.discard(name)
                oracle.release(name)
            workers.replace_dead()
        if servicer.stop_triggered and not oracle.leases:
            over = over or time.monotonic()
            alone = not servicer.workers
            if alone or time.monotonic() - over > _LAST_WORDS_S:
                return
        elif time.monotonic() - servicer.heard > timeout_s:
            raise RunError(
                f"No worker was heard for {timeout_s:.0f} s; start one: the same command with "
                "KERASTUNER_TUNER_ID=worker-1 and this chief's KERASTUNER_ORACLE_IP and _PORT. "
                "Finished trials are kept."
            )


def address_from_environment() -> str:
    """Return KerasTuner's `host:port`."""
    return ":".join(os.environ[f"KERASTUNER_ORACLE_{part}"] for part in ("IP", "PORT"))
