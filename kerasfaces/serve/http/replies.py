"""What the service's replies look like, for its OpenAPI description."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from kerasfaces.core.files import Json
from kerasfaces.serve.http.body import FIELD

_ANSWER: Json = {
    "name": "photo.jpg",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "width_px": 1024,
    "height_px": 768,
    "verdict": "fake",
    "score": 0.973,
    "logit": 3.41,
    "reason": "",
    "judged": "the whole picture",
    "warnings": [],
    "detector": {"name": "run", "version": "1a2b3c4d5e6f", "engine": "onnxruntime"},
}


class Judged(BaseModel):
    """The answer to one picture; more fields than these are as `kerasfaces predict --json` has them."""

    model_config = ConfigDict(extra="allow")

    name: str
    verdict: Literal["real", "fake", "unsure", "unreadable"]
    score: float | None
    logit: float | None
    reason: str
    detector: dict[str, str]


class Reply(BaseModel):
    """The answers to a request's pictures, in their order."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"request_id": "5f1c", "answers": [_ANSWER]}}
    )

    request_id: str
    answers: list[Judged]


class Problem(BaseModel):
    """Why a request got no answer, in one sentence."""

    error: str
    request_id: str


_SENTENCES = {
    400: "The body has no picture, or is damaged.",
    401: "The token is missing or wrong.",
    408: "The body did not come in time.",
    413: "The body is too large, or has too many parts.",
    415: "The body is of another kind.",
    422: "A query parameter is wrong.",
    429: "Too many pictures wait: Retry-After says when to come again.",
    503: "The answer took too long.",
}
PROBLEMS: dict[int | str, Json] = {
    status: {"model": Problem, "description": sentence}
    for status, sentence in _SENTENCES.items()
}
# Others are read as well; these are examples.
_RAW = ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
_PICTURE = {"type": "string", "format": "binary"}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {FIELD: {"type": "array", "items": _PICTURE}},
                    "required": [FIELD],
                    "additionalProperties": False,
                }
            },
            **{kind: {"schema": _PICTURE} for kind in _RAW},
        },
    }
}
