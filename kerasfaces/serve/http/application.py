"""The application: its routes, in front of a judge."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from kerasfaces import __version__
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.face_policy import Policy
from kerasfaces.serve.http import body, replies
from kerasfaces.serve.http.envelope import Envelope, refused
from kerasfaces.serve.http.judge import Judge
from kerasfaces.serve.http.refusals import Refusal

_DESCRIPTION = (
    "Pictures -> real, fake or unsure, as `kerasfaces predict` answers. A picture that cannot "
    "be read is an answer, too: `unreadable`, with the reason. Nothing is kept."
)
Faces = Annotated[Policy | None, Query(description="what of a picture is judged")]
Stability = Annotated[bool | None, Query(description="judge laundered versions, too")]
Provenance = Annotated[bool | None, Query(description="read what the file says itself")]
_QUERY = ("faces", "stability", "provenance", "quick")
Quick = Annotated[bool, Query(description="the verdict alone")]


def create(judge: Judge) -> FastAPI:
    """Return the application; it closes the judge when it ends."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        judge.close()

    app = FastAPI(
        title="kerasfaces",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(Envelope, measures=judge.measures, token=judge.settings.token)
    _add_predict(app, judge)
    _add_health(app, judge)
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


def _add_predict(app: FastAPI, judge: Judge) -> None:
    @app.post(
        "/v1/predict",
        response_model=replies.Reply,
        responses=replies.PROBLEMS,
        openapi_extra=replies.BODY,
        summary="Judge pictures",
    )
    async def predict(
        request: Request,
        faces: Faces = None,
        stability: Stability = None,
        provenance: Provenance = None,
        quick: Quick = False,
    ) -> JSONResponse:
        """Judge each picture: fields `file` of a form, or one picture as the body."""
        _refuse_unknown(request)
        options = judge.settings.options(faces, stability, provenance, quick)
        with judge.body_budget() as budget:
            pictures = await body.read(request, judge.settings, budget)
            facts = request.state.facts
            facts |= {"pictures": len(pictures), "bytes": budget.n_bytes}
            answers = await _unless_left(request, judge.answers(pictures, options))
        return JSONResponse(
            {
                "request_id": request.state.request_id,
                "answers": [answer.to_dict() for answer in answers],
            }
        )


def _refuse_unknown(request: Request) -> None:
    for name in request.query_params:
        if name not in _QUERY:
            known = ", ".join(_QUERY)
            raise Refusal(422, f"{quoted(name)} is no name here; known: {known}")


def _add_health(app: FastAPI, judge: Judge) -> None:
    @app.get("/healthz", summary="Is the process alive?")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="Can it judge?", responses={503: replies.PROBLEMS[503]})
    async def readyz() -> Json:
        if not judge.is_ready:
            raise Refusal(503, "the engine has ended", retry_s=10)
        return {"status": "ready", "detector": judge.facts}

    @app.get("/metrics", summary="For Prometheus", response_class=Response)
    async def metrics() -> Response:
        content, kind = judge.measures.text()
        return Response(content, media_type=kind)


async def _unless_left(
    request: Request, work: Coroutine[Any, Any, list[Answer]]
) -> list[Answer]:
    """Return what work gives; end it when the client goes away."""
    answers = asyncio.ensure_future(work)
    left = asyncio.ensure_future(request.receive())  # the body is whole: nothing else
    try:
        await asyncio.wait({answers, left}, return_when=asyncio.FIRST_COMPLETED)
        if not answers.done():
            raise Refusal(400, "the client left before the answer")
        return await answers
    finally:
        left.cancel()
        answers.cancel()


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)  # noqa: S101 - for types
    return refused(error, request.state.request_id)


async def _http(request: Request, error: Exception) -> JSONResponse:
    status = getattr(error, "status_code", 400)
    sentence = {
        404: "there is no such address",
        405: "this address takes another method",
    }
    text = sentence.get(status, str(getattr(error, "detail", "refused")))
    reply = refused(Refusal(status, text), request.state.request_id)
    reply.headers.update(getattr(error, "headers", None) or {})
    return reply


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    place = ".".join(map(str, first.get("loc", ())[1:]))
    text = f"{place}: {str(first.get('msg', 'wrong')).lower()}"
    return refused(Refusal(422, text), request.state.request_id)
