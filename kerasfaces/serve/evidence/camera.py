"""What a camera writes into a photo: its make, the exposure, the time."""

from kerasfaces.serve.evidence._contract import Evidence, File, shown

TITLE = "Camera"
_MAKER = {0x010F: "make", 0x0110: "model"}
_EXPOSURE = {
    0x9003: "taken",
    0x829A: "exposure, s",
    0x829D: "aperture, f/",
    0x8827: "ISO",
    0x920A: "focal length, mm",
    0xA434: "lens",
}
_ENOUGH = 2  # fields on the exposure; the maker alone is soon copied


def read(file: File) -> list[Evidence]:
    """Return the camera that EXIF names together with an exposure; never the place."""
    maker = {name: file.exif[tag] for tag, name in _MAKER.items() if tag in file.exif}
    taken = {
        name: file.exif[tag] for tag, name in _EXPOSURE.items() if tag in file.exif
    }
    if not maker or len(taken) < _ENOUGH:
        return []
    camera = shown(" ".join(maker.values()))
    return [
        Evidence(
            finding="captured",
            state="unsigned",
            sentence=f"EXIF names a camera ({camera}) and an exposure (unsigned: anyone can "
            "write or copy them).",
            details={name: shown(value) for name, value in {**maker, **taken}.items()},
        )
    ]
