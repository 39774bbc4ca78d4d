"""The body of a request -> pictures in memory, within limits of size, number and time."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import Request
from starlette.requests import ClientDisconnect

from kerasfaces.serve.http.forms import MULTIPART, Form
from kerasfaces.serve.http.judge import BodyBudget
from kerasfaces.serve.http.refusals import Refusal
from kerasfaces.serve.http.settings import Settings
from kerasfaces.serve.pictures import Named

FIELD = "file"
_RAW = ("", "application/octet-stream", "binary/octet-stream")


async def read(request: Request, settings: Settings, budget: BodyBudget) -> list[Named]:
    """Return the pictures of a request, at least one.

    Refusal where they are none, too many, too large or too slow, or of another kind.
    """
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > settings.body_bytes:
        raise _too_large(settings)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    stream = _limited(request, settings, budget)
    try:
        async with asyncio.timeout(settings.body_s):
            if kind == MULTIPART:
                return await _files(request, stream, settings)
            if kind in _RAW or kind.startswith("image/"):
                data = b"".join([chunk async for chunk in stream])
                if not data:
                    raise Refusal(400, "the body is empty; send a picture")
                return [Named("<image 0>", data)]
    except TimeoutError as error:
        raise Refusal(
            408, f"the body did not come within {settings.body_s:g} s"
        ) from error
    except ClientDisconnect as error:
        raise Refusal(400, "the client left before the body was whole") from error
    raise Refusal(
        415,
        f"expected {MULTIPART} with fields `{FIELD}`, or a picture as the whole body "
        "(image/... or application/octet-stream)",
    )


async def _limited(
    request: Request, settings: Settings, budget: BodyBudget
) -> AsyncGenerator[bytes, None]:
    async for chunk in request.stream():
        if budget.n_bytes + len(chunk) > settings.body_bytes:
            raise _too_large(settings)
        budget.add(len(chunk))
        yield chunk


def _too_large(settings: Settings) -> Refusal:
    return Refusal(413, f"the body is larger than {settings.body_mb} MB")


async def _files(
    request: Request, stream: AsyncGenerator[bytes, None], settings: Settings
) -> list[Named]:
    form = Form(request.headers["content-type"], settings.files)
    async for chunk in stream:
        form.write(chunk)
    if not form.is_whole:
        raise Refusal(400, "the form ends before its last boundary")
    if any(part.field != FIELD or part.file_name is None for part in form.parts):
        raise Refusal(400, f"expected nothing but files in fields `{FIELD}`")
    if not form.parts:
        raise Refusal(400, f"no field `{FIELD}` with a picture")
    return [
        Named(part.file_name or f"<image {position}>", bytes(part.data))
        for position, part in enumerate(form.parts)
    ]
