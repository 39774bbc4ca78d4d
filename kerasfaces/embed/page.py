"""A map -> one self-contained page: zoom, hover, search, lasso; no network is needed.

What comes from files reaches the page as JSON and is shown as text alone; the policy of
the page lets nothing else run.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import __version__
from kerasfaces.core.texts import plain
from kerasfaces.embed.drawing import classes_of

_HERE = Path(__file__).parent
KIND = "kerasfaces embed: map"


def page(
    name: str,
    points: NDArray[np.float64],
    columns: Mapping[str, Sequence[str]],
    names: Sequence[str],
    *,
    sentences: Sequence[str],
    sheet: str = "",
    drawn: Sequence[int] = (),
    side_px: int = 0,
    border: str = "label",
) -> str:
    """Return the page of points `(n, 2)` with the names of their image files.

    Args:
        name: The heading.
        points: The map.
        columns: Per point its class by column, e.g. `label`, `source`, `cluster`.
        names: `(n,)`.
        sentences: What the map is of, and how far it can be believed.
        sheet: Address of the thumbnails; empty without.
        drawn: Which points have a thumbnail, in the sheet's order.
        side_px: Side of a thumbnail, in pixels.
        border: Column that colours at first.
    """
    import jinja2
    from markupsafe import Markup

    data = {
        "xy": _packed(_unit(points)),
        "columns": {key: _coded(values) for key, values in columns.items()},
        "names": [plain(each) for each in names],
        "thumbnail": _places(drawn, len(points)),
        "side": side_px,
        "border": border,
    }
    script = (_HERE / "map.js").read_text(encoding="utf-8")
    style = (_HERE / "map.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("map.html.j2").render(
        name=plain(name),
        kind=KIND,
        sentences=list(map(plain, sentences)),
        columns=list(columns),
        border=border,
        policy=f"default-src 'none'; img-src data:; script-src '{_hash(script)}'; style-src "
        f"'{_hash(style)}'; base-uri 'none'; form-action 'none'",
        script=Markup(script),
        style=Markup(style),
        data=Markup(_json(data)),
        sheet=sheet,
        version=__version__,
    )


def _unit(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return points between 0 and 1, the longer side filled, y upwards as on paper."""
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - (low + high) / 2) / max(float((high - low).max()), 1e-12)
    scaled[:, 1] *= -1
    return np.asarray(scaled + 0.5, "<f4")


def _coded(values: Sequence[str]) -> dict[str, Any]:
    """Return classes, the most frequent first, and each value's number in base 64."""
    texts = [plain(value) for value in values]
    classes = classes_of(texts)
    number = {text: at for at, text in enumerate(classes)}
    codes = np.array([number[text] for text in texts], "<u2")
    return {"classes": classes, "codes": _packed(codes)}


def _places(drawn: Sequence[int], n: int) -> str:
    places = np.full(n, -1, "<i4")
    places[np.asarray(drawn, np.int64)] = np.arange(len(drawn))
    return _packed(places)


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
