"""launder.json -> the tables a terminal shows."""

from collections.abc import Iterator, Sequence

from kerasfaces.core.files import Json
from kerasfaces.core.texts import plain
from kerasfaces.launder import page
from kerasfaces.launder.heatmap import name_of
from kerasfaces.report.chart import shortened
from kerasfaces.report.markup import MISSING, interval, number

_NAME, _CELL, _WIDE = 17, 12, 25


def text(content: Json) -> str:
    """Return the AUC of every cell, the strongest launderings in detail, the worst cell."""
    images = content["images"]
    lines = [
        f"AUC after laundering; {images['n_real']:,} real and {images['n_fake']:,} fake images "
        f"of {content['settings']['split']}, {images['n_unreadable']:,} unreadable",
        "",
        *_matrix(content["cells"]),
        "",
        "each laundering at its strongest, all generators [95 % interval]",
        "",
        *_strongest(page.strongest(content)),
        "",
        "bias index: shift of the reals' logits minus that of the fakes', in standard deviations; "
        "0: both move alike",
        "",
    ]
    lines += [f"note: {plain(warning)}" for warning in content["warnings"]]
    lines.append(plain(page.headline(content)))
    return "\n".join(lines)


def _matrix(cells: Sequence[Json]) -> Iterator[str]:
    columns = list(dict.fromkeys(cell["generator"] for cell in cells))
    rows: dict[str, dict[str, Json]] = {}
    for cell in cells:
        rows.setdefault(name_of(cell), {})[cell["generator"]] = cell
    yield _line("", columns)
    for name, row in rows.items():
        yield _line(name, [_auc(row.get(column)) for column in columns])


def _line(name: str, cells: Sequence[str], width: int = _CELL) -> str:
    shown = " ".join(f"{shortened(cell, width):<{width}}" for cell in cells)
    return f"{shortened(name, _NAME):<{_NAME}} {shown}".rstrip()


def _auc(cell: Json | None) -> str:
    if cell is None:
        return ""
    if cell["status"] != "run":
        return str(cell["status"].partition(":")[0])
    return number(cell["metrics"]["auc"]["value"])


def _strongest(cells: Sequence[Json]) -> Iterator[str]:
    names = {
        "auc": "AUC",
        "balanced_accuracy": "balanced accuracy",
        "tpr_at_fpr_1pct": "TPR at 1 %",
        "false_alarms_at_fpr_1pct": "false alarms there",
        "bias_index": "bias index",
    }
    yield _line("", list(names.values()), _WIDE)
    for cell in cells:
        shown = [_estimate(cell["metrics"].get(name)) for name in names]
        yield _line(name_of(cell), shown, _WIDE)


def _estimate(metric: Json | None) -> str:
    if metric is None or metric["value"] is None:
        return MISSING
    return f"{number(metric['value'])} [{interval(metric['low'], metric['high'])}]"
