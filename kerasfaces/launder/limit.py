"""launder.json and a limit -> which cells fall below it, for a team's own tests."""

from collections.abc import Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.launder.cells import NO_VERDICT
from kerasfaces.launder.heatmap import name_of
from kerasfaces.report.markup import interval, number


def check(limit: float) -> None:
    """Refuse what is no AUC.

    Raises:
        InputError: The limit is outside 0..1.
    """
    if not 0 < limit <= 1:
        raise InputError(f"fail_under is {limit:g}; expected an AUC above 0, up to 1.")


def below(content: Json, limit: float) -> list[Json]:
    """Return the cells whose AUC is below the limit, the lowest first.

    A cell that could not be measured counts as below: what was not tested has not passed. One
    whose pictures the detector refuses to judge, as they are too small, does not.
    """
    failed = [
        each
        for each in content["cells"]
        if _auc(each) < limit and not each["status"].startswith(NO_VERDICT)
    ]
    return sorted(failed, key=_auc)


def n_refused(content: Json) -> int:
    """Return how many cells hold only pictures that the detector refuses to judge."""
    return sum(each["status"].startswith(NO_VERDICT) for each in content["cells"])


def sentence(cells: Sequence[Json], n_cells: int, limit: float) -> str:
    """Return how many cells failed, and the worst of them."""
    unmeasured = [each for each in cells if each["status"] != "run"]
    failed = [each for each in cells if each["status"] == "run"]
    text = f"below {limit:g}: {len(cells):,} of {n_cells:,} cells"
    if failed:
        first = failed[0]
        auc = first["metrics"]["auc"]
        text += (
            f"; worst: {first['generator']}, {name_of(first)}: AUC {number(auc['value'])} "
            f"({interval(auc['low'], auc['high'])})"
        )
    if unmeasured:
        first = unmeasured[0]
        text += (
            f"; {len(unmeasured):,} could not be measured, first {first['generator']}, "
            f"{name_of(first)}: {first['status']}"
        )
    return text


def _auc(cell: Json) -> float:
    value = cell["metrics"]["auc"]["value"] if cell["status"] == "run" else None
    return -1.0 if value is None else float(value)
