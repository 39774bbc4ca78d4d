"""crossgen.json -> the tables a terminal shows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kerasfaces.core.texts import plain
from kerasfaces.report.markup import interval, number, p_text

_NAME, _CELL = 24, 16


def text(content: Mapping[str, Any]) -> str:
    """Return the AUC of every cell, the worst one, and the comparisons.

    Args:
        content: Of crossgen.json.
    """
    cells = content["cells"]
    spread = "± sd over seeds" if len(content["seeds"]) > 1 else "[95 % interval]"
    seeds = (
        f", mean of {len(content['seeds'])} seeds" if len(content["seeds"]) > 1 else ""
    )
    lines = [f"AUC{seeds}, {spread}; trained on (row), tested on (column)", ""]
    lines += _matrix(cells)
    if content["worst"]:
        lines += ["", _worst(content["worst"])]
    if content["compared"]:
        lines += ["", *_compared(content["compared"])]
    lines += ["", content["balance"]]
    lines += [f"failed: {name}: {why}" for name, why in content["failed"].items()]
    return "\n".join(lines)


def _matrix(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    columns = list(dict.fromkeys(cell["test"] for cell in cells))
    rows: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for cell in cells:
        left_out = cell["table"] == "leave_one_out"
        name = "all but the tested" if left_out else cell["train"]
        rows.setdefault((cell["table"], name), {})[cell["test"]] = cell
    yield _line("", columns)
    for (_, name), found in rows.items():
        shown = [_cell(found.get(column)) for column in columns]
        if all(each["status"] != "run" for each in found.values()):
            shown = [next(iter(found.values()))["status"]]
            yield f"{_cut(name, _NAME):<{_NAME}} {shown[0]}"
        else:
            yield _line(name, shown)


def _line(name: str, cells: Sequence[str]) -> str:
    shown = " ".join(f"{_cut(cell, _CELL):<{_CELL}}" for cell in cells)
    return f"{_cut(name, _NAME):<{_NAME}} {shown}".rstrip()


def _cell(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return ""
    if cell["status"] != "run":
        return str(cell["status"].partition(":")[0])
    auc = cell["metrics"]["auc"]
    if auc["sd"] is not None:
        return f"{number(auc['value'])} ± {number(auc['sd'])}"
    low, high = number(auc["low"], 2), number(auc["high"], 2)
    return f"{number(auc['value'])} [{low.lstrip('0')},{high.lstrip('0')}]"


def _worst(cell: Mapping[str, Any]) -> str:
    auc = cell["metrics"]["auc"]
    return (
        f"worst cell: trained on {plain(cell['train'])}, tested on {plain(cell['test'])}: "
        f"AUC {number(auc['value'])} ({interval(auc['low'], auc['high'])})"
    )


def _compared(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "AUC of training on all minus training on ..., on the same test images"
    yield f"{'':{_NAME}} {'tested on':<24} difference  95 % interval       p (Holm)"
    for each in found:
        yield (
            f"{_cut(each['other'], _NAME):<{_NAME}} {each['on']:<24} "
            f"{each['value']:+10.3f}  {interval(each['low'], each['high']):<17}  "
            f"{p_text(each['p_holm']):>6}  {each['verdict']}"
        )


def _cut(value: str, room: int) -> str:
    shown = plain(value)
    return shown if len(shown) <= room else shown[: room - 1] + "…"
