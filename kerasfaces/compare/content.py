"""The content of compare.json, as types."""

from typing import TypedDict

from kerasfaces.core.files import Json
from kerasfaces.metrics.difference_tests import DifferenceJson
from kerasfaces.metrics.intervals import EstimateJson


class CountsJson(TypedDict):
    """Numbers of images."""

    n: int
    n_real: int
    n_fake: int


class DetectorJson(TypedDict):
    """One detector: where it was read from, what it lacks, how well it does."""

    path: str
    threshold: str  # where its threshold comes from, in words
    point: Json | None  # its operating point
    n: int  # its own rows
    n_missing: int  # images of others that it has no row for
    n_unscored: int  # rows without a score
    n_repeated: int  # rows of an image that it has already
    examples: tuple[str, ...]  # the first few missing and unscored
    notes: list[str]
    files: dict[str, str]  # name -> sha256
    metrics: dict[str, dict[str, EstimateJson]]  # slice -> metric
    differences: dict[str, dict[str, DifferenceJson]]  # the same, minus the reference


class ComparisonJson(CountsJson):
    """Detectors on the images that all of them scored."""

    split: str
    n_known: int  # images that any detector names
    reference: str  # name of the detector that the others are compared with
    reference_rule: str
    detectors: dict[str, DetectorJson]
    slices: dict[str, CountsJson]
    notes: list[str]
    not_compared: dict[str, str]  # argument -> why
    seed: int
    resamples: int
