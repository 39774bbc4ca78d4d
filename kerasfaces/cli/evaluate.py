"""`kerasfaces evaluate`: measure a finished run again, or on other images."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasfaces import cli
from kerasfaces.core.errors import InputError

if TYPE_CHECKING:
    from kerasfaces.core.files import Json
    from kerasfaces.run.operating_point import OperatingPoint
    from kerasfaces.serve.measured_export import Difference

DECISIONS = 12  # right ones, and as many wrong ones
EXPORTS = ("export", "onnxruntime", "openvino")


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, measure, print the table and the report's path."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.samples_per_group is not None and options.samples_per_group < 1:
        parser.error("--samples-per-group must be at least 1")
    if options.store and not options.manifest:
        parser.error("--store goes with --manifest")
    if options.explain and (options.manifest or options.engine in EXPORTS):
        parser.error("--explain goes with the run's own split, without --manifest")
    if options.store and options.engine in EXPORTS:
        parser.error("an export takes pixels: leave --store out")
    _set(options, parser)
    if options.error_rates:
        return _error_rates(options)
    by = [name for name in options.by.split(",") if name] if options.by else None
    from kerasfaces.evaluate import other_images, run, table
    from kerasfaces.run.folder import ScoredRun

    asked = {"by": by, "samples_per_group": options.samples_per_group}
    difference = None
    if options.engine in EXPORTS:
        target, metrics, difference = _export(options, asked)
    elif options.manifest:
        target, metrics = other_images.evaluate_manifest(
            options.run,
            options.manifest,
            options.split,
            store=options.store,
            root=options.root,
            **asked,
        )
    else:
        if options.explain:
            _explain(options)
        target, metrics = options.run, run.evaluate_run(options.run, **asked)
    if options.split not in metrics["metrics"]:
        known = ", ".join(metrics["metrics"])
        raise InputError(
            f"{options.run} has no predictions of {options.split}; it has: {known}."
        )
    print(table.text(metrics, options.split, by))
    if difference:
        print(f"\n{difference.sentence()}")
    print(f"\nreport: {ScoredRun(target).report}")
    return 0


def _export(
    options: argparse.Namespace, asked: dict[str, Any]
) -> "tuple[Path, Json, Difference]":
    """Measure the run's export."""
    from kerasfaces import manifest as manifests
    from kerasfaces.serve.measured_export import evaluate_export

    images, name = None, ""
    if options.manifest:
        images = manifests.read(options.manifest, options.root)
        name = options.manifest.name
    return evaluate_export(
        options.run, images, options.split, name=name, engine=_engine(options), **asked
    )


def _engine(options: argparse.Namespace) -> str:
    return "auto" if options.engine == "export" else str(options.engine)


def _band(point: "OperatingPoint") -> str:
    """Return the scores that are `unsure`, or why there are none."""
    low, high = point.abstain
    if low < high:
        return f"scores {low:.4f} to {high:.4f}"
    if not point.false_alarm_rate and not point.miss_rate:
        return "never, since validation has no error at this threshold"
    return (
        "never, since no band that leaves half of the validation images an answer halves "
        "their errors"
    )


def _set(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Choose the threshold anew where an option asks for it."""
    chooses = options.max_false_alarms is not None or options.calibrate_on
    if not chooses and not options.reset_threshold:
        return
    if options.manifest:
        parser.error(
            "--manifest measures; --max-false-alarms, --calibrate-on and --reset-threshold "
            "choose"
        )
    if chooses and options.reset_threshold:
        parser.error(
            "--reset-threshold goes without --max-false-alarms and --calibrate-on"
        )
    from kerasfaces.run.folder import ScoredRun
    from kerasfaces.serve import predict, setting

    before = ScoredRun(options.run).operating_point.threshold
    rate = options.max_false_alarms
    if options.calibrate_on:
        point = setting.calibrate_on(
            options.run,
            predict.files_of([str(options.calibrate_on)]),
            setting.USUAL_RATE if rate is None else rate,
            faces=options.faces,
            engine=_engine(options),
        )
    elif options.reset_threshold:
        point = setting.set_as_trained(options.run)
    else:
        point = setting.set_false_alarms(options.run, rate)
    print(f"threshold: score {point.threshold:.4f} ({point.rule})")
    print(f"before: score {before:.4f}")
    print(f"unsure: {_band(point)}")
    if point.own_photos:
        own = point.own_photos
        print(
            f"of the user's own photos: {own['flagged']} of {own['n']} flagged (95 % "
            f"{100 * own['low']:.1f} to {100 * own['high']:.1f} %)"
        )
    print()


def _explain(options: argparse.Namespace) -> None:
    """Have 12 right and 12 wrong decisions explained, which the report then shows."""
    from kerasfaces.explain import selection
    from kerasfaces.explain.contract import Settings
    from kerasfaces.explain.run import explain
    from kerasfaces.run.folder import DetectorRun

    folder = DetectorRun.open(options.run).decisions_folder(options.explain)
    chosen = selection.of_decisions(options.run, options.split, DECISIONS)
    explain(options.run, chosen, folder, Settings(method=options.explain))


def _error_rates(options: argparse.Namespace) -> int:
    """Measure and print the error rates of predict's rule."""
    from kerasfaces.serve import measured_rates
    from kerasfaces.serve.answer import Options
    from kerasfaces.serve.exported import ExportedDetector

    rule = Options(faces=options.faces, stability=options.stability)
    detector = ExportedDetector.open(options.run, engine=_engine(options))
    print(measured_rates.measure(options.run, detector, rule)["sentence"])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "evaluate",
        "Measure a run's predictions: metrics with 95 % intervals, tables by source and "
        "attribute, and report.html. Thresholds stay as training froze them, unless an option\n"
        "chooses them anew.",
        [
            "kerasfaces evaluate runs/mobilenetv2-1a2b3c",
            "kerasfaces evaluate RUN --by attr_gender,source",
            "kerasfaces evaluate RUN --samples-per-group 200",
            "kerasfaces evaluate RUN --explain",
            "kerasfaces evaluate RUN --manifest other/manifest.csv",
            "kerasfaces evaluate RUN --max-false-alarms 0.01",
            "kerasfaces evaluate RUN --calibrate-on my_photos",
            "kerasfaces evaluate RUN --reset-threshold",
            "kerasfaces evaluate RUN --error-rates",
            "kerasfaces evaluate RUN --manifest other.csv --store other_channels",
            "kerasfaces evaluate RUN --engine export",
        ],
    )
    add = cli.Options(parser)
    add("run", type=Path, metavar="RUN", help="run folder made by train")
    text = "predict and measure these images instead; written to RUN/evaluations/"
    add.path("--manifest", text, "M")
    text = "with --manifest: what its relative paths are relative to"
    add.path("--root", text, "DIR")
    text = (
        "with --manifest: a channel store of these images (default: a run on channels "
        "has them computed from the files)"
    )
    add.path("--store", text, "S")
    _add_measurement(parser)
    _add_rules(parser)
    return parser


def _add_measurement(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is measured, shown and explained."""
    add = cli.Options(parser)
    splits = ("train", "val", "test")
    add.choice("--split", "test", splits, "default: test")
    add("--by", metavar="COLUMNS", help="show only these, e.g. source,attr_gender")
    text = "also draw N images per group at random (kabber2023: 200)"
    add.number("--samples-per-group", None, text)
    text = (
        "what computes; export, or an engine by name: measure the run's export on these "
        "images, beside what training measured"
    )
    add.choice("--engine", "auto", ("auto", *EXPORTS, "keras"), text)
    text = (
        f"show {DECISIONS} right and {DECISIONS} wrong decisions with maps in the report, "
        "by a method of `kerasfaces explain --list` that draws maps (default: gradcam); with "
        "the default model some 5 to 15 s per image on two cores"
    )
    add("--explain", nargs="?", const="gradcam", metavar="METHOD", help=text)


def _add_rules(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a threshold, and those that measure predict's rule."""
    title = "the threshold, chosen anew; exports follow, and so does everything that reads the run"
    add = cli.Options(parser.add_argument_group(title))
    text = "flag at most this share of validation's real images, e.g. 0.01"
    add.number("--max-false-alarms", None, text, "SHARE", kind=float)
    text = (
        "flag at most that share (default 0.01) of your own real photos in DIR, e.g. of a "
        "camera that the run never saw"
    )
    add.path("--calibrate-on", text, "DIR")
    text = "back to the threshold and unsure band that training chose"
    add.flag("--reset-threshold", text)
    title = "how often predict's verdicts are wrong"
    add = cli.Options(parser.add_argument_group(title))
    add.flag(
        "--error-rates",
        "measure it on the run's test images, by the rule that predict applies; predict "
        "says it with every verdict",
    )
    add.choice(
        "--faces", "image", ("image", "largest", "each"), "the rule: see predict"
    )
    add.no("stability", "the rule: see predict")
