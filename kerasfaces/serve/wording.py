"""An answer in words, for people at a terminal, and as a line of JSON."""

import json
from collections.abc import Iterator, Sequence

from kerasfaces.core.texts import plain
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.face_policy import FaceAnswer

_INDENT = 13


def as_json(answer: Answer) -> str:
    """Return the answer as a line: first `path`, `verdict`, `score`, `logit`, `reason`."""
    values = answer.to_dict()
    verdict, reason = values.pop("verdict"), values.pop("reason")
    first = {
        "path": values.pop("name"),
        "verdict": None if verdict == "unreadable" else verdict,
        "score": values.pop("score"),
        "logit": values.pop("logit"),
        "reason": reason or None,
    }
    return json.dumps(first | values)


def as_text(answer: Answer, *, alone: bool) -> Iterator[str]:
    """Yield the answer as a line, and all else below it where it is the only one."""
    path = plain(answer.name)
    if answer.verdict == "unreadable":
        yield f"{'-':<9}  {'-':>6}  {'-':>8}  {path}: {answer.reason}"
    else:
        numbers = f"{answer.score:6.4f}  {answer.logit:8.3f}"
        yield f"{answer.verdict:<9}  {numbers}  {path}"
    for heading, sentence in lines(answer) if alone else ():
        yield f"{heading:<{_INDENT}}{sentence}"


def lines(answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield what an answer says beside its verdict: a heading, "" below it, and a sentence."""
    if answer.doubt:
        yield "unsure", answer.doubt
    yield "judged", answer.judged or "nothing"
    if answer.width_px:
        yield "size", f"{answer.width_px} x {answer.height_px} px"
    if answer.sha256:
        yield "sha256", answer.sha256
    if answer.provenance is not None:
        yield "origin", answer.provenance["sentence"]
        for each in answer.provenance["evidence"]:
            yield "", each["sentence"]
        for reason in answer.provenance["unread"]:
            yield "", f"not read: {reason}"
    if answer.faces is not None:
        yield from _headed("faces", list(map(_face, answer.faces)) or ["none found"])
    if answer.stability is not None:
        yield "stability", stability(answer)
    if answer.error_rates is not None:
        yield "error rates", answer.error_rates["sentence"]
    yield from _headed("warnings", answer.warnings)
    detector = answer.detector
    if detector:
        yield (
            "detector",
            f"{detector['name']} (version {detector['version']}, by {detector['engine']})",
        )


def stability(answer: Answer) -> str:
    """Return what came of the laundered versions in one sentence."""
    tried = answer.stability
    if tried is None:
        return "not tried"
    text = f"{tried['n_same']} of {tried['n']} laundered versions get the same verdict"
    others = [
        f"{each['name']}: {each['verdict']}"
        for each in tried["versions"]
        if each["name"] in tried["flipped"]
    ]
    skipped = [f"{name}: not tried, {why}" for name, why in tried["skipped"].items()]
    return "; ".join([text, *others, *skipped])


def place(face: FaceAnswer) -> str:
    """Return how large a face is, and where."""
    left, top, right, bottom = (round(edge) for edge in face.box)
    return f"{right - left} x {bottom - top} px at ({left}, {top})"


def _face(face: FaceAnswer) -> str:
    judged = f": {face.verdict}, score {face.score:.4f}" if face.verdict else ""
    return place(face) + judged


def _headed(heading: str, sentences: Sequence[str]) -> Iterator[tuple[str, str]]:
    for number, sentence in enumerate(sentences):
        yield "" if number else heading, sentence
