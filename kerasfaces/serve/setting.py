"""A finished run's threshold and abstain band, chosen anew, with all that holds a copy."""

import dataclasses
import logging
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kerasfaces.core import folders, registry
from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.evaluate import unseen
from kerasfaces.run.folder import DetectorRun, EnsembleRun, ScoredRun, UnseenRun
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.run.thresholds import (
    ValidationPredictions,
    choose_on_own_photos,
    choose_operating_point,
)
from kerasfaces.serve.answer import Options, answer_all
from kerasfaces.serve.exported import ExportedDetector
from kerasfaces.serve.face_policy import Policy
from kerasfaces.serve.formats import PACKAGE

logger = logging.getLogger(__name__)
BROWSER = "browser"  # the page, which is no format of a network
USUAL_RATE = 0.01


def set_false_alarms(folder: Path, rate: float) -> OperatingPoint:
    """Choose a run's threshold for at most a share of false alarms on validation, and keep it.

    Raises:
        InputError: `rate` is not inside 0..1, or the run's point is not its own to choose.
    """
    run = _open(folder)
    return _keep(run, _chosen(run, rate))


def set_as_trained(folder: Path) -> OperatingPoint:
    """Choose a run's threshold again as training chose it, and keep it."""
    run = _open(folder)
    rate = run.config.get("train", {}).get("false_alarm_rate")
    return _keep(run, _chosen(run, rate))


def calibrate_on(
    folder: Path,
    photos: Sequence[Path],
    rate: float = USUAL_RATE,
    *,
    faces: Policy = "image",
    engine: str = "auto",
) -> OperatingPoint:
    """Choose a run's threshold on somebody's own real photos, and keep it.

    At most a share `rate` of the photos, e.g. of a camera that the run never saw, may be
    flagged; `faces` says what of them is judged.

    Raises:
        InputError: No photo has a logit, or as of `set_false_alarms`.
    """
    run = _open(folder)
    detector = ExportedDetector.open(folder, engine=engine)
    answers = list(answer_all(photos, detector, Options.quick(faces)))
    unread = [each for each in answers if each.verdict == "unreadable"]
    if unread:
        logger.warning(
            "%d of %d photos have no logit and do not count, e.g. %s: %s",
            len(unread),
            len(answers),
            unread[0].name,
            unread[0].reason,
        )
    logits = np.array([each.logit for each in answers if np.isfinite(each.logit)])
    validation, _ = _validation(run)
    point = choose_on_own_photos(run.operating_point, validation, logits, rate)
    needed = math.ceil(1 / rate - 1e-9)
    if len(logits) < needed:
        logger.warning(
            "%d photos are few: a share of %g %% takes at least %d to be seen at all",
            len(logits),
            100 * rate,
            needed,
        )
    return _keep(run, point)


def _open(folder: Path) -> ScoredRun:
    run = ScoredRun.open(folder)
    if isinstance(run, EnsembleRun):
        raise InputError(
            f"{folder} is an ensemble; set its members, and join those again."
        )
    return run


def _validation(run: ScoredRun) -> tuple[ValidationPredictions, str]:
    """Return what a run's threshold is chosen on, and what its rule says of that.

    Of the protocol `unseen` that are logits of heads that had not seen the fakes: those of
    the detector itself would promise too much.
    """
    is_unseen = bool(run.unseen) or (run.path / UnseenRun.IDENTITY).is_file()
    if not is_unseen:
        return ValidationPredictions(run.predictions("val")), ""
    if not run.unseen_validation:
        raise InputError(
            f"{run.path} was trained for unseen families by an earlier version, and what its "
            "threshold was chosen on is not there; train it again, with "
            "`false_alarm_rate=RATE` where you want another."
        )
    return unseen.validation_of(run.unseen_validation, str(run.path)), unseen.RULE


def _chosen(run: ScoredRun, rate: float | None) -> OperatingPoint:
    validation, words = _validation(run)
    point = choose_operating_point(validation, rate)
    return dataclasses.replace(point, rule=point.rule + words)


def _keep(run: ScoredRun, point: OperatingPoint) -> OperatingPoint:
    """Write a point into the run and into its exports."""
    with folders.lock(run.path):
        run.write_operating_point(point)
    exports = run.path / "exports"
    for kind in (*registry.names(PACKAGE), BROWSER):
        if not (exports / kind / "export.json").is_file():
            continue
        try:
            _export_again(run.path, kind)
        except (KerasfacesError, OSError) as error:  # such as a full disk
            logger.warning(
                "%s keeps the earlier threshold, and predict uses the run's own: %s",
                exports / kind,
                error,
            )
    return DetectorRun.open(run.path).operating_point


def _export_again(folder: Path, kind: str) -> None:
    """Write one of a run's exports anew; nothing is fetched for it."""
    from kerasfaces.serve import browser, export

    if kind != BROWSER:
        export.export(folder, kind)
    elif browser.runtimes.is_cached():
        browser.write_page(folder)
    else:
        raise InputError(
            f"{browser.runtimes.PACKAGE} is not in the cache; write the page again with "
            f"kerasfaces export {folder} --format browser."
        )
