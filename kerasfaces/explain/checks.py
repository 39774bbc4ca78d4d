"""Can a map be believed? What is measured of each, and which measurements it fails.

`curves` blurs and reveals patches, `changed_images` asks for the map of nearly the same
image. Here is the sanity check (Adebayo et al. 2018, arXiv 1810.03292), the map of the same
network with a head whose weights are noise, and what all of them mean together. The limits
are set beforehand, from what the numbers mean; none is fitted to data.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kerasfaces.core import rng
from kerasfaces.core.files import Json
from kerasfaces.explain import changed_images
from kerasfaces.explain.changed_images import rank_correlation
from kerasfaces.explain.contract import Explanation, Map, Options, Pixels, importance
from kerasfaces.explain.curves import ORDERS, Logits, deletion_and_insertion
from kerasfaces.metrics.intervals import percentiles

if TYPE_CHECKING:
    from kerasfaces.explain.subjects import Subject

ALIKE = 0.5  # correlation from which two maps count as the same
_RESAMPLES = 1000
COLUMNS = (
    "deletion_gain",
    "deletion_spread",
    "random_orders_beaten",
    "insertion_gain",
    "insertion_spread",
    "insertion_orders_beaten",
    "random_orders",
    "sanity_correlation",
    "jpeg_agreement",
    "shift_agreement",
    "heat_in_face",
    "face_area",
    "do_not_trust",
)


def of_map(
    method: ModuleType,
    subject: "Subject",
    learnt: "Subject",
    image: Pixels,
    options: Options,
    own: Explanation,
    redrawn: Sequence[Explanation],
) -> Json:
    """Measure a method's own map of an image `(s, s, 3)`; see `measure`.

    `learnt` is the subject without re-drawn heads, which is asked for maps of changed
    images; `redrawn` are the maps of the re-drawn ones.
    """

    def counted(each: Explanation) -> Map:
        return importance(each.map, method.UNITS, options.toward)

    return measure(
        subject.logits,
        image,
        counted(own),
        [counted(each) for each in redrawn],
        lambda changed: counted(method.explain(learnt, changed, options)[0]),
        options.toward,
        options.seed,
    )


def measure(
    logits: Logits,
    image: Pixels,
    map_: Map,
    redrawn: Sequence[Map],
    map_of: Callable[[Pixels], Map],
    toward: int,
    seed: int = 0,
) -> Json:
    """Measure all that is known of a map's worth; JSON types, one key per `COLUMNS`.

    Args:
        logits: Images -> `(n, heads)`; the first head counts.
        image: `(s, s, 3)`.
        map_: `(s, s)`, larger speaks more for the verdict.
        redrawn: Such maps of the same image by heads with noise for weights.
        map_of: Image -> importance `(s, s)`, the verdict being what it was.
        toward: +1 for the verdict fake, -1 for real.
        seed: Key of random orders.

    Returns:
        The columns, and `deletion` and `insertion`, the curves as dictionaries.
    """
    deletion, insertion = deletion_and_insertion(logits, image, map_, toward, seed)
    share, area = changed_images.heat_in_face(map_, image)
    row: Json = {
        "deletion_gain": deletion.gain,
        "deletion_spread": deletion.spread,
        "random_orders_beaten": deletion.beaten,
        "insertion_gain": insertion.gain,
        "insertion_spread": insertion.spread,
        "insertion_orders_beaten": insertion.beaten,
        "random_orders": ORDERS,
        "sanity_correlation": sanity(map_, redrawn),
        "jpeg_agreement": changed_images.jpeg_agreement(map_, image, map_of),
        "shift_agreement": changed_images.shift_agreement(map_, image, map_of),
        "heat_in_face": share,
        "face_area": area,
    }
    nan = {key for key, v in row.items() if isinstance(v, float) and math.isnan(v)}
    row |= dict.fromkeys(nan)
    row["do_not_trust"] = (
        "one value everywhere" if np.ptp(map_) == 0 else "; ".join(failures(row))
    )
    return row | {
        "deletion": dataclasses.asdict(deletion),
        "insertion": dataclasses.asdict(insertion),
    }


def failures(row: Json) -> list[str]:
    """Return the tests that a map fails, in words; what was not measured fails nothing."""
    failed = []
    for name, gain, beaten in (
        ("deletion", "deletion_gain", "random_orders_beaten"),
        ("insertion", "insertion_gain", "insertion_orders_beaten"),
    ):
        if not row[gain] > 0 or row[beaten] < ORDERS:
            failed.append(f"{name} beats {row[beaten]} of {ORDERS} random orders")
    if is_flagged(row["sanity_correlation"]):
        failed.append(
            f"correlation {row['sanity_correlation']:.2f} with random heads' maps"
        )
    for key, name in (
        ("jpeg_agreement", f"JPEG {changed_images.QUALITY_PCT}"),
        ("shift_agreement", "a small shift"),
    ):
        if row[key] is not None and row[key] < ALIKE:
            failed.append(f"correlation {row[key]:.2f} with the map after {name}")
    return failed


def verdict(row: Mapping[Any, Any]) -> str:
    """Say in a sentence whether a map can be trusted."""
    if row["do_not_trust"]:
        return f"Do not trust this map: {row['do_not_trust']}."
    return "It passes every test below."


def sanity(map_: Map, redrawn: Sequence[Map]) -> float | None:
    """Return the mean absolute rank correlation with maps of re-drawn heads.

    None where there is none to compare with, or a map has one value everywhere. A noise
    head's sign means nothing, hence absolute; rank correlation (Spearman), as in the paper.
    """
    values = [abs(rank_correlation(map_, each)) for each in redrawn]
    if not values or any(map(math.isnan, values)):
        return None
    return float(np.mean(values))


def is_flagged(correlation: float | None) -> bool:
    """Tell whether a map hardly depends on what was learnt."""
    return correlation is not None and correlation >= ALIKE


def mean_interval(values: pd.Series) -> tuple[float, float, float]:
    """Return a mean with its 95 % bootstrap interval over images; NaN where there is none."""
    known = pd.to_numeric(values).dropna().to_numpy(dtype=np.float64)
    if len(known) < 2:
        return float(known.mean()) if len(known) else np.nan, np.nan, np.nan
    random = rng.generator(0, "explain", "mean")
    resampled = known[random.integers(0, len(known), (_RESAMPLES, len(known)))]
    low, high = percentiles(resampled.mean(axis=1), float(known.mean()))
    return float(known.mean()), low, high


def warnings(frame: pd.DataFrame) -> list[str]:
    """Return what a reader of explanations.csv must know first, a sentence each."""
    sentences = []
    good = frame[frame["reason"] == ""]
    if len(good) < len(frame):
        n_bad = len(frame) - len(good)
        sentences.append(f"{n_bad:,} of {len(frame):,} images could not be explained.")
    sentences += _noise_warning(good)
    if "deletion_gain" not in frame:
        return [*sentences, "Whether these maps can be believed was not measured."]
    for name in ("deletion", "insertion"):
        mean, low, high = mean_interval(good[f"{name}_gain"])
        if low <= 0:
            worth = "worse than" if high < 0 else "not shown to be better than"
            sentences.append(
                f"These maps are {worth} chance: {name} gain {mean:.2f} logits ({low:.2f} to "
                f"{high:.2f}, n {len(good)})."
            )
    flagged = sum(map(is_flagged, good["sanity_correlation"]))
    if flagged:
        sentences.append(
            f"{flagged} of {len(good)} maps hardly depend on what was learnt: their rank "
            f"correlation with maps of random heads is {ALIKE:g} or more."
        )
    untrusted = int((good["do_not_trust"] != "").sum())
    if untrusted:
        sentences.append(
            f"Do not trust {untrusted} of {len(good)} maps: each names the tests that it fails."
        )
    return [*sentences, *_face_warning(good)]


def _noise_warning(good: pd.DataFrame) -> list[str]:
    """Say how far from the images the noisy copies are that a map was averaged over."""
    if "noisy_logit" not in good or good["noisy_logit"].isna().all():
        return []
    known = good.dropna(subset=["noisy_logit"])
    return [
        f"These maps are of noisy copies, whose mean logit is {known['noisy_logit'].mean():+.2f}; "
        f"the images' own is {known['logit'].mean():+.2f} (n {len(known)}). The further apart the "
        "two, the less a map says of its image."
    ]


def _face_warning(good: pd.DataFrame) -> list[str]:
    """Say where maps have less heat on the face than its area alone would give."""
    known = good.dropna(subset=["heat_in_face"])
    outside = int((known["heat_in_face"] < known["face_area"]).sum())
    if 2 * outside <= len(known):
        return []
    return [
        f"In {outside} of {len(known)} images with a face, the face has less than its share of "
        "the heat: the detector looks at what surrounds it. That is no fault of the map."
    ]
