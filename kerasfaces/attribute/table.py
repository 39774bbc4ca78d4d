"""attribution.json -> the tables a terminal shows, in 80 columns."""

from collections.abc import Iterator

import pandas as pd

from kerasfaces.attribute.report import TITLES
from kerasfaces.core.files import Json
from kerasfaces.core.texts import plain
from kerasfaces.report.chart import shortened
from kerasfaces.report.markup import interval, number

_NAME = 22


def text(content: Json) -> str:
    """Return headlines, one line per class and one per generator left out."""
    lines = [*_head(content), "", *_classes(content)]
    if content["left_out"]:
        lines += ["", *_left_out(content)]
    lines += [f"note: {plain(note)}" for note in content["notes"]]
    return "\n".join(line.rstrip() for line in lines)


def counts(frame: pd.DataFrame) -> str:
    """Return what each source's images were called, of a table of `predictions.table`."""
    readable = frame[frame["reason"] == ""]
    lines = [
        f"{len(frame):,} images, {len(frame) - len(readable):,} of them unreadable",
        "",
        f"{'source':{_NAME}}{'images':>7}  called",
    ]
    for (source, label), part in readable.groupby(["source", "label"], sort=True):
        called = part["called"].value_counts().sort_index()
        names = ", ".join(f"{plain(name)} {count:,}" for name, count in called.items())
        lines.append(f"{_cut(f'{source} ({label})')}{len(part):>7,}  {names}")
    return "\n".join(lines)


def _head(content: Json) -> Iterator[str]:
    calls, forced = content["test"]["with_unknown"], content["test"]["forced"]
    yield f"test: {calls['n']:,} images of {len(content['classes']['names'])} classes"
    yield ""
    yield f"{'':{_NAME}}{'with unknown':>12}   {'95 % interval':18}{'forced':>6}"
    for key, title in TITLES.items():
        yield (
            f"{title:{_NAME}}{number(calls[key]['value']):>12}   "
            f"{interval(calls[key]['low'], calls[key]['high']):18}"
            f"{number(forced[key]['value']):>6}"
        )
    rejected = content["test"]["rejected"]
    yield (
        f"{'Known called unknown':{_NAME}}{number(rejected['value']):>12}   "
        f"{interval(rejected['low'], rejected['high'])}"
    )
    auroc = content["mean_auroc_unknown"]
    limits = interval(auroc["low"], auroc["high"])
    if auroc["value"] is None:
        limits = auroc["method"]
    yield f"{'AUROC of unknown':{_NAME}}{number(auroc['value']):>12}   {limits}"
    if content["left_out"]:
        yield f"unknown by: {content['open_set']['rule']} (best on validation)"


def _classes(content: Json) -> Iterator[str]:
    yield f"{'class':{_NAME}}{'images':>7}{'recall':>8}   {'95 % interval':16}{'precision':>10}"
    measured = content["test"]["with_unknown"]["classes"]
    for name, numbers in measured.items():
        recall = numbers["recall"]
        yield (
            f"{_cut(name)}{numbers['n']:>7,}{number(recall['value']):>8}   "
            f"{interval(recall['low'], recall['high']):16}"
            f"{number(numbers['precision']['value']):>10}"
        )
    for name in content["classes"]["few"]:
        counts = content["classes"]["counts"][name]
        yield f"{_cut(name)}{counts['test']:>7,}  too few images: {sum(counts.values()):,} in all"


def _left_out(content: Json) -> Iterator[str]:
    yield (
        f"{'left out':{_NAME}}{'images':>7}{'AUROC':>8}   {'95 % interval':16}"
        f"{'unknown':>10}{'real':>7}  else"
    )
    for fold in content["left_out"]:
        auroc = fold["auroc"]
        called = fold["called"]
        others = [name for name in called if name not in ("unknown", "real")]
        most = max(others, key=lambda name: called[name], default="")
        rest = f"{most} {called[most] / max(fold['n'], 1):.3f}" if most else ""
        yield (
            f"{_cut(fold['generator'])}{fold['n']:>7,}{number(auroc['value']):>8}   "
            f"{interval(auroc['low'], auroc['high']):16}"
            f"{number(fold['called_unknown']['value']):>10}"
            f"{number(fold['called_real']['value']):>7}  {plain(rest)}"
        )
    yield "  a generator left out should be called unknown; else: its commonest other name"
    rules = [*content["left_out"][0]["auroc_by_rule"]]
    yield f"{'AUROC of unknown by':{_NAME}}" + "".join(f"{rule:>10}" for rule in rules)
    for fold in content["left_out"]:
        aurocs = fold["auroc_by_rule"].values()
        values = "".join(f"{number(auroc['value']):>10}" for auroc in aurocs)
        yield f"{_cut(fold['generator'])}{values}  in use: {fold['rule']}"


def _cut(name: str) -> str:
    return f"  {shortened(name, _NAME - 3):{_NAME - 2}}"
