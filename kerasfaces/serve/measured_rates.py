"""Answers to a run's own test images, counted: the error rates of the rule that gave them."""

import csv
import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.progress import progress
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import error_rates
from kerasfaces.serve.answer import Options, answer_groups
from kerasfaces.serve.answers_file import AnswersFile
from kerasfaces.serve.background import Background
from kerasfaces.serve.contract import Detecting
from kerasfaces.serve.face_policy import Finder


def measure(
    folder: Path,
    detector: Detecting,
    options: Options,
    find_faces: Finder | None = None,
) -> Json:
    """Answer a run's test images by a rule, keep in the run how often it errs; see `known`.

    Killed and called again, it continues; measured before, it is read.

    Raises:
        InputError: The test images are not on this machine, or none of a class has a
            verdict.
    """
    run = DetectorRun.open(folder)
    options = dataclasses.replace(
        options, provenance=False, find_faces=options.faces != "image"
    )
    earlier = error_rates.known(run, detector, options)
    if earlier["measured"]:
        return earlier
    manifest = run.manifest
    chosen = (manifest.rows["split"] == error_rates.SPLIT).to_numpy()
    files = list(itertools.compress(manifest.files(), chosen))
    labels = list(manifest.rows["label"][chosen])
    missing = sum(not file.exists() for file in files)
    if missing or not files:
        raise InputError(
            f"{folder}: {missing} of its {len(files)} test images are not on this machine; "
            "the error rates can only be measured where they are."
        )
    rule = error_rates.rule_of(detector, options)
    verdicts = _verdicts(run, rule, files, detector, options, find_faces)
    error_rates.remember(
        run, rule, error_rates.rates(verdicts, labels, error_rates.in_words(options))
    )
    return error_rates.known(run, detector, options)


def _verdicts(
    run: DetectorRun,
    rule: Json,
    files: Sequence[Path],
    detector: Detecting,
    options: Options,
    find_faces: Finder | None,
) -> list[str]:
    table = run.answers_file(configs.digest(rule)[:12])
    limits = Background(limits=getattr(detector, "limits", None))
    with (
        AnswersFile.open(table, rule, files) as written,
        progress(len(files), "answering test images") as advance,
    ):
        advance(written.n_done)
        groups = answer_groups(
            files[written.n_done :],
            detector,
            options,
            background=limits,
            find_faces=find_faces,
        )
        for group in groups:
            written.write(group)
            advance(len(group))
    with table.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return [row["verdict"] for row in csv.DictReader(file)]
