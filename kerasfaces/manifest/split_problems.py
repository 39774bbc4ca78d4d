"""What a manifest's splits lack for training, and the call that mends it.

No call named here lets a test row of a manifest that has test rows change sides.
"""

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import contradictions, groups
from kerasfaces.manifest.table import LABELS, SPLITS, Manifest

_CUT_ANEW = (
    "Manifest.from_table(data.table, root=data.manifest.folder, split_names={names})"
    ".split(validation_from='train')"
)


def require_trainable(rows: pd.DataFrame, name: object = "the manifest") -> None:
    """Refuse splits that cannot be trained with; a manifest without any is fine."""
    if problem := untrainable(rows):
        raise InputError(f"{name}: {problem}")


def label_counts(rows: pd.DataFrame) -> dict[str, int]:
    """Return the number of images of each class."""
    return {label: int((rows["label"] == label).sum()) for label in LABELS}


def require_classes(rows: pd.DataFrame, where: str, least: int) -> None:
    """Refuse rows with fewer than `least` images of a class."""
    counts = label_counts(rows)
    for label, count in counts.items():
        if count < least:
            raise InputError(
                f"{where}: {count} {label} image{'s' if count != 1 else ''} "
                f"({counts['real']} real, {counts['fake']} fake); at least {least} of each "
                "class are needed. Add images."
            )


def untrainable(rows: pd.DataFrame) -> str:
    """Return what training would lack and the call that mends it; else empty."""
    for label in LABELS:
        if not (rows["label"] == label).any():
            return (
                f"there is no {label} image among {len(rows)} rows; training needs both "
                f"classes. Add some: `data.join({label.upper()})`"
            )
    n_empty = int((rows["split"] == "").sum())
    if n_empty == len(rows):
        return ""
    if n_empty:
        return (
            f"{n_empty} of {len(rows)} rows have no split; leave them out: "
            f"`data.select(split={_used(rows)})`"
        )
    lacking = [split for split in SPLITS if split not in _used(rows)]
    if lacking:
        verb = "is no" if len(lacking) == 1 else "are neither"
        return (
            f"there {verb} {' nor '.join(lacking)} split ({_counted(rows)}). "
            f"{_remedy(lacking)}"
        )
    return _class_left_out(rows)


def already_split(rows: pd.DataFrame) -> str:
    """Return why a manifest is not split anew, and what to do instead."""
    n_split = int((rows["split"] != "").sum())
    text = f"{n_split:,} of {len(rows):,} rows have a split already"
    used = _used(rows)
    if "test" not in used:
        return f"{text}; add `overwrite=True` to split anew."
    text += f" ({_counted(rows)}). "
    if "val" not in used and n_split == len(rows):
        text += (
            "Cut validation from train (test rows stay): "
            "`data.split(validation_from='train')`; or split "
        )
    else:
        text += "Split "
    return f"{text}all rows anew, test images among them: `data.split(overwrite=True)`"


def cut_anew() -> str:
    """Return the advice to cut another validation split from train."""
    names = {"train": "train", "val": "train", "test": "test"}
    return f"Cut validation from train anew: `{_CUT_ANEW.format(names=names)}`"


def torn_apart() -> str:
    """Return what to do about images that are in two splits."""
    return (
        "`data.check()` lists them: take them out of one split; or, where the splits are "
        "your own, split anew: `data.split(overwrite=True)`"
    )


def remarks(manifest: Manifest) -> list[str]:
    """Return what the user should know about a manifest just made, a sentence each."""
    rows = manifest.rows
    sentences = [contradictions.sentence(rows)]
    if problem := untrainable(rows):
        sentences.append(f"training needs train, val and test: {problem}")
    shared = groups.shared_between_splits(manifest)
    if shared:
        first, second = (rows["path"].iloc[i] for i in shared[0])
        sentences.append(
            f"{len(shared)} rows have the content of a row in another split, first {quoted(first)} "
            f"and {quoted(second)}. {torn_apart()}"
        )
    return list(filter(None, sentences))


def _used(rows: pd.DataFrame) -> list[str]:
    return [split for split in SPLITS if (rows["split"] == split).any()]


def _counted(rows: pd.DataFrame) -> str:
    counts = {name: int((rows["split"] == name).sum()) for name in (*SPLITS, "")}
    return ", ".join(f"{n} {name or 'without'}" for name, n in counts.items() if n)


def _remedy(lacking: list[str]) -> str:
    if lacking == ["val"]:
        return "Cut it from train: `data.split(validation_from='train')`"
    if lacking == ["test"]:
        code = _CUT_ANEW.format(names={"train": "train", "val": "test"})
        return f"To test on val and cut another validation from train: `{code}`"
    if lacking == ["val", "test"]:
        return (
            "No test is set apart, so nothing is lost by splitting anew: "
            "`data.split(overwrite=True)`"
        )
    return (
        "If this is no data set's own test, build it anew with `split_is='none'`. Else add "
        "images to train on: `data.join(TRAIN)`"
    )


def _class_left_out(rows: pd.DataFrame) -> str:
    for split in SPLITS:
        counts = label_counts(rows[rows["split"] == split])
        for label in LABELS:
            if not counts[label]:
                remedy = f"Add {label} images to it: `data.join({label.upper()})`"
                return (
                    f"split {split} leaves a class out ({counts['real']} real, "
                    f"{counts['fake']} fake). {cut_anew() if split == 'val' else remedy}"
                )
    return ""
