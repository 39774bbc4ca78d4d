"""What a finished run folder says besides its predictions."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from kerasfaces.core.errors import MissingFileError, RunError
from kerasfaces.core.files import read_json
from kerasfaces.core.texts import quoted
from kerasfaces.run import kinds
from kerasfaces.run.operating_point import OperatingPoint


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """What a report says about a run besides its predictions; see `ReportInput`."""

    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    environment: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    history: pd.DataFrame | None = None
    audit: Mapping[str, Any] | None = None
    warnings: Sequence[str] = ()
    image_root: Path | None = None


def relative_root(root: Path, folder: Path) -> str:
    """Return the images' folder, relative when that is the run folder itself."""
    return "." if root.resolve() == folder.resolve() else str(root.resolve())


def read(folder: Path) -> tuple[OperatingPoint, Context, dict[str, Any]]:
    """Return the operating point, what the report says, and the stored metrics.

    Raises:
        MissingFileError: There is no such folder, or it holds no finished run.
        RunError: One of its files is damaged.
    """
    path = folder / kinds.POINT
    if not path.is_file():
        raise MissingFileError(f"{folder} {kinds.why_no_run(folder)}")
    point = OperatingPoint.from_json(read_json(path), str(path))
    contents = {
        name: read_json(folder / f"{name}.json")
        if (folder / f"{name}.json").is_file()
        else {}
        for name in ("config", "environment", "audit", "metrics")
    }
    for name, value in contents.items():
        if not isinstance(value, dict):
            raise RunError(
                f"{folder / name}.json holds no object; restore or delete it."
            )
    root = contents["metrics"].get("image_root")
    if not isinstance(root, str | None):
        raise RunError(
            f"{folder / 'metrics.json'}: image_root is {quoted(root)}, expected a folder; restore "
            "the file or delete it."
        )
    context = Context(
        config=contents["config"],
        environment=contents["environment"],
        history=_history(folder / "history.csv"),
        audit=contents["audit"] or None,
        warnings=contents["metrics"].get("warnings", ()),
        image_root=None if root is None else folder / root,
    )
    return point, context, contents["metrics"]


def _history(path: Path) -> pd.DataFrame | None:
    """Return the epochs, or None where there was none."""
    try:
        return pd.read_csv(path)
    except (FileNotFoundError, pd.errors.EmptyDataError):
        return None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is damaged ({error}); restore or delete it.") from error
