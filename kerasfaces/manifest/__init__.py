"""Rows, never pixels: which images there are, what they are and which split they are in.

Folders, tables or a recipe enter; `manifest.csv` leaves. `read` and `write` are the only
way other stages touch that file; The columns are described in `data_manifests/README.md`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasfaces.manifest.table import Manifest, read, write

__all__ = ["Manifest", "read", "write"]


def __getattr__(name: str) -> Any:
    """Import the table on first use, so that a command's help need not import pandas."""
    if name in __all__:
        from kerasfaces.manifest import table

        return getattr(table, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
