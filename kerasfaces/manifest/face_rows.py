"""The rows of face crops: which face of which picture each is, and which have none."""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.faces.policy import FaceInput
from kerasfaces.manifest.table import Manifest

logger = logging.getLogger("kerasfaces.manifest")
COLUMN = "face_crop"  # of a manifest: how its pictures were cut; see `FaceCrop.name`
_NAMED = 5


class Crop(NamedTuple):
    """A crop that was written."""

    path: str
    sha256: str
    size_px: int
    box: str
    score: str


class Outcome(NamedTuple):
    """What became of a picture."""

    original: str = ""  # SHA-256 of the source
    crops: tuple[Crop, ...] = ()
    reason: str = ""  # why there are none


def require_whole(manifest: Manifest) -> None:
    """Refuse pictures that are crops of faces already.

    Raises:
        InputError: Rows state how they were cut.
    """
    if stated := crop_of(manifest):
        raise InputError(
            f"these pictures are face crops already (column {COLUMN}: {stated}); give the "
            "manifest of the whole pictures."
        )


def crop_of(manifest: Manifest) -> str:
    """Return how a manifest's pictures were cut (`FaceCrop.name`), empty for whole ones.

    Raises:
        InputError: They were cut in several ways.
    """
    if COLUMN not in manifest.rows:
        return ""
    stated = sorted(set(manifest.rows[COLUMN]))
    if len(stated) > 1:
        raise InputError(
            f"the pictures were cut in several ways (column {COLUMN}: "
            f"{', '.join(repr(each) for each in stated[:_NAMED])}); crop the faces of all "
            "the whole pictures alike."
        )
    return str(stated[0]) if stated else ""


def require_same(manifest: Manifest, policy: FaceInput, name: str) -> None:
    """Refuse pictures that were not cut as a detector's were.

    Args:
        manifest: The pictures.
        policy: What the detector is shown of a picture.
        name: The detector's, for the message.

    Raises:
        InputError: One was trained on face crops and the other are whole pictures, or the
            other way round, or the crops differ.
    """
    stated, wanted = crop_of(manifest), ""
    if policy.faces == "cut" and policy.face_crop is not None:
        wanted = policy.face_crop.name
    if stated == wanted:
        return
    if not wanted:
        what = "cuts faces out itself" if policy.face_crop else "judges whole pictures"
        raise InputError(
            f"the pictures are face crops (column {COLUMN}: {stated}), and {name} {what}; "
            "give the manifest of the whole pictures."
        )
    options = {
        "margin": policy.face_margin,
        "align": policy.face_align,
        "size_px": policy.face_size_px,
    }
    words = ", ".join(f"{key}={value!r}" for key, value in options.items() if value)
    raise InputError(
        f"{name} was trained on face crops ({wanted}), and these are "
        f"{f'cut otherwise ({stated})' if stated else 'whole pictures'}; cut them alike: "
        f"`data.crop_faces('DIR', {words})`."
    )


def rows_of(
    manifest: Manifest, outcomes: Sequence[Outcome], crop: FaceCrop
) -> pd.DataFrame:
    """Return a row per face; those of one picture share a `pair_id`, so no split parts them."""
    originals = manifest.rows.drop(columns="phash", errors="ignore").to_dict("records")
    rows = []
    for original, outcome in zip(originals, outcomes, strict=True):
        pair = original.get("pair_id", "")
        if not pair and len(outcome.crops) > 1:
            pair = f"photo-{outcome.original[:16]}"
        for number, each in enumerate(outcome.crops, 1):
            side = str(each.size_px)
            own = {"path": each.path, "sha256": each.sha256, "format": "PNG"}
            sizes = {"width_px": side, "height_px": side}
            face = {
                "face_number": str(number),
                "face_box": each.box,
                "face_score": each.score,
                COLUMN: crop.name,
                "original_sha256": outcome.original,
            }
            row = {str(key): value for key, value in original.items()}
            rows.append({**row, "pair_id": pair, **own, **sizes, **face})
    return pd.DataFrame(rows).fillna("")


def report(manifest: Manifest, outcomes: Sequence[Outcome]) -> None:
    """Say how many pictures have how many faces, and name those that have none.

    Raises:
        InputError: Not one has a face.
    """
    counts = Counter(min(len(each.crops), 2) for each in outcomes)
    logger.info(
        "%d pictures: %d with one face, %d with several, %d without",
        len(outcomes),
        counts[1],
        counts[2],
        counts[0],
    )
    lost: dict[str, list[str]] = {}
    for path, each in zip(manifest.rows["path"], outcomes, strict=True):
        if each.reason:
            lost.setdefault(each.reason, []).append(path)
    for reason, paths in sorted(lost.items(), key=lambda item: -len(item[1])):
        named = ", ".join(quoted(path) for path in paths[:_NAMED])
        more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
        logger.warning("%s: %d left out: %s%s", reason, len(paths), named, more)
    if counts[0] == len(outcomes):
        raise InputError(
            f"not one of the {len(outcomes)} pictures gave a face (first: "
            f"{quoted(manifest.rows['path'][0])}, {outcomes[0].reason})."
        )
