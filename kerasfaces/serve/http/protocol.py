"""uvicorn's protocol, within limits of time, and with replies that their readers get."""

import asyncio
import json
import secrets
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# Thrown away of a refused body, so that its sender reads why.
_DRAIN_BYTES = 128 * 2**20
_DRAIN_S = 5.0


def patient_for(seconds: float) -> type[H11Protocol]:
    """Return uvicorn's protocol, which waits so long for the head of a request.

    A connection that is closed while a body is on its way would be reset, and the reply
    lost: it is closed in one direction, and what still comes is thrown away, up to a limit.
    """

    class Patient(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(_Draining(transport, self))  # type: ignore[arg-type]
            self._watch()

        def data_received(self, data: bytes) -> None:
            if self.transport.drains(len(data)):  # type: ignore[attr-defined]
                return
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._stop()

        def send_400_response(self, msg: str) -> None:
            """Say in JSON, as elsewhere, that this is no HTTP."""
            text = "the request is no valid HTTP; look at its first line and headers."
            content = {"error": text, "request_id": secrets.token_hex(8)}
            body = json.dumps(content).encode()
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            events = (
                h11.Response(status_code=400, headers=headers, reason="Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            )
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

        def _watch(self) -> None:
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop()
            elif self._timer is None:
                self._timer = self.loop.call_later(seconds, self._close)

        def _close(self) -> None:
            if self.cycle is None or self.cycle.response_complete:
                self.transport.close()

        def _stop(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return Patient


class _Draining:
    """A transport that first reads on, for a while, where a body is left unread."""

    def __init__(self, transport: asyncio.Transport, protocol: H11Protocol) -> None:
        self._transport, self._protocol = transport, protocol
        self._left: int | None = None  # bytes that may still come

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._left is not None or self._transport.is_closing()

    def close(self) -> None:
        """Close, at once where nothing is on its way or this is the second call."""
        unread = self._protocol.conn.their_state in (h11.SEND_BODY, h11.ERROR)
        if self.is_closing() or not unread or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._left = _DRAIN_BYTES
        self._transport.write_eof()
        self._transport.resume_reading()
        self._protocol.loop.call_later(_DRAIN_S, self._transport.close)

    def drains(self, n_bytes: int) -> bool:
        """Tell whether so many bytes that came are thrown away; end where they are many."""
        if self._left is None:
            return False
        self._left -= n_bytes
        if self._left < 0:
            self._transport.close()
        return True
