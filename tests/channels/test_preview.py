"""The contact sheet: what it averages, what it finds, and that it can be drawn."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from kerasfaces import images, store
from kerasfaces import manifest as manifests
from kerasfaces.channels import average_spectra, config, contact_sheet, preview, run
from kerasfaces.channels.average_spectra import Difference
from kerasfaces.channels.sheet import About, Row, Source
from kerasfaces.cli import channels as command
from kerasfaces.core.errors import InputError, MissingFileError

SIDE = 32


def noise(seed, n=6, side=SIDE, channels=3):
    return np.random.default_rng(seed).normal(0, 3, (n, side, side, channels))


def direct_amplitude(plane):
    """|F| / (M N) by its definition, centred; slow."""
    height, width = plane.shape
    out = np.zeros(plane.shape)
    x, y = np.indices(plane.shape)
    for u in range(-(height // 2), height - height // 2):
        for v in range(-(width // 2), width - width // 2):
            wave = np.exp(-2j * np.pi * (u * x / height + v * y / width))
            out[u + height // 2, v + width // 2] = abs((plane * wave).sum())
    return out / plane.size


def test_amplitude_is_the_transform():
    batch = noise(0, n=2, side=6)
    expected = [
        np.mean([direct_amplitude(image[..., c]) for c in range(3)], axis=0)
        for image in batch
    ]
    np.testing.assert_allclose(average_spectra.amplitude(batch), expected, rtol=1e-4)


def test_average_error_and_pool():
    batch = noise(1, n=7)
    whole = average_spectra.average([batch[:3], batch[3:]], (SIDE, SIDE))
    each = 20 * np.log10(average_spectra.amplitude(batch))
    np.testing.assert_allclose(whole.mean, each.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(
        whole.error, each.std(axis=0, ddof=1) / np.sqrt(7), rtol=1e-6
    )
    parts = [
        average_spectra.average([part], (SIDE, SIDE)) for part in (batch[:2], batch[2:])
    ]
    joined = average_spectra.pooled(parts)
    assert joined.n == 7
    np.testing.assert_allclose(joined.mean, whole.mean, rtol=1e-6)
    np.testing.assert_allclose(joined.error, whole.error, rtol=1e-6)


def test_average_of_nothing_and_of_a_constant():
    nothing = average_spectra.average([], (4, 4))
    assert nothing.n == 0
    assert np.isnan(nothing.mean).all()
    constant = average_spectra.average([np.zeros((2, 4, 4, 3))], (4, 4))
    assert (constant.mean == -120).all()


@pytest.mark.parametrize("shape", [(32, 32), (33, 31), (32, 31)])
def test_every_frequency_is_counted_once(shape):
    """Mirrored ones share a peak; those at half the sampling rate are their own mirror."""
    height, width = shape
    noise = np.random.default_rng(0).normal(0, 0.1, shape)
    for row, column in [
        (-height // 2, 0),
        (0, -width // 2),
        (9, -width // 2),
        (-height // 2, 9),
        (9, 8),
    ]:
        plane = noise.copy()
        at = (row + height // 2) % height, (column + width // 2) % width
        back = (-row + height // 2) % height, (-column + width // 2) % width
        plane[at] += 20
        plane[back] = plane[at]
        found = average_spectra.peaks(plane)
        assert len(found) == 1, (row, column)
        assert {(found[0].row % height, found[0].column % width)} <= {
            (row % height, column % width),
            (-row % height, -column % width),
        }


def test_an_upsampler_shows_as_peaks_on_its_grid_and_noise_does_not():
    side, period = 64, 8
    real = average_spectra.average([noise(0, 60, side)], (side, side))
    other = average_spectra.average([noise(1, 60, side)], (side, side))
    grid = np.zeros((side, side, 1))
    grid[::period, ::period] = 12
    fake = average_spectra.average([noise(2, 60, side) + grid], (side, side))
    assert Difference(other, real).peaks == []
    found = Difference(fake, real).peaks
    step = side // period
    assert len(found) >= 10
    assert all(peak.row % step == 0 and peak.column % step == 0 for peak in found)
    assert found == sorted(found, key=lambda peak: -peak.sigma)


def test_radial_is_the_mean_of_rings():
    rows, columns = np.indices((SIDE, SIDE)) - SIDE // 2
    rings = average_spectra.radial(np.rint(np.hypot(rows, columns)))
    np.testing.assert_allclose(rings, np.arange(SIDE // 2 + 1))


def test_gain():
    def row(level):
        lnp = np.full((4, 4, 3), level, np.float32)
        return Row(name="a", image=np.zeros((4, 4, 3), np.uint8), lnp=lnp)

    assert contact_sheet.fitted_gain([row(3.0)]) == 20  # 127 / 3 = 42
    assert contact_sheet.fitted_gain([row(3.0), row(-12.0)]) == 10
    assert contact_sheet.fitted_gain([row(0.0)]) == 1
    assert contact_sheet.fitted_gain([]) == 1


def sources(labels, **missing):
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    plane = np.zeros((SIDE, SIDE), np.float32)
    made = []
    for number, label in enumerate(labels):
        full = {
            "name": "a $strange_name$.png",
            "image": image,
            "mask": plane,
            "lnp": np.zeros((SIDE, SIDE, 3), np.float32),
            "amplitude": plane,
            "phase": plane,
        } | missing
        made.append(
            Source(
                name=f"source_{number}",
                label=label,
                n_rows=5,
                n_stored=4,
                rows=[Row(**full)],
                average=average_spectra.average([noise(number)], (SIDE, SIDE)),
            )
        )
    return preview.with_differences(made)


ABOUT = About(["x"], "ellipse", 32, "log", "lnp", "noise pattern")


@pytest.mark.parametrize(
    "labels", [["real", "fake"], ["fake"], ["real", "real"] + ["fake"] * 4]
)
def test_sheet_is_drawn(tmp_path, labels):
    path = tmp_path / "sheet.png"
    contact_sheet.draw(sources(labels), path, ABOUT)
    with Image.open(path) as image:
        assert image.width > 600
        assert np.asarray(image.convert("L")).std() > 10


def test_sheet_of_a_store_with_little(tmp_path):
    few = sources(["real"], mask=None, lnp=None, amplitude=None, phase=None)
    few = [dataclasses.replace(one, average=None, difference=None) for one in few]
    contact_sheet.draw(
        few, tmp_path / "few.png", dataclasses.replace(ABOUT, averaged="")
    )
    full = sources(["real", "fake"])
    contact_sheet.draw(full, tmp_path / "full.png", ABOUT)
    with Image.open(tmp_path / "few.png") as a, Image.open(tmp_path / "full.png") as b:
        assert a.height < b.height / 2


def test_one_real_source_is_the_reference_whatever_its_number():
    two = sources(["real", "fake"])
    assert two[0].average.n == two[1].average.n
    assert [one.difference is None for one in two] == [True, False]
    three = sources(["real", "real", "fake"])
    assert not any(one.difference is None for one in three)


@pytest.mark.parametrize("n", [1, 4, 5, 9])
def test_everything_lies_inside_the_sheet(n):
    figure = contact_sheet.figure_of(sources(["real"] + ["fake"] * (n - 1)), ABOUT)
    assert len(figure.axes) >= 5 * n + 2 * n + 2
    for axes in figure.axes:
        left, bottom, width, height = axes.get_position().bounds
        assert min(left, bottom, width, height) > 0
        assert left + width < 1
        assert bottom + height < 1


@pytest.fixture
def stored(tmp_path, tiny_manifest):
    def make(channels, *assignments, mask="none"):
        wanted = config.from_names(channels, mask, [f"size_px={SIDE}", *assignments])
        run.build(tiny_manifest.files(), tmp_path / "store", wanted)
        return tmp_path / "store"

    return make


def test_preview_of_a_store(stored, tiny_manifest, tmp_path):
    folder = stored(["rgb", "mask"])
    text = preview.preview(
        folder, tiny_manifest, tmp_path / "sheet.png", per_source=2, spectra=20
    )
    assert "real camera: 36 of 36 images stored" in text
    assert "average spectrum of 20: the reference" in text
    assert "average spectrum of 20 images against 20 real" in text
    assert (tmp_path / "sheet.png").stat().st_size > 20_000


@pytest.mark.torch
def test_preview_of_spectra_and_bytes(stored, tiny_manifest, tmp_path):
    folder = stored(["rgb", "spectrum"], "dtype=uint8", "spectrum.of=rgb")
    channels = preview.StoredChannels(store.Store(folder))
    file = tiny_manifest.files()[0]
    key = images.sha256(file.read_bytes())
    row = channels.row(file, key)
    assert row.amplitude.shape == row.phase.shape == (SIDE, SIDE)
    assert np.abs(row.phase).max() <= np.pi + 1e-3
    assert row.amplitude.max() > 10  # the logarithm's units, not bytes
    assert row.lnp is None
    assert channels.about.averaged == "masked pixels"


def test_masks_that_are_not_stored_are_made_by_the_same_recipe(
    stored, tiny_manifest, caplog
):
    folder = stored(["rgb"])
    found = store.Store(folder)
    channels = preview.StoredChannels(found)
    assert channels.has_same_mask
    found.recipe["made_by"]["mask"] = {"weights": "others"}
    channels = preview.StoredChannels(found)
    assert not channels.has_same_mask
    assert "would make others" in caplog.text


def test_nothing_in_the_store(stored, tiny_manifest, tmp_path):
    folder = stored(["rgb"])
    rows = tiny_manifest.rows.assign(sha256=["0" * 64] * len(tiny_manifest))
    other = manifests.Manifest(rows, tiny_manifest.folder)
    with pytest.raises(InputError, match="an array of none of the 72 images"):
        preview.preview(folder, other, tmp_path / "sheet.png")


def test_command(stored, tiny_manifest, tmp_path, capsys):
    folder = stored(["rgb"])
    csv = tmp_path / "m.csv"
    manifests.write(tiny_manifest, csv)
    output = tmp_path / "sheet.png"
    arguments = ["preview", str(folder), str(csv), "-o", str(output)]
    assert command.main([*arguments, "--rows", "1"]) == 0
    assert capsys.readouterr().out.startswith(f"sheet: {output}\nreal camera")
    with pytest.raises(InputError, match="--rows: expected 1 or more, got 0"):
        command.main([*arguments, "--rows", "0"])


@pytest.mark.parametrize(
    ("output", "kind", "message"),
    [
        ("sheet.xyz", InputError, r"sheet\.xyz: expected a name that ends with \.png"),
        ("sheet", InputError, r"expected a name that ends with \.png"),
        ("out/s.png", MissingFileError, "the folder .*out does not exist; make it"),
    ],
)
def test_a_place_that_cannot_take_a_sheet(output, kind, message, tmp_path):
    csv = tmp_path / "m.csv"
    csv.write_text("path,label,source\na.png,real,x\n")
    with pytest.raises(kind, match=message):
        command.main(["preview", "s", str(csv), "-o", str(tmp_path / output)])
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]
