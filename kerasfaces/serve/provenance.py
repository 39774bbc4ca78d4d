"""What a file says of its origin: evidence of its own, never mixed into a score.

Read through c2pa (Content Credentials), Pillow (EXIF, PNG texts) and defusedxml (XMP); the
kinds are the files of `serve/evidence`.
"""

import ssl
from collections.abc import Sequence
from pathlib import Path

from kerasfaces.core import registry
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import Json
from kerasfaces.serve.evidence._contract import Evidence, File, UnreadError

PACKAGE = "kerasfaces.serve.evidence"
NOTHING = (
    "The file says nothing of its origin; that means nothing, most files say nothing."
)
_STRENGTH = ("trusted", "untrusted", "unsigned")  # tampered evidence finds nothing
_SENTENCES = {
    "generated": "The file says that a generator made it.",
    "edited": "The file says that it was edited.",
    "captured": "The file says that a camera or scanner took it.",
    "unknown": "The file says something of its origin, but not how the picture was made.",
}
_ORDER = ("generated", "edited", "captured", "unknown")


def read(data: bytes, trust: str | None = None) -> Json:
    """Return what a file says of its origin, in JSON types.

    Args:
        data: The file; damaged or hostile ones are welcome.
        trust: Certificates (PEM) of signers that count as trusted.

    Returns:
        `finding` (`generated`, `edited`, `captured`, `unknown`, or `nothing`), `sentence`,
        `evidence` (`kind`, `finding`, `state`, `sentence`, `details` of each; see
        `Evidence`), the strongest first, and `unread`: what is there and cannot be read.
    """
    file, evidence, unread = File(data, trust), list[tuple[str, Evidence]](), []
    for kind in registry.names(PACKAGE):
        module = registry.load(PACKAGE, kind)
        try:
            evidence += [(kind, each) for each in module.read(file)]
        except UnreadError as error:
            unread.append(str(error))
    evidence.sort(key=lambda each: _rank(each[1]))
    finding, sentence = _conclusion([each for _, each in evidence])
    return {
        "finding": finding,
        "sentence": sentence,
        "evidence": [{"kind": kind, **each.to_dict()} for kind, each in evidence],
        "unread": list(dict.fromkeys(unread)),
    }


def _rank(evidence: Evidence) -> tuple[int, int]:
    states = ("tampered", *_STRENGTH)
    return states.index(evidence.state), _ORDER.index(evidence.finding)


def _conclusion(evidence: Sequence[Evidence]) -> tuple[str, str]:
    """Return the finding of the strongest evidence, and a sentence that says more."""
    if not evidence:
        return "nothing", NOTHING
    telling = [each for each in evidence if each.finding != "unknown"]
    if any(each.state == "tampered" for each in evidence):
        return "unknown", (
            "The file's Content Credentials are broken: it was changed after signing."
        )
    finding = telling[0].finding if telling else "unknown"
    sentence = _SENTENCES[finding]
    if {each.finding for each in telling} >= {"generated", "captured"}:
        sentence += " Its evidence contradicts itself."
    return finding, sentence


def read_trust(path: Path) -> str:
    """Return a file of certificates (PEM) whose signers are to be trusted, each readable."""
    try:
        text = path.read_text(encoding="ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except FileNotFoundError as error:
        raise MissingFileError(
            f"{path} does not exist; expected certificates."
        ) from error
    except (UnicodeDecodeError, ValueError, ssl.SSLError) as error:
        raise InputError(
            f"{path} holds no certificates that can be read; expected PEM text, which begins "
            "with -----BEGIN CERTIFICATE-----."
        ) from error
    return text
