"""Which class each folder's images are, by the words in its path.

The clearest name decides: `fake` over `ai` over `Celeb-real`. Two equally clear names that
contradict each other are refused, but for a name that stands above both classes.
"""

from collections import defaultdict
from collections.abc import Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest.folder_names import Clarity
from kerasfaces.manifest.image_folders import FIRST, ImageFolder, n_shared_parts, shown


def assign(folders: Sequence[ImageFolder], notes: list[str]) -> None:
    """Fill in each folder's label; it stays empty for a folder that is left out.

    Args:
        folders: Folders with images.
        notes: A sentence is added about the folders that are left out.

    Raises:
        InputError: A path says no class, or both.
    """
    titles = _titles(folders)
    for folder in folders:
        folder.label = folder.stated.label
        votes = [
            (name.clarity, name.label, at)
            for at, name in enumerate(folder.names)
            if name.label and folder.parts[: at + 1] not in titles
        ]
        if folder.label or not votes:
            continue
        best = [vote for vote in votes if vote[0] == min(votes)[0]]
        if len({label for _, label, _ in best}) > 1:
            ways = " and ".join(quoted(folder.parts[at]) for _, _, at in best)
            raise InputError(
                f"{quoted(str(folder))} says both classes ({ways}, {folder.n_images} images): which "
                "one decides? Rename a folder, or give the class of that "
                "folder: `label_is='real'`."
            )
        _, folder.label, folder.label_at = best[0]
    unlabelled = [folder for folder in folders if not folder.label]
    if not unlabelled:
        return
    labels_on_top = all(
        folder.label_at == FIRST and folder.names[FIRST].clarity == Clarity.CLASS
        for folder in folders
        if folder.label
    )
    if not labels_on_top or len(unlabelled) == len(folders):
        raise InputError(
            f"no word for a class in {shown(unlabelled)}; expected folders such as real and "
            "fake, 0_real and 1_fake, or nature and ai, anywhere in the path. Rename them, "
            "or give each folder with its class: `Manifest.from_folders(A, label_is='real')"
            ".join(Manifest.from_folders(B, label_is='fake'))`."
        )
    notes.append(
        f"left out, because they lie in no class's folder: {shown(unlabelled)}"
    )


def _titles(folders: Sequence[ImageFolder]) -> set[tuple[str, ...]]:
    """Return folders whose name says a class but which hold both, as deeper names say."""
    n_shared = n_shared_parts([folder.parts for folder in folders])
    labels_below: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for folder in folders:
        named = [(at, name) for at, name in enumerate(folder.names) if name.label]
        for i, (at, name) in enumerate(named[:-1]):
            if name.clarity >= Clarity.IN_A_NAME or at < n_shared:
                _, clearest = min(named[i + 1 :], key=lambda item: item[1].clarity)
                labels_below[folder.parts[: at + 1]].add(clearest.label)
    return {parts for parts, labels in labels_below.items() if len(labels) > 1}
