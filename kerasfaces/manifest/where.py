"""`column=a,b` conditions: a part of the rows."""

from collections.abc import Iterable

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted
from kerasfaces.manifest.table import Manifest


def select(manifest: Manifest, conditions: Iterable[str]) -> Manifest:
    """Return the rows that meet every condition.

    Args:
        manifest: Any manifest.
        conditions: Texts such as `source=ffhq,stylegan` (either value) or `split!=test`;
            an empty value means an empty cell.

    Raises:
        InputError: A condition is malformed, names no column, or leaves no row.
    """
    for condition in conditions:
        name, equals, text = condition.partition("=")
        negated = name.endswith("!")
        name = name.removesuffix("!").strip()
        if not equals or name not in manifest.rows:
            raise InputError(
                f"--where {quoted(condition)}: expected COLUMN=VALUE,VALUE with one of the columns "
                f"{listed(list(manifest.rows.columns))}."
            )
        values = [part.strip() for part in text.split(",")]
        present = set(manifest.rows[name])
        absent = [value for value in values if value not in present]
        if absent and not negated:
            known = listed(sorted(present))
            raise InputError(
                f"--where {quoted(condition)}: no row has {name} {quoted(absent[0])}; there are {known}."
            )
        keep = manifest.rows[name].isin(values) != negated
        if not keep.any():
            raise InputError(f"--where {quoted(condition)} leaves no row.")
        manifest = manifest.take(keep)
    return manifest
