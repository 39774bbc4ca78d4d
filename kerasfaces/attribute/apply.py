"""A finished attribution on other images: which generator made each."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.attribute import features, predictions
from kerasfaces.attribute.head import Head
from kerasfaces.attribute.heads import Answers
from kerasfaces.attribute.openset import OpenSet
from kerasfaces.core import config as configs
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.evaluate import seen_images
from kerasfaces.run.folder import AttributionRun, Run

logger = logging.getLogger(__name__)


def apply(
    folder: Path, manifest_path: Path | None, root: Path | None = None
) -> tuple[Path, pd.DataFrame]:
    """Attribute a manifest's images with the head and the rejection as they are.

    Writes `FOLDER/applied/<manifest digest>/attribution.csv`.

    Args:
        folder: A finished attribution.
        manifest_path: The images; splits do not matter.
        root: What its relative paths are relative to.

    Returns:
        The table's path and the table, one row per manifest row (see `predictions.table`).

    Raises:
        InputError: No manifest.
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
    source = Run(detector)  # whose config is {} where it is gone
    if configs.digest(source.config) != run.config.get("detector"):
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
    inputs = np.zeros((0, len(head.mean)), dtype=np.float32)
    logits, distances = head(images.read() if images.readable.any() else inputs)
    none = np.zeros(len(logits), dtype=bool)
    scores = {point.rule: point.score(logits, distances)}
    points = {point.rule: point}
    answers = Answers((), head.names, logits, scores, points, point.rule, none, none)
    frame = predictions.table(images.rows, images.reasons, answers)
    target = run.applied_file(manifest.digest())
    with folders.lock(target.parent, "attribution"):
        predictions.write(frame, target)
    return target, frame
