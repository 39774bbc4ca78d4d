"""A manifest of faces -> the answers to one test picture of each of ten sources."""

from pathlib import Path

import numpy as np
import pandas as pd

import kerasfaces as kf
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError

# FFHQ and CelebA-HQ have one origin; the latter went through a network.
PHOTOS = ("ffhq", "utkface", "us_officials", "us_house", "unsplash_men")
GENERATORS = (
    *("stylegan", "stylegan3", "progan", "portrait_gan", "stable_diffusion_2_1"),
)
COLUMNS = ("source", "truth", "verdict", "score", "laundered alike", "right")


def judge(manifest: Path, output: Path, weights: str, seed: int) -> pd.DataFrame:
    """Return the table of the ten, which is written to `output`/ten_pictures.csv.

    Args:
        manifest: Faces; their sources must be among `PHOTOS` and `GENERATORS`, or more.
        output: Where images of one encoding, the run and the table go.
        weights: Of MobileNetV2, as `train --weights` takes them.
        seed: Of the split and of the draw.

    Returns:
        One row per picture with `COLUMNS`; `right` is `yes`, `no` or `unsure`.

    Raises:
        InputError: A source has no test picture.
    """
    data = kf.Manifest.from_csv(manifest)
    same = data.neutralise(output / "same")  # else a file's format gives it away
    split = same.split(seed=seed, overwrite=True)
    detector = kf.Detector("mobilenetv2", weights=weights)
    detector.fit(split, output=output / "run")
    drawn = draw(split.table, split.files(), seed)
    answers = detector.predict([path for _, _, path in drawn])
    rows = [
        (
            source,
            truth,
            str(answer["verdict"]),
            float(answer["score"]),
            f"{answer['n_same_verdict']:.0f} of {answer['n_laundered']:.0f}",
            _right(str(answer["verdict"]), truth),
        )
        for (source, truth, _), (_, answer) in zip(
            drawn, answers.iterrows(), strict=True
        )
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.to_csv(output / "ten_pictures.csv", index=False)
    return table


def draw(
    rows: pd.DataFrame, files: list[Path], seed: int
) -> list[tuple[str, str, Path]]:
    """Return source, label and file of one test picture of each source.

    Args:
        rows: A manifest's table with splits.
        files: Their files, in the same order.
        seed: Keys the draw, which no answer has a part in.
    """
    drawn = []
    for truth, sources in (("real", PHOTOS), ("fake", GENERATORS)):
        for source in sources:
            wanted = (rows["source"] == source) & (rows["split"] == "test")
            places = np.flatnonzero((wanted & (rows["label"] == truth)).to_numpy())
            if not len(places):
                raise InputError(
                    f"The manifest has no {truth} test picture of {source}; expected faces "
                    f"of {', '.join((*PHOTOS, *GENERATORS))}."
                )
            at = rng.generator(seed, "ten pictures", source).integers(len(places))
            drawn.append((source, truth, files[places[at]]))
    return drawn


def as_markdown(table: pd.DataFrame) -> str:
    """Return the table as a page of documentation shows it."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + " --- |" * len(COLUMNS)]
    for row in table.to_numpy():
        cells = [f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    counts = table["right"].value_counts()
    lines.append(
        f"\n{counts.get('yes', 0)} right, {counts.get('no', 0)} wrong, "
        f"{counts.get('unsure', 0)} unsure of {len(table)}."
    )
    return "\n".join(lines)


def _right(verdict: str, truth: str) -> str:
    if verdict not in ("real", "fake"):
        return "unsure"
    return "yes" if verdict == truth else "no"
