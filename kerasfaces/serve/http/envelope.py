"""Round every request: its id, its token, its line in the log, its counts, its errors."""

import hmac
import json
import logging
import re
import secrets
import sys
import time
from datetime import UTC, datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kerasfaces.core.files import Json
from kerasfaces.serve.http.measures import Measures
from kerasfaces.serve.http.refusals import Refusal

OPEN = ("/healthz", "/readyz")  # what an orchestrator asks without a token
HEADER = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
logger = logging.getLogger("kerasfaces.http")


def refused(refusal: Refusal, request_id: str) -> JSONResponse:
    """Return the reply to a request that is refused."""
    content = {"error": f"{refusal.sentence}.", "request_id": request_id}
    return JSONResponse(content, refusal.status, refusal.headers)


class Envelope:
    """An application whose requests have ids, and leave a line and counts behind."""

    def __init__(self, app: ASGIApp, measures: Measures, token: str) -> None:
        """Wrap an application; without a token everybody may ask."""
        self._app, self._measures = app, measures
        self._token = f"Bearer {token}".encode() if token else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 0
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        state: Json = scope.setdefault("state", {})
        state["request_id"], state["facts"] = request_id, {}

        async def reply(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            app = self._app if self._may(scope) else _unknown(request_id)
            await app(scope, receive, reply)
        except Exception as error:  # noqa: BLE001 - our fault: logged without its text
            log("error", id=request_id, type=type(error).__name__, at=_place(error))
            if not status:
                fault = Refusal(500, "something went wrong here; the log has its id")
                await refused(fault, request_id)(scope, receive, reply)
        finally:
            seconds = time.monotonic() - started
            route = getattr(scope.get("route"), "path", "other")
            self._measures.requests.labels(route, str(status)).inc()
            self._measures.seconds.labels(route).observe(seconds)
            log(
                "request",
                id=request_id,
                method=scope["method"] if scope["method"].isalpha() else "?",
                route=route,
                status=status,
                seconds=round(seconds, 4),
                **state["facts"],
            )

    def _may(self, scope: Scope) -> bool:
        if not self._token or scope["path"] in OPEN:
            return True
        given = Headers(scope=scope).get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, self._token)


def log(event: str, **facts: object) -> None:
    """Write a line of JSON; no value may come from a picture or be a file's name."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    logger.info(json.dumps({"time": moment, "event": event, **facts}))


def log_to_stderr() -> None:
    """Write the log's lines to stderr as they are, and uvicorn's warnings beside them."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers[:], logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    theirs = logging.getLogger("uvicorn")
    theirs.handlers[:], theirs.propagate = [_AsJson()], False
    theirs.setLevel(logging.WARNING)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # each odd byte


class _AsJson(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        # A message may repeat what a client sent; its pattern does not.
        log("server", pattern=str(record.msg)[:160], type=kind and kind.__name__)


def _unknown(request_id: str) -> JSONResponse:
    sentence = "this service wants its token: send Authorization: Bearer TOKEN"
    return refused(Refusal(401, sentence), request_id)


def _place(error: BaseException) -> str:
    traceback = error.__traceback__
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    if traceback is None:
        return ""
    return f"{traceback.tb_frame.f_globals.get('__name__')}:{traceback.tb_lineno}"
