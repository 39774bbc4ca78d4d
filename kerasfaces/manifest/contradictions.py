"""Do the words in paths and sources say the other class than the labels?"""

import re
from collections.abc import Sequence
from pathlib import PurePath

import pandas as pd

from kerasfaces.core.texts import quoted
from kerasfaces.manifest import folder_names
from kerasfaces.manifest.folder_names import Clarity, n_shared_parts
from kerasfaces.manifest.table import LABELS


def sentence(rows: pd.DataFrame) -> str:
    """Return one sentence with the counts; empty where words and labels agree.

    Args:
        rows: A manifest's `path`, `label` and `source`.
    """
    by_words = _classes_in_words(rows)
    labels = list(rows["label"])
    with_word = [i for i, word in enumerate(by_words) if word and labels[i] in LABELS]
    against = [i for i in with_word if by_words[i] != labels[i]]
    if not against:
        return ""
    first = against[0]
    counts = [
        f"{n} labelled {label} where it says {LABELS[label == 'real']}"
        for label in LABELS
        if (n := sum(labels[i] == label for i in against))
    ]
    mostly = len(against) > len(with_word) / 2
    return (
        f"{len(against)} of the {len(with_word)} rows whose path or source has a word for a class "
        f"have the other label ({', '.join(counts)}; first {quoted(rows['path'].iloc[first])}, "
        f"source {quoted(rows['source'].iloc[first])}, labelled {labels[first]}): "
        + (
            "the labels seem to be the wrong way round; for a table, `real_is=VALUE` says "
            "which value means real."
            if mostly
            else "check these rows."
        )
    )


def _classes_in_words(rows: pd.DataFrame) -> list[str]:
    """Return the class that each row's path (or else its source) says."""
    folders = [PurePath(text).parts[:-1] for text in rows["path"]]
    start = n_shared_parts(set(folders))
    by_folder = {parts: _vote(parts[start:]) for parts in set(folders)}
    classes: list[str] = []
    columns = (rows["path"], rows["source"], rows["label"])
    for path, source, label, parts in zip(*columns, folders, strict=True):
        by_path = by_folder[parts] or _by_file(path)
        by_source = "" if source in parts else _vote([source])
        both = {by_path, by_source} - {""}
        if len(both) > 1:  # one of them contradicts the label, whichever it is
            both -= {label}
        classes.append(both.pop() if both else "")
    return classes


def _by_file(path: str) -> str:
    """Return the class that a file's name says, its numbers aside."""
    name = folder_names.read(re.sub(r"\d+", "0", PurePath(path).stem))
    # `ai` among other letters is chance: many names are random.
    return name.label if name.clarity < Clarity.SYNONYM_IN_A_NAME else ""


def _vote(names: Sequence[str]) -> str:
    """Return the class of the clearest names; nothing where they contradict each other."""
    votes = [
        (name.clarity, name.label)
        for name in map(folder_names.read, names)
        # `natural_history` does not say real.
        if name.label == "fake"
        or (name.label and name.clarity < Clarity.SYNONYM_IN_A_NAME)
    ]
    clearest = {label for clarity, label in votes if clarity == min(votes)[0]}
    return clearest.pop() if len(clearest) == 1 else ""
