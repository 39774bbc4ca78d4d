"""Cells -> numbers as `float` reads them: decimal commas become points."""

import re
from collections.abc import Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.tables.columns import lines_text

_COMMA = re.compile(r"\s*[+-]?\d*,(\d+)([eE][+-]?\d+)?\s*")


def with_points(
    cells: Sequence[str], separator: str, where: str, lines: Sequence[int]
) -> list[str]:
    """Return a column's cells, decimal commas turned into points; what is no number stays.

    In a table that is `separator`ated by commas, `1,234` could be a thousand: commas then
    count only if another cell shows that they cannot be.

    Raises:
        InputError: Points and commas in one column, or commas that could mean thousands;
            with `where` (file and column) and the cells' lines.
    """
    matches = [_COMMA.fullmatch(cell) for cell in cells]
    with_commas = [i for i, match in enumerate(matches) if match]
    if not with_commas:
        return list(cells)
    with_point = next((i for i, cell in enumerate(cells) if "." in cell), None)
    if with_point is not None:
        raise InputError(
            f"{where}: {quoted(cells[with_commas[0]])} ({lines_text([lines[with_commas[0]]])}) has a "
            f"comma and {quoted(cells[with_point])} ({lines_text([lines[with_point]])}) a point; "
            "write all numbers with points."
        )
    sure = separator == ";" or any(
        match and (len(match[1]) != 3 or match[0].lstrip(" +-")[:1] in ("0", ","))
        for match in matches
    )
    if not sure:
        raise InputError(
            f"{where}: {quoted(cells[with_commas[0]])} ({lines_text([lines[with_commas[0]]])}) could "
            "be a thousand or a decimal comma; write numbers with points."
        )
    return [
        cell.replace(",", ".") if match else cell
        for cell, match in zip(cells, matches, strict=True)
    ]
