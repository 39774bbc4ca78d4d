"""metrics.json -> the table a terminal shows, in 80 columns."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from kerasfaces.core.files import Json
from kerasfaces.core.texts import plain
from kerasfaces.evaluate import attribute_words, group_errors, names
from kerasfaces.metrics import NAMES
from kerasfaces.report.chart import shortened
from kerasfaces.report.markup import MISSING, interval, number

_GROUP_WIDTH = 23


def text(metrics: Json, split: str = "test", by: Sequence[str] | None = None) -> str:
    """Return headlines, the other metrics and one table per column of `by` (default: all)."""
    whole = metrics["metrics"][split]["all"]
    note = _note(split, whole, metrics.get("seen"))
    counts = _counts(split, whole, names.unreadable(metrics))
    lines = [counts + note, "", *_metrics(whole)]
    groups = metrics.get("groups", {}).get(split, {})
    drawn = metrics.get("samples_per_group", {}).get(split, {})
    attributes = metrics.get("attributes", {}).get(split, {})
    for column in groups if by is None else by:
        if groups.get(column):
            lines += ["", *_groups(column, groups[column], metrics["metrics"][split])]
        if drawn.get(column):
            lines += ["", *_drawn(column, drawn[column])]
        if by is not None and column in attributes:
            lines += ["", *_attribute(column, attributes[column])]
    return "\n".join(lines)


def _counts(split: str, whole: Json, unreadable: str) -> str:
    return (
        f"{split}: {whole['n']:,} images, {whole['n_real']:,} real and {whole['n_fake']:,} "
        f"fake, {whole['n_unreadable']:,} {unreadable}"
    )


def _note(split: str, whole: Json, seen: int | None) -> str:
    """Say what the numbers are not; `seen` is None for a run's own splits."""
    note = ""
    if seen:
        note = f"\nnot a result: the run was made with {seen:,} of these images"
    elif seen is None and split != "test":
        note = "\nnot a result: the run was made with these images"
    if "n_seeds" in whole:
        note += f"\nmean of {whole['n_seeds']} seeds"
    return note


def _metrics(whole: Json) -> Iterator[str]:
    repeated = "n_seeds" in whole
    yield f"{'':26}{'value':>7}   {'sd over seeds' if repeated else '95 % interval'}"
    rest = [name for name in NAMES if name not in names.HEADLINES]
    for name in (*names.HEADLINES, *rest):
        part = whole[name]
        if repeated:
            spread = number(part["sd"])
        else:
            spread = interval(part["low"], part["high"])
        if part["value"] is None:
            spread = part["method"]
        yield f"{names.TITLES[name]:26}{number(part['value']):>7}   {spread}".rstrip()
        if name == names.HEADLINES[-1]:
            yield ""


def _groups(column: str, groups: Sequence[Json], parts: Json) -> Iterator[str]:
    title = f"by {names.group_name(column)}"
    yield (
        f"{title:{_GROUP_WIDTH}}{'real':>7}{'fake':>7}{'accuracy':>10}   "
        f"{'95 % interval':16}{'AUC':>6}  others"
    ).rstrip()
    for group in groups:
        part = parts[f"{column}={group['value']}"]
        accuracy = part["accuracy"]
        limits = interval(accuracy["low"], accuracy["high"])
        yield (
            f"{_cut(group['value']):{_GROUP_WIDTH}}{part['n_real']:>7,}{part['n_fake']:>7,}"
            f"{number(accuracy['value']):>10}   {limits:16}"
            f"{number(part['auc']['value']):>6}  {_verdict(group)}"
        ).rstrip()
    if any(_verdict(group) == "~" for group in groups):
        yield "  ~: not distinguishable from the others at this n"


def _attribute(column: str, content: Json) -> Iterator[str]:
    """Yield errors by group, and the sentences that may be quoted."""
    title = f"by {attribute_words.title(column)}"
    if content["groups"]:
        yield (
            f"{title:{_GROUP_WIDTH}}{'real':>7}{'called fake':>21}{'fake':>7}"
            f"{'called real':>21}"
        )
    for value, group in content["groups"].items():
        line = _cut(value).ljust(_GROUP_WIDTH)
        for key, label in group_errors.RATES.items():
            part = group[key]
            limits = interval(part["low"], part["high"], 2)
            line += f"{group[f'n_{label}']:>7,}{number(part['value']):>7} {limits:>13}"
        yield line
    sentences = attribute_words.quotes(column, content)
    for text in (*sentences, *attribute_words.notes(column, content)):
        yield from textwrap.wrap(
            plain(text), 80, initial_indent="- ", subsequent_indent="  "
        )


def _drawn(column: str, drawn: Mapping[str, Json]) -> Iterator[str]:
    title = f"{names.group_name(column)}, drawn"
    yield f"{title:{_GROUP_WIDTH}}{'n':>7}{'real':>7}{'accuracy':>10}   95 % interval"
    for value, part in drawn.items():
        accuracy = part["accuracy"]
        yield (
            f"{_cut(value):{_GROUP_WIDTH}}{part['n']:>7,}{part['n_real']:>7,}"
            f"{number(accuracy['value']):>10}   {interval(accuracy['low'], accuracy['high'])}"
        )


def _verdict(group: Json) -> str:
    if not group["on"]:
        return MISSING
    if not group["distinguishable"]:
        return "~"
    return "better" if group["difference"] > 0 else "worse"


def _cut(value: str) -> str:
    return f"  {shortened(value, _GROUP_WIDTH - 3)}"
