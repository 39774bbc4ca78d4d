"""IPTC's digital source type in XMP: captured, edited or made by a generator.

IPTC NewsCodes, scheme "digitalsourcetype" (cv.iptc.org/newscodes/digitalsourcetype), and
the fields on generators of the IPTC Photo Metadata Standard 2025.1.
"""

from collections.abc import Sequence

from kerasfaces.serve.evidence._contract import Evidence, File, Finding, shown

TITLE = "IPTC digital source type"
_MEANINGS: dict[str, tuple[Finding, str]] = {
    "trainedAlgorithmicMedia": ("generated", "made by a trained generator"),
    "algorithmicMedia": ("generated", "made by an algorithm"),
    "compositeWithTrainedAlgorithmicMedia": (
        "edited",
        "a picture with parts from a trained generator",
    ),
    "compositeSynthetic": ("edited", "put together, with synthetic parts"),
    "algorithmicallyEnhanced": ("edited", "enhanced by an algorithm"),
    "composite": ("edited", "put together from several pictures"),
    "humanEdits": ("edited", "edited by a person"),
    "minorHumanEdits": ("edited", "edited a little by a person"),
    "digitalArt": ("edited", "drawn by a person with software"),
    "digitalCreation": ("edited", "made by a person with software"),
    "virtualRecording": ("edited", "recorded from a virtual scene"),
    "screenCapture": ("edited", "a screenshot"),
    "compositeCapture": ("captured", "put together from captured pictures"),
    "computationalCapture": ("captured", "captured by a camera that computes"),
    "digitalCapture": ("captured", "captured by a digital camera"),
    "negativeFilm": ("captured", "scanned from a negative"),
    "positiveFilm": ("captured", "scanned from a slide"),
    "print": ("captured", "scanned from a print"),
}
_SYSTEMS = ("AISystemUsed", "AISystemVersionUsed")


def meaning_of(types: Sequence[str]) -> tuple[Finding, str]:
    """Return what source types come to, the strongest first, and how to say it."""
    for name, (finding, meaning) in _MEANINGS.items():
        if name in types:
            return finding, meaning
    if types:
        return "unknown", f"a source type that is not known here ({shown(types[0])})"
    return "unknown", "nothing on how the picture was made"


def read(file: File) -> list[Evidence]:
    """Return the source type, and the generator that IPTC's fields name."""
    types = [
        shown(value.rpartition("/")[2])
        for value in file.xmp_values("DigitalSourceType")
    ]
    systems = [shown(value) for name in _SYSTEMS for value in file.xmp_values(name)]
    if not types and not systems:
        return []
    finding, meaning = meaning_of(types)
    if systems and finding in ("unknown", "captured"):
        finding, meaning = "generated", f"the work of {systems[0]}"
    return [
        Evidence(
            finding=finding,
            state="unsigned",
            sentence=f"{TITLE}: {meaning} (unsigned: anyone can write it).",
            details={"types": ", ".join(types), "systems": ", ".join(systems)},
        )
    ]
