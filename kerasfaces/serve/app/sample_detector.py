"""The detector that the app has without a run: trained on the built-in sample.

Shipped is its head alone; the base is the one of this package. The run is put together in
the cache when it is asked for first, by Keras, and is a run folder like any other.
"""

from pathlib import Path

from kerasfaces.core import arrays, folders, homes
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, read_json, sha256, write_json
from kerasfaces.core.imports import import_keras
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.sample import NOTE
from kerasfaces.serve import error_rates

FILE = Path(__file__).parent / "weights" / "sample_head.npz"
WORTH = (
    "No run was given, so this is the detector of the built-in sample: it has seen drawn "
    "faces and simulated cameras only. It shows how the app works; its verdicts on real photos "
    "are worth nothing. Even of the sample's own test pictures it calls most unsure, by their "
    "score or because laundering turns the verdict: the error rates say how many. Train one "
    "on photos (kerasfaces train --manifest M), then: kerasfaces "
    "app RUN."
)
# of the run, as they are
_COPIED = ("config", "input_spec", "environment", "audit", "metrics")


def folder() -> Path:
    """Return the run folder, put together by Keras if it is not there yet."""
    about = read_json(FILE.with_suffix(".json"))
    digest = sha256(FILE)
    if digest != about["sha256"]:
        raise InputError(f"{FILE}: SHA-256 is {digest}; install kerasfaces again.")
    version = sha256(FILE.with_suffix(".json"))[:12]
    run = DetectorRun(homes.cache_root() / "sample-detector" / version / "sample")
    with folders.lock(run.path.parent, "detector of the sample", wait=True):
        if not run.point_file.is_file():  # the last one
            _build(run, about)
    return run.path


def _build(run: DetectorRun, about: Json) -> None:
    for name in _COPIED:
        setattr(run, name, about[name])
    run.published = {"trained_on": about["trained_on"]}
    run.write_model(_network(run))
    point = OperatingPoint.from_json(about["operating_point"], str(FILE))
    run.error_rates = _rates(run, about.get("error_rates", []))
    run.write_operating_point(point)


def _rates(run: DetectorRun, shipped: list[Json]) -> Json:
    """Return error_rates.json: the network's file is another than the one that was measured."""
    network = {"network": sha256(run.model_file)[: error_rates.VERSION_DIGITS]}
    parts = [each | {"rule_parts": each["rule_parts"] | network} for each in shipped]
    return {configs.digest(each["rule_parts"]): each for each in parts}


def _network(run: DetectorRun):  # type: ignore[no-untyped-def]  # keras.Model
    import importlib.util

    if importlib.util.find_spec("keras") is None:
        raise InputError(
            "The sample's detector is put together by Keras, which is not installed: give a "
            "run with an export, or pip install keras tensorflow."
        )
    import_keras()
    from kerasfaces.models import catalogue
    from kerasfaces.models.config import ModelConfig

    model = configs.from_dict(ModelConfig, run.config["train"]["model"], str(FILE))
    architecture = catalogue.load(model.name)
    network = architecture.build(model, architecture.find_weights("forensic", model), 0)
    head = arrays.read(FILE, "install kerasfaces again")
    network.get_layer("head").set_weights([head[f"{n:02d}"] for n in range(len(head))])
    return network


def ship(source: Path, target: Path = FILE) -> None:
    """Write what is shipped of a run that `kerasfaces train` made of the sample: `.npz`, `.json`.

    How often predict's rule errs, with and without launderings, is measured on the run's
    test images.
    """
    from kerasfaces.serve import measured_rates
    from kerasfaces.serve.answer import Options
    from kerasfaces.serve.exported import ExportedDetector
    from kerasfaces.serve.publish.card import METRICS

    run, detector = DetectorRun.open(source), ExportedDetector.open(source)
    for stability in (True, False):
        measured_rates.measure(source, detector, Options(stability=stability))
    import_keras()
    head = run.network.load().get_layer("head")
    weights = head.get_weights()
    arrays.write(target, {f"{n:02d}": array for n, array in enumerate(weights)})
    shown = {  # what the model card shows
        name: {k: v for k, v in part.items() if k[:2] in ("n", "n_") or k in METRICS}
        for name, part in run.metrics["metrics"]["test"].items()
        if name == "all" or name.startswith("source=")
    }
    copied = {name: getattr(run, name) for name in _COPIED}
    copied["environment"] = {"packages": run.environment["packages"]}
    copied["metrics"] = {"metrics": {"test": shown}, "warnings": [NOTE]}
    write_json(
        target.with_suffix(".json"),
        {
            "file": target.name,
            "sha256": sha256(target),
            "licence": "Apache-2.0",
            "saw": "the built-in sample of `kerasfaces train` without arguments",
            "trained_on": run.image_counts(),
            **copied,
            "operating_point": run.operating_point.to_json(),
            "error_rates": list(run.error_rates.values()),
        },
    )
