"""A manifest -> the manifest with annotated columns, and what was written beside it.

OUT.csv                  the rows
OUT.landmarks.npz        landmarks of each row's main face
annotators.json          who annotated what, and how good that is
"""

import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasfaces.annotate import answers as asked
from kerasfaces.annotate import columns, facts, measure
from kerasfaces.annotate.answers import FACES, Answers
from kerasfaces.annotate.columns import Judged
from kerasfaces.annotate.contract import DEFAULT as DEFAULT
from kerasfaces.annotate.contract import PACKAGE, Attribute, Weights
from kerasfaces.core import registry
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json, atomic_path, read_json, write_json
from kerasfaces.core.texts import listed, near_hint, quoted
from kerasfaces.manifest import face_rows, file_facts, table
from kerasfaces.manifest.attributes import Attributes
from kerasfaces.manifest.table import Manifest

logger = logging.getLogger("kerasfaces.annotate")
NOTES_FILE = "annotators.json"
_OF_CROPS = ("face_box", "face_score")  # of a manifest of crops: px of the original


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What is annotated, by whom.

    Attributes:
        annotators: Names, in the order in which they count.
        min_confidence: Attribute -> confidence below which its column stays empty, 0..1,
            instead of the annotators' own.
        weights: Where annotators get their weights.
        corrections: A table with file names and columns of attributes, which win; or None.
    """

    annotators: tuple[str, ...] = DEFAULT
    min_confidence: Mapping[str, float] = dataclasses.field(default_factory=dict)
    weights: Weights = dataclasses.field(default_factory=Weights)
    corrections: Path | None = None

    def __post_init__(self) -> None:
        known = registry.names(PACKAGE)
        for name in self.annotators:
            registry.check("annotator", name, known)
        if len(set(self.annotators)) < len(self.annotators):
            raise InputError(
                f"`annotators`: {', '.join(self.annotators)} names one twice."
            )
        frameworks = {
            framework: name
            for name in self.annotators
            if (framework := getattr(registry.load(PACKAGE, name), "FRAMEWORK", ""))
        }
        if len(frameworks) > 1:
            raise InputError(
                f"`annotators`: {' and '.join(frameworks.values())} need "
                f"{' and '.join(frameworks)}, which do not live in one process; take one of "
                "them."
            )
        known_attributes = [
            each.name for own in self.attributes.values() for each in own
        ]
        for name, value in self.min_confidence.items():
            if name not in known_attributes:
                raise InputError(
                    f"`min_confidence`: no annotator tells {quoted(name)}; they tell "
                    f"{listed(list(dict.fromkeys(known_attributes)))}."
                )
            if not 0 <= value <= 1:
                raise InputError(
                    f"`min_confidence`: expected 0..1 for {name}, got {value}."
                )

    @property
    def attributes(self) -> dict[str, tuple[Attribute, ...]]:
        """Return annotator -> what it tells, in their order."""
        return {
            name: registry.load(PACKAGE, name).ATTRIBUTES for name in self.annotators
        }


@dataclasses.dataclass(frozen=True)
class Annotated:
    """An annotated manifest.

    Attributes:
        manifest: The rows with their new columns.
        notes: Content of `annotators.json`: per attribute its annotator and its errors.
        landmarks: Arrays of the `.npz`: `path`, `six` `(n, 6, 2)` and those of annotators of
            landmarks; float32, pixels, NaN where there is no face.
        lost: Reason -> paths of pictures that have no annotation.
    """

    manifest: Manifest
    notes: Json
    landmarks: Mapping[str, Any]
    lost: Mapping[str, Sequence[str]]


def annotate(
    manifest: Manifest, settings: Settings, spread: Engine | None = None
) -> Annotated:
    """Return the manifest with annotated columns; what was said before is not asked again.

    Args:
        manifest: Rows; values that they state stay.
        settings: Annotators, their lowest confidence, and corrections by hand.
        spread: Where pictures are looked at; a process per core by default.

    Raises:
        InputError, MissingFileError, MissingExtraError: See `answers.ask`; or the table of
            corrections cannot be used.
    """
    corrections = _corrections(manifest, settings.corrections)
    whole = file_facts.hashed(manifest)
    digests = list(whole.rows["sha256"])
    names = settings.annotators
    answers = asked.ask(manifest.files(), digests, names, settings.weights, spread)
    everything = columns.judged(settings.attributes, answers, settings.min_confidence)
    rows = columns.joined(_with_facts(whole.rows, answers), everything, corrections)
    lost: dict[str, list[str]] = {}
    first = names[0] if names else FACES
    for path, reason in zip(rows["path"], answers.reasons[first], strict=True):
        if reason:
            lost.setdefault(reason, []).append(path)
    return Annotated(
        Manifest(rows, manifest.folder),
        _notes(manifest.rows, everything, answers, settings),
        _landmarks(rows, answers),
        lost,
    )


def write(annotated: Annotated, path: Path) -> None:
    """Write the table, the landmarks and `annotators.json` beside it.

    Where another table was annotated in the same folder before, what that file says of
    attributes and annotators that have no part now stays.

    Raises:
        RunError: There is an `annotators.json` that is none.
    """
    with atomic_path(path.with_name(f"{path.stem}.landmarks.npz")) as temporary:
        np.savez_compressed(temporary, **annotated.landmarks)
    notes_file = path.with_name(NOTES_FILE)
    notes = dict(annotated.notes)
    if notes_file.exists():
        earlier = read_json(notes_file)
        if not isinstance(earlier, dict):
            raise RunError(f"{notes_file} holds no object; restore or delete it.")
        for key in ("attributes", "annotators"):
            old = earlier.get(key)
            notes[key] = {**(old if isinstance(old, dict) else {}), **notes[key]}
    write_json(notes_file, notes)
    table.write(annotated.manifest, path)


def _corrections(manifest: Manifest, path: Path | None) -> pd.DataFrame:
    bare = manifest.rows[["path"]]
    if path is None:
        return bare.drop(columns="path")
    extra = Attributes(path).join(bare).drop(columns="path")
    attributes = extra[_corrected(extra.columns, manifest, path)]
    if not (attributes != "").to_numpy().any():
        raise InputError(
            f"{path} corrects nothing: none of its files with a value is in the manifest; "
            "expected the manifest's file names and columns such as gender."
        )
    return attributes


def _corrected(names: Iterable[str], manifest: Manifest, path: Path) -> list[str]:
    """Return the columns of attributes; those of the manifest that are none are ignored."""
    present = [str(name) for name in manifest.rows]
    of_annotators = [
        each.column
        for name in registry.names(PACKAGE)
        for each in registry.load(PACKAGE, name).ATTRIBUTES
    ]
    of_rows = [name for name in present if name.startswith("attr_")]
    known = list(dict.fromkeys([*of_annotators, *of_rows]))
    corrected = []
    for name in names:
        if name in known:
            corrected.append(name)
        elif name.startswith("attr_") and name.removeprefix("attr_") not in present:
            raise InputError(
                f"{path}: {quoted(name.removeprefix('attr_'))} is no attribute of the manifest or "
                f"of an annotator; there are {listed(known)}.{near_hint(name, known)}"
            )
    return corrected


def _with_facts(rows: pd.DataFrame, answers: Answers) -> pd.DataFrame:
    empty = facts.columns(np.full(facts.SIZE, np.nan, np.float32))
    lines = [
        dict.fromkeys(empty, "") if each is None else facts.columns(each)
        for each in answers.numbers[FACES]
    ]
    left_as_is = _OF_CROPS if face_rows.COLUMN in rows else ()
    names = [name for name in empty if name not in left_as_is]
    return columns.with_texts(
        rows, {name: [line[name] for line in lines] for name in names}
    )


def _landmarks(rows: pd.DataFrame, answers: Answers) -> dict[str, Any]:
    empty = np.full((6, 2), np.nan, np.float32)
    six = [
        empty if each is None else facts.landmarks(each)
        for each in answers.numbers[FACES]
    ]
    arrays: dict[str, Any] = {
        "path": np.array(list(rows["path"]), dtype=str),
        "six": np.array(six, np.float32).reshape(-1, 6, 2),
    }
    for name in answers.made_by:
        shape = getattr(registry.load(PACKAGE, name), "LANDMARKS", None)
        if shape is not None:
            none = np.full(shape, np.nan, np.float32)
            parts = [
                none if each is None else each.reshape(shape)
                for each in answers.numbers[name]
            ]
            arrays[name] = np.array(parts, np.float32).reshape(-1, *shape)
    return arrays


def _notes(
    before: pd.DataFrame,
    everything: Mapping[str, Judged],
    answers: Answers,
    settings: Settings,
) -> Json:
    """Return what `annotators.json` holds."""
    attributes: Json = {}
    for name, one in everything.items():
        stated = columns.stated(before, name)
        trained_on = measure.trained_on(before, one)
        values = [value for value, *_ in columns.annotated(one)]
        pairs = list(zip(values, stated, strict=True))
        n_annotated = sum(bool(value) and not old for value, old in pairs)
        n_stated = sum(map(bool, stated))
        confusion = measure.confusion(stated, one, trained_on) if n_annotated else None
        attributes[one.attribute.column] = {
            "annotator": " and ".join(one.by)
            if n_annotated or not n_stated
            else columns.STATED,
            "n_annotated": n_annotated,
            "n_stated": n_stated,
            "min_confidence": dict(one.thresholds),
            "classes": one.attribute.classes,
            "confusion": confusion,
        }
    return {
        "format": 1,
        "attributes": attributes,
        "annotators": {
            name: {
                "source": module.SOURCE,
                "licence": module.LICENCE,
                "published_accuracy": module.PUBLISHED,
                "version": module.VERSION,
                "made_by": dict(answers.made_by[name]),
            }
            for name in settings.annotators
            for module in [registry.load(PACKAGE, name)]
        },
    }
