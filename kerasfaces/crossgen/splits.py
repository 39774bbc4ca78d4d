"""One split per seed, shared by all training sets: no image is on two sides of it.

A manifest that has splits keeps them; another is split 5:1:1 anew by every seed, by the
manifest's own rules (pairs, identities and near-duplicates together).
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import file_facts, groups, split, split_problems
from kerasfaces.run.folder import MatrixRun

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest

logger = logging.getLogger(__name__)
RATIO = (5.0, 1.0, 1.0)


def has_splits(manifest: "Manifest") -> bool:
    """Tell whether the rows have splits.

    Raises:
        InputError: Some have and some have not, or training lacks a split or a class.
    """
    split_problems.require_trainable(manifest.rows)
    return bool((manifest.rows["split"] != "").all())


def make(
    manifest: "Manifest", seeds: Sequence[int], folder: Path
) -> dict[int, "Manifest"]:
    """Return seed -> split manifest, each made once and kept in `folder/splits`.

    Args:
        manifest: Rows, all with a split or none.
        seeds: Of the splits.
        folder: The matrix's folder.

    Raises:
        InputError: The manifest's own splits share images or people.
    """
    told = _told(manifest, MatrixRun(folder).unsplit_file)
    if has_splits(manifest):
        check_apart(told)
        return dict.fromkeys(seeds, told)
    found = {}
    for seed in seeds:
        path = MatrixRun(folder).split_file(seed)
        if not path.exists():
            made = split.assign(told, RATIO, seed)
            moved = {rule: n for rule, n in made.moved.items() if n}
            logger.info("split of seed %d: rows moved by %s", seed, moved or "no rule")
            manifests.write(made.manifest, path)
        found[seed] = manifests.read(path)
    return found


def check_apart(manifest: "Manifest") -> None:
    """Refuse splits that share an image, a pair, a person or a near-duplicate.

    Raises:
        InputError: With the rule, how often, and the first two rows.
    """
    splits, paths = list(manifest.rows["split"]), list(manifest.rows["path"])
    for rule, pairs in groups.edges(manifest, split.NEAR_DUPLICATES).items():
        torn = [(a, b) for a, b in pairs.tolist() if splits[a] != splits[b]]
        if torn:
            first, second = torn[0]
            raise InputError(
                f"The splits share images: {len(torn)} times {rule.replace('_', ' ')} joins "
                f"rows of different splits, first {quoted(paths[first])} ({splits[first]}) and "
                f"{quoted(paths[second])} ({splits[second]}). {split_problems.torn_apart()}"
            )


def _told(manifest: "Manifest", path: Path) -> "Manifest":
    """Return the manifest with hashes, read from the files once."""
    if path.exists():
        return manifests.read(path)
    told, _ = file_facts.complete(manifest)
    manifests.write(told, path)
    return told
