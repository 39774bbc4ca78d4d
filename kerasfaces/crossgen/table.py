"""crossgen.json -> the tables a terminal shows."""

from collections.abc import Iterator, Sequence

from kerasfaces.core.files import Json
from kerasfaces.core.texts import plain
from kerasfaces.crossgen.plan import MATRIX
from kerasfaces.report.chart import shortened
from kerasfaces.report.markup import interval, number, p_text

_NAME, _CELL = 24, 16


def text(content: Json) -> str:
    """Return the AUC of every cell, the worst one, and the comparisons."""
    n = len(content["seeds"])
    shown = f", mean of {n} seeds, ± sd over seeds" if n > 1 else ", [95 % interval]"
    lines = [f"AUC{shown}; trained on (row), tested on (column)", ""]
    lines += _matrix(content["cells"])
    if content["worst"]:
        lines += ["", _worst(content["worst"])]
    if all(cell["table"] == MATRIX for cell in content["cells"]):
        lines += [
            "",
            "A generator it has never seen: this needs at least two generators.",
        ]
    if content["compared"]:
        lines += ["", *_compared(content["compared"])]
    lines += ["", content["balance"]]
    lines += [f"failed: {name}: {why}" for name, why in content["failed"].items()]
    return "\n".join(lines)


def _matrix(cells: Sequence[Json]) -> Iterator[str]:
    columns = list(dict.fromkeys(cell["test"] for cell in cells))
    rows: dict[tuple[str, str], dict[str, Json]] = {}
    for cell in cells:
        left_out = cell["table"] == "leave_one_out"
        name = "all but the tested" if left_out else cell["train"]
        rows.setdefault((cell["table"], name), {})[cell["test"]] = cell
    yield _line("", columns)
    for (_, name), row in rows.items():
        status = next(iter(row.values()))["status"]
        if all(each["status"] != "run" for each in row.values()):
            yield f"{shortened(name, _NAME):<{_NAME}} {status}"
        else:
            yield _line(name, [_cell(row.get(column)) for column in columns])


def _line(name: str, cells: Sequence[str]) -> str:
    shown = " ".join(f"{shortened(cell, _CELL):<{_CELL}}" for cell in cells)
    return f"{shortened(name, _NAME):<{_NAME}} {shown}".rstrip()


def _cell(cell: Json | None) -> str:
    if cell is None:
        return ""
    if cell["status"] != "run":
        return str(cell["status"].partition(":")[0])
    auc = cell["metrics"]["auc"]
    if auc["sd"] is not None:
        return f"{number(auc['value'])} ± {number(auc['sd'])}"
    low, high = number(auc["low"], 2), number(auc["high"], 2)
    return f"{number(auc['value'])} [{low.lstrip('0')},{high.lstrip('0')}]"


def _worst(cell: Json) -> str:
    auc = cell["metrics"]["auc"]
    return (
        f"worst cell: trained on {plain(cell['train'])}, tested on {plain(cell['test'])}: "
        f"AUC {number(auc['value'])} ({interval(auc['low'], auc['high'])})"
    )


def _compared(lines: Sequence[Json]) -> Iterator[str]:
    yield "AUC of training on all minus training on ..., on the same test images"
    yield f"{'':{_NAME}} {'tested on':<24} difference  95 % interval       p (Holm)"
    for each in lines:
        yield (
            f"{shortened(each['other'], _NAME):<{_NAME}} {each['on']:<24} "
            f"{each['value']:+10.3f}  {interval(each['low'], each['high']):<17}  "
            f"{p_text(each['p_holm']):>6}  {each['verdict']}"
        )
