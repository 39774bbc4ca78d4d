"""Attribution tables: one row per image, and what each set of real images is called."""

import logging
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.attribute import features, openset
from kerasfaces.attribute.classes import REAL
from kerasfaces.attribute.head import Head
from kerasfaces.attribute.heads import Answers
from kerasfaces.attribute.openset import OpenSet
from kerasfaces.core import config as configs
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import atomic_path
from kerasfaces.core.texts import quoted
from kerasfaces.evaluate import seen_images
from kerasfaces.metrics.inputs import Floats
from kerasfaces.run.folder import AttributionRun, Run

logger = logging.getLogger(__name__)


class RealSource(TypedDict):
    """Real test images of one source: how many, and how many were called what."""

    source: str
    n: int
    called: dict[str, int]


def attribute_others(
    folder: Path, manifest_path: Path | None, root: Path | None = None
) -> tuple[Path, pd.DataFrame]:
    """Attribute a manifest's images with a finished attribution as it is.

    Writes `FOLDER/applied/<manifest digest>/attribution.csv`.

    Args:
        folder: A finished attribution.
        manifest_path: The images; splits do not matter.
        root: What its relative paths are relative to.

    Returns:
        The table's path and the table, one row per manifest row (see `table`).

    Raises:
        InputError: No manifest, or none of its images can be read.
        RunError: The folder is damaged, or its detector is gone or another by now.
    """
    if manifest_path is None:
        raise InputError(
            f"{folder} is a finished attribution: give the images with `manifest=M`, or a "
            "detector's run folder to make another."
        )
    manifest = manifests.read(manifest_path, root)
    run = AttributionRun.open(folder)
    content, head = run.result, Head.load(run.head_file(0))
    try:
        point = OpenSet(**content["open_set"])
        detector = Path(content["detector"])
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{folder}: attribution.json cannot be read ({error}); make the attribution again."
        ) from error
    # The config of a run that is gone is {}.
    if configs.digest(Run(detector).config) != run.config.get("detector"):
        raise RunError(
            f"{folder} was made with the detector in {detector}, which is gone or another by "
            "now; attribute the images anew, into another folder."
        )
    seen = int(seen_images.mask(folder, manifest).sum())
    if seen:
        logger.warning(
            "%d of the %d images were trained or validated on: what they are called is no "
            "test of anything",
            seen,
            len(manifest),
        )
    images = features.load(detector, manifest)
    if not images.readable.any():
        raise InputError(
            f"None of the {len(manifest):,} images can be read, e.g. "
            f"{quoted(manifest.rows['path'].iloc[0])}: {images.reasons[0]}."
        )
    logits, distances = head(images.read())
    score = point.score(logits, distances)
    frame = table(images.rows, images.reasons, head.names, logits, score, point)
    target = run.applied_file(manifest.digest())
    with folders.lock(target.parent, "attribution"):
        write(frame, target)
    return target, frame


def table(
    rows: pd.DataFrame,
    reasons: list[str],
    names: tuple[str, ...],
    logits: Floats,
    score: Floats,
    point: OpenSet,
) -> pd.DataFrame:
    """Return attribution_<split>.csv of all splits: one row per manifest row.

    Args:
        rows: All rows of the manifest.
        reasons: Why a row has no answer; empty where it has.
        names: The classes.
        logits: `(n, classes)`, of the rows that have an answer.
        score: `(n,)`, how unknown they look.
        point: The rejection.
    """
    shares = openset.probabilities(logits)
    answered = pd.DataFrame(
        {
            "called": point.call(logits, score, names),
            "closest": openset.closest(logits, names),
            "unknown_score": score,
            **{f"p_{name}": shares[:, k] for k, name in enumerate(names)},
        },
        index=np.flatnonzero([not reason for reason in reasons]),
    )
    frame = rows[["path", "label", "source", "split"]].reset_index(drop=True)
    frame = frame.join(answered).fillna({"called": "", "closest": ""})
    return frame.assign(reason=reasons)


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a table atomically; file names need not be UTF-8."""
    with atomic_path(path) as temporary:
        frame.to_csv(
            temporary,
            index=False,
            lineterminator="\n",
            encoding="utf-8",
            errors="surrogateescape",
        )


def real_sources(rows: pd.DataFrame, answers: Answers) -> list[RealSource]:
    """Return what each set of real test images is called, counts by name."""
    real = answers.known & (rows["label"] == REAL).to_numpy()
    called = pd.Series(answers.called(real), dtype=object)
    sources = rows["source"][real].astype(str).to_numpy()
    return [
        {
            "source": str(source),
            "n": len(names),
            "called": {
                str(k): int(v) for k, v in names.value_counts(sort=False).items()
            },
        }
        for source, names in called.groupby(sources)
    ]
