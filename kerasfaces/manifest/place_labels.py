"""Which class each folder's images are, by the words in its path.

The clearest name decides: `fake` over `ai` over `Celeb-real`. Two equally clear names that
contradict each other are refused, but for a name that stands above both classes.
"""

from collections import defaultdict
from collections.abc import Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import words
from kerasfaces.manifest.places import FIRST, Place, seen, shared
from kerasfaces.manifest.words import Clarity


def read(places: Sequence[Place], notes: list[str]) -> list[tuple[str, int]]:
    """Return each place's class and which part says so; no class where it is left out.

    Args:
        places: Folders with images.
        notes: A sentence is added for every folder that is left out.

    Raises:
        InputError: A path says no class, or both.
    """
    titles = _titles(places, shared([place.parts for place in places]))
    found: list[tuple[str, int]] = []
    for place in places:
        if place.label:
            found.append((place.label, -1))
            continue
        votes = [
            (name.clarity, name.label, at)
            for at, name in enumerate(place.names)
            if name.label and place.parts[: at + 1] not in titles
        ]
        best = [vote for vote in votes if vote[0] == min(votes)[0]]
        if len({label for _, label, _ in best}) > 1:
            ways = " and ".join(quoted(place.parts[at]) for _, _, at in best)
            raise InputError(
                f"{quoted(str(place))} says both classes ({ways}, {place.n} images): which "
                "one decides? Rename a folder, or give the class: --label-is real behind "
                "the folder's name."
            )
        found.append((best[0][1], best[0][2]) if best else ("", -1))
    unknown = [
        place for place, (label, _) in zip(places, found, strict=True) if not label
    ]
    if not unknown:
        return found
    on_top = all(
        at == FIRST and words.read(place.parts[at]).clarity == Clarity.CLASS
        for place, (label, at) in zip(places, found, strict=True)
        if label
    )
    if not on_top or len(unknown) == len(places):
        raise InputError(
            f"no word for a class in {seen(unknown)}; expected folders such as real and "
            "fake, 0_real and 1_fake, or nature and ai, anywhere in the path. Rename them, "
            "or give each folder with its class: build A --label-is real B --label-is fake."
        )
    notes.append(f"left out, because they lie in no class's folder: {seen(unknown)}")
    return found


def _titles(places: Sequence[Place], n_shared: int) -> set[tuple[str, ...]]:
    """Return folders whose name says a class but which hold both, as deeper names say."""
    below: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for place in places:
        votes = [(at, name) for at, name in enumerate(place.names) if name.label]
        for at, name in votes:
            deeper = [other for other_at, other in votes if other_at > at]
            if deeper and (name.clarity >= Clarity.IN_A_NAME or at < n_shared):
                clearest = min(deeper, key=lambda each: each.clarity)
                below[place.parts[: at + 1]].add(clearest.label)
    return {folder for folder, labels in below.items() if len(labels) > 1}
