"""The program that a file names as its maker: EXIF software, XMP creator tool, PNG text."""

import re

from kerasfaces.serve.evidence._contract import (
    Evidence,
    File,
    Finding,
    UnreadError,
    shown,
)

TITLE = "Software"
_SOFTWARE = 0x0131
_GENERATORS = re.compile(
    r"stable[ _-]?diffusion|midjourney|dall[·\-. ]?e\b|firefly|novelai|comfyui|invokeai"
    r"|fooocus|\bflux\.?[12]|imagen\b|gpt-image|openai|ideogram|leonardo\.ai|stylegan"
    r"|made with google ai|\bgemini\b|grok|dreamstudio|bing image creator|recraft",
    re.IGNORECASE,
)
_EDITORS = re.compile(
    r"photoshop|lightroom|gimp|affinity|pixelmator|snapseed|facetune|faceapp|meitu|canva"
    r"|picsart|capture one|darktable|luminar|krita|paint\.net",
    re.IGNORECASE,
)


def read(file: File) -> list[Evidence]:
    """Return what a known generator or editor the file names."""
    names = {
        "EXIF software": file.exif.get(_SOFTWARE, ""),
        **{f"PNG {key}": file.texts.get(key, "") for key in ("Software", "Source")},
        **{"comment": file.texts.get("comment", "")[:1000]},
    }
    try:
        for name in ("CreatorTool", "Credit", "softwareAgent"):
            for value in file.xmp_values(name):
                names.setdefault(f"XMP {name}", value)
    except UnreadError:
        pass  # `source_type` reads XMP as well, and says so
    evidence: list[Evidence] = []
    for where, value in names.items():
        for pattern, finding, what in (
            (_GENERATORS, "generated", "a generator of pictures"),
            (_EDITORS, "edited", "a program that edits pictures"),
        ):
            if pattern.search(value):
                evidence.append(_evidence(where, value, finding, what))
                break
    return evidence


def _evidence(where: str, value: str, finding: str, what: str) -> Evidence:
    known: Finding = "generated" if finding == "generated" else "edited"
    return Evidence(
        finding=known,
        state="unsigned",
        sentence=f"{where} names {shown(value)}, {what} (unsigned: anyone can write it).",
        details={where: shown(value)},
    )
