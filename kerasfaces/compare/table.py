"""compare.json -> the tables a terminal shows, in 80 columns."""

from collections.abc import Iterable, Iterator

from kerasfaces.compare.content import ComparisonJson, DetectorJson
from kerasfaces.core.texts import plain
from kerasfaces.evaluate import names
from kerasfaces.metrics.difference_tests import DifferenceJson
from kerasfaces.metrics.system_differences import METRICS
from kerasfaces.report.chart import shortened
from kerasfaces.report.markup import MISSING, interval, number, p_text

SHORT = {
    "auc": "AUC",
    "ap": "AP",
    "balanced_accuracy": "balanced acc.",
    "tpr_at_fpr_1pct": "TPR at 1 % FPR",
}
_NAME = 18
_CELL = 15


def text(content: ComparisonJson) -> str:
    """Return counts, metrics, differences and one block per source of compare.json."""
    lines = [*_head(content), "", *_metrics(content), "", *_differences(content)]
    for name in content["slices"]:
        if name != "all":
            lines += ["", *_slice(content, name)]
    lines += ["", *_notes(content)]
    return "\n".join(line.rstrip() for line in lines).rstrip()


def lacking(detector: DetectorJson) -> str:
    """Return what a detector lacks in words, empty when nothing."""
    counts = {
        "no row for": detector["n_missing"],
        "no score for": detector["n_unscored"],
        "repeated rows:": detector["n_repeated"],
    }
    return ", ".join(f"{text} {count:,}" for text, count in counts.items() if count)


def _head(content: ComparisonJson) -> Iterator[str]:
    yield (
        f"{content['split']}: {content['n']:,} images that all "
        f"{len(content['detectors'])} detectors scored, {content['n_real']:,} real and "
        f"{content['n_fake']:,} fake"
    )
    for name, detector in content["detectors"].items():
        lacks = lacking(detector)
        yield f"{_cut(name)}{detector['n']:>7,} rows{'; ' + lacks if lacks else ''}"
        for example in detector["examples"][:1]:
            yield f"  {'':{_NAME}}e.g. {plain(example)}"
    for argument, why in content["not_compared"].items():
        yield f"{_cut(argument)}  not compared: {plain(why)}"


def _metrics(content: ComparisonJson) -> Iterator[str]:
    yield _cells("", SHORT.values())
    for name, detector in content["detectors"].items():
        parts = [detector["metrics"]["all"][metric] for metric in METRICS]
        yield _cells(name, (number(part["value"]) for part in parts))
        yield _cells("", (interval(part["low"], part["high"]) for part in parts))
    for name, detector in content["detectors"].items():
        if detector["point"] is None:
            yield f"  {plain(name)}: {detector['threshold']}"


def _cells(name: str, cells: Iterable[str]) -> str:
    return _cut(name) + "".join(f"{cell:>{_CELL}}" for cell in cells)


def _differences(content: ComparisonJson) -> Iterator[str]:
    yield (
        f"minus {content['reference']}, on the same images   (p: two-sided; Holm: corrected "
        "for their number)"
    )
    for metric in METRICS:
        yield f"  {names.TITLES[metric]}"
        for name, detector in content["detectors"].items():
            if name != content["reference"]:
                yield _cut(name) + _difference(detector["differences"]["all"][metric])


def _difference(minus: DifferenceJson) -> str:
    if minus["value"] is None:
        return f"  {MISSING}  {minus['method']}"
    limits = minus["method"]
    if minus["low"] is not None:
        limits = f"{minus['low']:+.3f} to {minus['high']:+.3f}"
    return f"{minus['value']:+9.3f}  {limits:17}  {_p_values(minus)}"


def _p_values(minus: DifferenceJson) -> str:
    return f"p {p_text(minus['p']):>6}  Holm {p_text(minus['p_holm']):>6}"


def _slice(content: ComparisonJson, name: str) -> Iterator[str]:
    counts = content["slices"][name]
    yield (
        f"{plain(name)}: {counts['n_real']:,} real, {counts['n_fake']:,} fake; AUC, and minus "
        f"{content['reference']}"
    )
    for detector, parts in content["detectors"].items():
        auc = parts["metrics"][name]["auc"]
        line = f"  {MISSING}  {auc['method']}"
        if auc["value"] is not None:
            line = f"{number(auc['value']):>9}  {interval(auc['low'], auc['high']):16}"
            if detector != content["reference"]:
                minus = parts["differences"][name]["auc"]
                line += f"{minus['value']:+8.3f}  {_p_values(minus)}"
        yield _cut(detector) + line


def _notes(content: ComparisonJson) -> Iterator[str]:
    if content["reference_rule"] != "asked for":
        yield f"{content['reference']}: {content['reference_rule']}"
    for note in content["notes"]:
        yield f"note: {plain(note)}"
    for name, detector in content["detectors"].items():
        for note in detector["notes"]:
            yield f"note: {plain(name)}: {plain(note)}"


def _cut(name: str) -> str:
    return f"  {shortened(name, _NAME):{_NAME}}"
