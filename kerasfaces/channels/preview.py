"""A channel store and its manifest -> one picture: what the channels look like.

Per source a few images with their channels, then the average amplitude spectrum of every
source and its difference from the real images' (`averages`); `sheet` draws.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from kerasfaces import manifest as manifests
from kerasfaces import store
from kerasfaces.channels import averages, run, view
from kerasfaces.channels.view import Source
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError


def preview(
    folder: Path,
    manifest: "manifests.Manifest",
    path: Path,
    *,
    per_source: int = 3,
    spectra: int = 1000,
    gain: float | None = None,
    seed: int = 0,
) -> str:
    """Draw the sheet.

    Args:
        folder: The channel store.
        manifest: Says which images belong to which source.
        path: PNG to write.
        per_source: Images shown per source.
        spectra: Images averaged per source, at most.
        gain: Of the noise pattern around middle grey; None fits it to the images shown.
        seed: Which images are taken.

    Returns:
        What was averaged and which frequencies stand out, a few lines.

    Raises:
        InputError: It is no channel store, or has none of the manifest's images.
    """
    from kerasfaces.channels import sheet

    found = store.Store(folder)
    reader = view.Channels(found)
    known = list(manifest.rows["sha256"]) if "sha256" in manifest.rows else None
    hashed = run.hashes(manifest.files(), known)
    keys = [hashed[path][0] for path in manifest.files()]
    of_source: dict[tuple[str, str], list[int]] = {}
    for at, pair in enumerate(
        zip(manifest.rows["label"], manifest.rows["source"], strict=True)
    ):
        of_source.setdefault(pair, []).append(at)
    if not any(found.status(key) == store.OK for key in keys):
        raise InputError(
            f"{folder} has an array of none of the {len(keys)} images of the manifest; "
            "compute them with `data.compute_channels(STORE)`."
        )
    sources = []
    with reader:
        for (label, name), rows in sorted(
            of_source.items(), key=lambda item: (item[0][0] != "real", item[0][1])
        ):
            stored = [at for at in rows if found.status(keys[at]) == store.OK]
            order = rng.generator(seed, "preview", name).permutation(len(stored))
            chosen = [stored[at] for at in order]
            shown = [
                (manifest.files()[at], keys[at]) for at in sorted(chosen[:per_source])
            ]
            part = [keys[at] for at in sorted(chosen[:spectra])]
            sources.append(
                Source(
                    name=name,
                    label=label,
                    n_rows=len(rows),
                    n_stored=len(stored),
                    rows=[reader.row(file, key) for file, key in shown],
                    average=reader.average(part),
                )
            )
    sheet.draw(sources, path, reader.describe(), gain)
    return "\n".join([f"sheet: {path}", *_lines(sources)])


def _lines(sources: Sequence[Source]) -> Iterator[str]:
    """Say what was averaged, and what stands out."""
    reference = view.real_average(sources)
    for one in sources:
        yield f"{one.label} {one.name}: {one.n_stored} of {one.n_rows} images stored"
        if one.average is None or one.average.n == 0 or reference is None:
            continue
        if view.is_reference(one, sources):
            yield f"  average spectrum of {one.average.n}: the reference"
            continue
        plane = averages.difference(one.average, reference)
        error = averages.difference_error(one.average, reference)
        yield (
            f"  average spectrum of {one.average.n} images against {reference.n} real: "
            f"one frequency is known to {error:.2f} dB"
        )
        found = averages.peaks(plane)
        for peak in found:
            yield (
                f"  ({peak.row:+d}, {peak.column:+d}) cycles/image: {peak.excess_db:+.1f} "
                f"dB above its neighbours, {peak.sigma:.1f} sigma"
            )
        if not found:
            yield f"  no frequency stands out by {averages.PEAK_SIGMA:.0f} sigma"
