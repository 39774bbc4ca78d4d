"""What a manifest's splits lack for training, and the command that mends it.

No command named here lets a test row of a manifest that has test rows change sides.
"""

import shlex
from pathlib import Path

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import contradictions, joining
from kerasfaces.manifest.rules import LABELS, SPLITS
from kerasfaces.manifest.table import Manifest

_COMMAND = "kerasfaces manifest"


def require_trainable(rows: pd.DataFrame, path: Path | str = "M") -> None:
    """Refuse splits that cannot be trained with; a manifest without any is fine.

    Args:
        rows: With `split` and `label`.
        path: The manifest's file, as commands in the message name it.

    Raises:
        InputError: With what is missing and the command to run.
    """
    problem = untrainable(rows, path)
    if problem:
        where = "the manifest" if path == "M" else path
        raise InputError(f"{where}: {problem}")


def label_counts(rows: pd.DataFrame) -> dict[str, int]:
    """Return the number of images of each class."""
    return {label: int((rows["label"] == label).sum()) for label in LABELS}


def require_classes(rows: pd.DataFrame, where: str, least: int) -> None:
    """Refuse rows with fewer than `least` images of a class.

    Raises:
        InputError: With the counts.
    """
    counts = label_counts(rows)
    for label, count in counts.items():
        if count < least:
            raise InputError(
                f"{where}: {count} {label} image{'s' if count != 1 else ''} "
                f"({counts['real']} real, {counts['fake']} fake); at least {least} of each "
                "class are needed. Add images."
            )


def untrainable(rows: pd.DataFrame, path: Path | str) -> str:
    """Return what training would lack and what to run; empty where nothing is."""
    for label in LABELS:
        if not (rows["label"] == label).any():
            return (
                f"there is no {label} image among {len(rows)} rows; training needs both "
                f"classes. Add some: {_join(path, label.upper())}"
            )
    n_empty = int((rows["split"] == "").sum())
    if n_empty == len(rows):
        return ""
    if n_empty:
        new = _new_file(path, "split")
        return (
            f"{n_empty} of {len(rows)} rows have no split; leave them out: {_COMMAND} select "
            f"{_shown(path)} --where split={','.join(_used(rows))} -o {new}"
        )
    lacking = [split for split in SPLITS if split not in _used(rows)]
    if lacking:
        verb = "is no" if len(lacking) == 1 else "are neither"
        return (
            f"there {verb} {' nor '.join(lacking)} split ({_counted(rows)}). "
            f"{_remedy(lacking, path)}"
        )
    return _class_left_out(rows, path)


def already_split(rows: pd.DataFrame, path: Path) -> str:
    """Return why a manifest is not split anew, and what to do instead."""
    n_split = int((rows["split"] != "").sum())
    text = f"{n_split} of {len(rows)} rows have a split already"
    used = _used(rows)
    if "test" not in used:
        return f"{text}; add --overwrite to split anew."
    text += f" ({_counted(rows)}). "
    if "val" not in used and n_split == len(rows):
        text += (
            f"Cut validation from train (test rows stay): {_COMMAND} split {_shown(path)} "
            "--validation-from train ; or split "
        )
    else:
        text += "Split "
    return (
        f"{text}all rows anew, test images among them, into another file: {_COMMAND} split "
        f"{_shown(path)} --overwrite -o {_new_file(path, 'anew')}"
    )


def cut_anew(path: Path | str = "M") -> str:
    """Return the advice to cut another validation split from train."""
    return (
        f"Cut validation from train anew: {_COMMAND} build {_shown(path)} --map-split "
        f"train=train,val=train,test=test --validation-from train -o {_new_file(path, 'val')}"
    )


def torn_apart(path: Path | str = "M") -> str:
    """Return what to do about images that are in two splits."""
    return (
        f"{_COMMAND} check {_shown(path)} lists them: take them out of one split; or, where "
        f"the splits are your own, split anew into another file: {_COMMAND} split "
        f"{_shown(path)} --overwrite -o {_new_file(path, 'anew')}"
    )


def remarks(manifest: Manifest, path: Path) -> list[str]:
    """Return what the user should know about a manifest just made, a sentence each."""
    rows = manifest.rows
    sentences = [contradictions.sentence(rows)]
    if problem := untrainable(rows, path):
        sentences.append(f"training needs train, val and test: {problem}")
    shared = joining.shared_between_splits(manifest)
    if shared:
        first, second = (rows["path"].iloc[i] for i in shared[0])
        sentences.append(
            f"{len(shared)} rows have the content of a row in another split, first {quoted(first)} "
            f"and {quoted(second)}. {torn_apart(path)}"
        )
    return list(filter(None, sentences))


def _used(rows: pd.DataFrame) -> list[str]:
    return [split for split in SPLITS if (rows["split"] == split).any()]


def _counted(rows: pd.DataFrame) -> str:
    counts = {name: int((rows["split"] == name).sum()) for name in (*SPLITS, "")}
    return ", ".join(f"{n} {name or 'without'}" for name, n in counts.items() if n)


def _remedy(lacking: list[str], path: Path | str) -> str:
    if lacking == ["val"]:
        return f"Cut it from train: {_COMMAND} split {_shown(path)} --validation-from train"
    if lacking == ["test"]:
        return (
            "To test on val and cut another validation from train: "
            f"{_COMMAND} build {_shown(path)} --map-split train=train,val=test "
            f"--validation-from train -o {_new_file(path, 'test')}"
        )
    if lacking == ["val", "test"]:
        return (
            "No test is set apart, so nothing is lost by splitting anew: "
            f"{_COMMAND} split {_shown(path)} --overwrite"
        )
    return (
        "If this is no data set's own test, build it anew with --split-is none. Else add "
        f"images to train on: {_join(path, 'TRAIN')}"
    )


def _class_left_out(rows: pd.DataFrame, path: Path | str) -> str:
    for split in SPLITS:
        counts = label_counts(rows[rows["split"] == split])
        for label in LABELS:
            if not counts[label]:
                remedy = f"Add {label} images to it: {_join(path, label.upper())}"
                return (
                    f"split {split} leaves a class out ({counts['real']} real, "
                    f"{counts['fake']} fake). {cut_anew(path) if split == 'val' else remedy}"
                )
    return ""


def _join(path: Path | str, other: str) -> str:
    return f"{_COMMAND} join {_shown(path)} {other}.csv -o {_new_file(path, 'joined')}"


def _shown(path: Path | str) -> str:
    return shlex.quote(str(path))


def _new_file(path: Path | str, what: str) -> str:
    path = Path(path)
    return shlex.quote(str(path.with_name(f"{path.stem}-{what}.csv")))
