"""The application run by uvicorn, on one address, until a signal ends it."""

import contextlib
import socket
from collections.abc import Callable, Generator

import uvicorn

from kerasfaces.core import interruptions
from kerasfaces.core.errors import InputError
from kerasfaces.serve.http import application, envelope, protocol
from kerasfaces.serve.http.judge import Judge

_KEEP_ALIVE_S = 5
_LAST_PORT = 65535


def run(
    judge: Judge, listening: socket.socket, host: str, announce: Callable[[str], None]
) -> None:
    """Serve on what `listen` returned until SIGINT, SIGTERM or SIGHUP.

    What was accepted by then is answered; `announce` is called with the service's URL.
    """
    envelope.log_to_stderr()
    number = listening.getsockname()[1]
    workers = judge.settings.n_workers
    envelope.log("start", detector=judge.facts, workers=workers)
    announce(f"http://{f'[{host}]' if ':' in host else host}:{number}")
    server_of(judge).run([listening])
    envelope.log("end")


def server_of(judge: Judge) -> uvicorn.Server:
    """Return uvicorn's server of the application, within the judge's limits."""
    settings = judge.settings
    config = uvicorn.Config(
        application.create(judge),
        http=protocol.patient_for(settings.head_s),
        loop="asyncio",  # uvloop keeps signals to itself
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=settings.connections,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=round(settings.body_s + settings.answer_s),
    )
    return _Server(config)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Finish instead of ending at once, as other commands do."""
        with interruptions.answered_by(self.handle_exit):
            yield


def listen(host: str, port: int) -> socket.socket:
    """Return a socket at an address; whoever comes before `run` waits.

    Port 0 takes a free one.

    Raises:
        InputError: The address cannot be had.
    """
    try:
        if not 0 <= port <= _LAST_PORT:  # the system would take its remainder
            raise OverflowError(f"a port is at most {_LAST_PORT}")
        kind, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with contextlib.ExitStack() as failed:
            listening = failed.enter_context(socket.socket(kind, socket.SOCK_STREAM))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen()
            failed.pop_all()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{host}:{port} cannot be listened on ({reason}); choose another port (0 takes a "
            "free one) or address."
        ) from error
    return listening
