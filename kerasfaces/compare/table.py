"""compare.json -> the tables a terminal shows, in 80 columns."""

from collections.abc import Iterator, Mapping
from typing import Any

from kerasfaces.core.texts import plain
from kerasfaces.evaluate import names
from kerasfaces.metrics.system_differences import METRICS
from kerasfaces.report.markup import MISSING, interval, number, p_text

SHORT = {
    "auc": "AUC",
    "ap": "AP",
    "balanced_accuracy": "balanced acc.",
    "tpr_at_fpr_1pct": "TPR at 1 % FPR",
}
_NAME = 18
_CELL = 15


def text(content: Mapping[str, Any]) -> str:
    """Return counts, metrics, differences and one block per source.

    Args:
        content: What compare.json holds.
    """
    lines = [*_head(content), "", *_metrics(content), "", *_differences(content)]
    for name in content["slices"]:
        if name != "all":
            lines += ["", *_slice(content, name)]
    lines += ["", *_said(content)]
    return "\n".join(line.rstrip() for line in lines).rstrip()


def lacking(found: Mapping[str, Any]) -> str:
    """Return what a detector lacks in words, empty when nothing."""
    counts = [
        (found["n_missing"], "no row for"),
        (found["n_unscored"], "no score for"),
        (found["n_repeated"], "repeated rows:"),
    ]
    return ", ".join(f"{words} {count:,}" for count, words in counts if count)


def _head(content: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{content['split']}: {content['n']:,} images that all "
        f"{len(content['detectors'])} detectors scored, {content['n_real']:,} real and "
        f"{content['n_fake']:,} fake"
    )
    for name, found in content["detectors"].items():
        lacks = lacking(found)
        yield f"{_cut(name)}{found['n']:>7,} rows{'; ' + lacks if lacks else ''}"
        if found["examples"]:
            yield f"  {'':{_NAME}}e.g. {plain(found['examples'][0])}"
    for argument, why in content["not_compared"].items():
        yield f"{_cut(argument)}  not compared: {plain(why)}"


def _metrics(content: Mapping[str, Any]) -> Iterator[str]:
    yield f"{'':{_NAME + 2}}" + "".join(f"{SHORT[m]:>{_CELL}}" for m in METRICS)
    for name, found in content["detectors"].items():
        part = found["metrics"]["all"]
        values = [number(part[metric]["value"]) for metric in METRICS]
        limits = [interval(part[m]["low"], part[m]["high"]) for m in METRICS]
        yield _cut(name) + "".join(f"{value:>{_CELL}}" for value in values)
        yield " " * (_NAME + 2) + "".join(f"{each:>{_CELL}}" for each in limits)
    for name, found in content["detectors"].items():
        if found["point"] is None:
            yield f"  {plain(name)}: {found['threshold']}"


def _differences(content: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"minus {content['reference']}, on the same images   (p: two-sided; Holm: corrected "
        "for their number)"
    )
    for metric in METRICS:
        yield f"  {names.TITLES[metric]}"
        for name, found in content["detectors"].items():
            if name != content["reference"]:
                yield _cut(name) + _difference(found["differences"]["all"][metric])


def _difference(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return f"  {MISSING}  {found['method']}"
    limits = (
        f"{found['low']:+.3f} to {found['high']:+.3f}"
        if found["low"] is not None
        else found["method"]
    )
    return (
        f"{found['value']:+9.3f}  {limits:17}  p {p_text(found['p']):>6}  "
        f"Holm {p_text(found['p_holm']):>6}"
    )


def _slice(content: Mapping[str, Any], name: str) -> Iterator[str]:
    counts = content["slices"][name]
    yield (
        f"{plain(name)}: {counts['n_real']:,} real, {counts['n_fake']:,} fake; AUC, and minus "
        f"{content['reference']}"
    )
    for detector, found in content["detectors"].items():
        auc = found["metrics"][name]["auc"]
        if auc["value"] is None:
            yield _cut(detector) + f"  {MISSING}  {auc['method']}"
            continue
        line = f"{number(auc['value']):>9}  {interval(auc['low'], auc['high']):16}"
        if detector != content["reference"]:
            minus = found["differences"][name]["auc"]
            line += f"{minus['value']:+8.3f}  p {p_text(minus['p']):>6}"
            line += f"  Holm {p_text(minus['p_holm']):>6}"
        yield _cut(detector) + line


def _said(content: Mapping[str, Any]) -> Iterator[str]:
    if content["reference_rule"] != "asked for":
        yield f"{content['reference']}: {content['reference_rule']}"
    for note in content["notes"]:
        yield f"note: {plain(note)}"
    for name, found in content["detectors"].items():
        for note in found["notes"]:
            yield f"note: {plain(name)}: {plain(note)}"


def _cut(name: str) -> str:
    shown = plain(name)
    return f"  {shown if len(shown) <= _NAME else shown[: _NAME - 1] + '…':{_NAME}}"
