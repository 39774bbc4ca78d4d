"""annotators.json beside a manifest -> how often each attribute's labels are wrong.

    {"attr_gender": {"annotator": "gear", "classes": ["man", "woman"],
                     "confusion": [[140, 10], [6, 144]], "n": 300}}

Rows of `confusion` are the true classes, columns what the annotator said, in images that it
was measured on. One may write that by hand for any origin of labels; `kerasfaces annotate`
writes the same below `attributes`, with the matrix as `counts` beside its classes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces.core.errors import KerasfacesError
from kerasfaces.core.files import Json, read_json
from kerasfaces.core.texts import listed, quoted
from kerasfaces.metrics.mislabelled_groups import LabelErrors

NAME = "annotators.json"
_MOST = 10**9  # images


def read(folder: Path | None) -> tuple[Json, list[str]]:
    """Return the usable entries of a folder's annotators.json, and what is wrong with others.

    Returns:
        Attribute -> `annotator` and, where it was measured, `classes`, `confusion` and `n`;
        empty without a file. One sentence for each entry that cannot be used.
    """
    if folder is None or not (folder / NAME).is_file():
        return {}, []
    try:
        content = read_json(folder / NAME)
    except (KerasfacesError, OSError, RecursionError) as error:
        return {}, [f"{error} Labels are taken as exact."]
    if not isinstance(content, dict):
        return {}, [f"{NAME} holds no object; labels are taken as exact."]
    usable: Json = {}
    problems = []
    written = content.get("attributes", content)
    for name, each in written.items() if isinstance(written, dict) else ():
        entry = _flat(each)
        column = name if name.startswith("attr_") else f"attr_{name}"
        if problem := _problem(entry):
            problems.append(
                f"{NAME}, {quoted(name)}: {problem}; its labels are taken as exact."
            )
        else:
            usable[column] = usable_entry(entry)
    return usable, problems


def errors_of(entry: Json | None) -> LabelErrors | None:
    """Return how an annotator confuses classes; None where that was not measured."""
    if not entry or "confusion" not in entry:
        return None
    matrix = np.array(entry["confusion"], dtype=np.int64)
    return LabelErrors(tuple(entry["classes"]), (matrix,))


def crossed(first: LabelErrors, second: LabelErrors, separator: str) -> LabelErrors:
    """Return the errors in two attributes at once, as if either were made by itself."""
    classes = tuple(f"{a}{separator}{b}" for a in first.classes for b in second.classes)
    return LabelErrors(classes, first.confusions + second.confusions)


def sentence(entry: Json | None) -> str:
    """Return where an attribute's labels come from and how far they can be trusted."""
    if not entry:
        return "The labels are taken as exact: nothing says how often they are wrong."
    name = f"The labels were given by {quoted(entry['annotator'])}"
    errors = errors_of(entry)
    if errors is None:
        return (
            f"{name}, whose errors are not known here (no confusion matrix in {NAME}): they "
            "are taken as exact."
        )
    right = int(np.trace(errors.confusions[0]))
    return (
        f"{name}, which was right on {right:,} of {errors.n:,} images "
        f"({100 * right / errors.n:.0f} %). Intervals and tests allow for its errors, as if "
        "they were the same on reals and fakes and had nothing to do with the detector's."
    )


def _flat(entry: Any) -> Any:
    """Return an entry of `kerasfaces annotate` as one written by hand."""
    if isinstance(entry, dict) and isinstance(entry.get("confusion"), dict):
        matrix = entry["confusion"]
        classes = matrix.get("classes")
        return {**entry, "classes": classes, "confusion": matrix.get("counts")}
    return entry


def usable_entry(entry: Json) -> Json:
    """Return what is used of an entry that has no problem."""
    usable: Json = {"annotator": entry["annotator"]}
    if entry.get("confusion") is not None:
        usable |= {"classes": entry["classes"], "confusion": entry["confusion"]}
        usable["n"] = int(np.sum(entry["confusion"]))
    return usable


def _problem(entry: object) -> str:
    """Return what makes an entry unusable; empty where nothing does."""
    if not isinstance(entry, dict) or not isinstance(entry.get("annotator"), str):
        return "expected an object with the annotator's name"
    confusion, classes = entry.get("confusion"), entry.get("classes")
    if confusion is None:
        return ""
    if (
        not isinstance(classes, list)
        or len(set(map(str, classes))) != len(classes)
        or len(classes) < 2
        or not all(isinstance(each, str) and each for each in classes)
    ):
        return "expected two or more names of classes, each once"
    k = len(classes)
    if (
        not isinstance(confusion, list)
        or len(confusion) != k
        or not all(isinstance(row, list) and len(row) == k for row in confusion)
    ):
        return f"expected a confusion matrix of {k} x {k} for {listed(classes)}"
    cells = [cell for row in confusion for cell in row]
    if not all(type(cell) is int and 0 <= cell < _MOST for cell in cells):
        return "expected whole numbers of images in its confusion matrix"
    return "" if any(cells) else "its confusion matrix has no image"
