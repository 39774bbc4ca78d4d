"""Pairs: both pictures written alike, resumable, and what cannot be used is named."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasfaces import manifest as manifests
from kerasfaces.cli import generate as command
from kerasfaces.core import rng
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError, LockedError, RunError
from kerasfaces.generate.config import GenerateConfig
from kerasfaces.generate.pairs import audit, generate
from kerasfaces.manifest import Manifest

UPSAMPLE = GenerateConfig(kind="upsample", size_px=64)


@pytest.fixture
def photos(tmp_path):
    """Five photos of two cameras, one of them tiny, one damaged; and a fake."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rows = []
    for number, (width, height) in enumerate([(90, 70), (64, 64), (200, 40), (3, 3)]):
        pixels = rng.generator(0, "photo", number).integers(
            0, 256, (height, width, 3), dtype=np.uint8
        )
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append([f"{number}.png", "real", f"camera {number % 2}", "train"])
    (folder / "bad.jpg").write_bytes(b"no image")
    rows.append(["bad.jpg", "real", "camera 0", "val"])
    Image.fromarray(pixels).save(folder / "fake.png")
    rows.append(["fake.png", "fake", "gan", "train"])
    columns = ["path", "label", "source", "split"]
    return Manifest(pd.DataFrame(rows, columns=columns), folder)


def test_both_pictures_of_a_pair_have_one_size_and_encoding(photos, tmp_path, caplog):
    written = generate(photos, tmp_path / "pairs", UPSAMPLE)
    rows = manifests.read(tmp_path / "pairs" / "manifest.csv").rows
    assert len(rows) == len(written) == 6
    assert set(rows["label"]) == {"real", "fake"}
    assert set(rows.loc[rows["label"] == "fake", "source"]) == {"upsample4x"}
    assert set(rows["split"]) == {"train"}
    for _, pair in rows.groupby("pair_id"):
        real, fake = (
            Image.open(
                tmp_path / "pairs" / pair.loc[pair["label"] == label, "path"].item()
            )
            for label in ("real", "fake")
        )
        assert real.size == fake.size
        assert real.quantization == fake.quantization
        assert real.size[0] % 4 == 0
        assert not real.info.get("exif")
        difference = np.asarray(real).astype(float) - np.asarray(fake)
        assert np.abs(difference).max() > 3
        assert abs(difference.mean()) < 2  # the real's low frequencies
    unusable = pd.read_csv(tmp_path / "pairs" / "unusable.csv")
    assert list(unusable["path"]) == ["3.png", "bad.jpg"]
    assert "has 3 px, the generator needs 4" in unusable["reason"][0]
    assert "2 of 5 photos have no pair" in caplog.text


def test_the_same_pairs_however_they_are_made(photos, tmp_path):
    one = generate(photos, tmp_path / "one", UPSAMPLE)
    other = generate(photos, tmp_path / "two", UPSAMPLE, Engine(workers=2))
    assert list(one.rows["sha256"]) == list(other.rows["sha256"])


def test_what_is_there_is_not_made_again(photos, tmp_path):
    folder = tmp_path / "pairs"
    first = generate(photos, folder, UPSAMPLE)
    path = folder / first.rows["path"][0]
    before = path.stat().st_mtime_ns
    (folder / first.rows["path"][1]).unlink()
    again = generate(photos, folder, UPSAMPLE)
    assert path.stat().st_mtime_ns == before
    pd.testing.assert_frame_equal(again.rows, first.rows)


def test_other_settings_need_another_folder(photos, tmp_path):
    generate(photos, tmp_path / "pairs", UPSAMPLE)
    other = GenerateConfig(kind="upsample", size_px=32)
    with pytest.raises(RunError, match="size_px: 64 -> 32"):
        generate(photos, tmp_path / "pairs", other)


def test_pairs_of_the_manifest_stay(photos, tmp_path):
    rows = photos.rows.assign(pair_id=["a", "", "c", "", "", "a"])
    written = generate(Manifest(rows, photos.folder), tmp_path / "pairs", UPSAMPLE)
    names = written.rows.loc[written.rows["label"] == "real", "pair_id"]
    assert names[0] == "a"
    assert len(names[1]) == 20


def test_without_a_photo_there_is_one_sentence(photos, tmp_path):
    fakes = Manifest(photos.rows[photos.rows["label"] == "fake"], photos.folder)
    with pytest.raises(InputError, match="no real photos"):
        generate(fakes, tmp_path / "pairs", UPSAMPLE)
    bad = Manifest(photos.rows[photos.rows["path"] == "bad.jpg"], photos.folder)
    with pytest.raises(InputError, match="Not one of the 1 photos can be used"):
        generate(bad, tmp_path / "pairs", UPSAMPLE)


def test_command(photos, tmp_path, capsys):
    csv = tmp_path / "m.csv"
    manifests.write(photos, csv)
    arguments = ["upsample", str(csv), "-o", str(tmp_path / "p"), "--set", "size_px=32"]
    options = [
        "--set",
        "options.stages=3",
        "--set",
        "quality_pct=90",
        "--set",
        "align=",
    ]
    assert command.main([*arguments, *options]) == 0
    out = capsys.readouterr().out
    assert "3 pairs, fakes of upsample8x" in out
    assert "side by side they find the fake of" in out
    audited = json.loads((tmp_path / "p" / "audit.json").read_text())
    assert audited["sharpness"]["n_pairs"] == 3
    with pytest.raises(InputError, match=r"no kind named 'upsampel'.*Did you mean"):
        command.main(["upsampel", str(csv), "-o", str(tmp_path / "p")])
    with pytest.raises(InputError, match=r"options.stages: expected 1 to 4"):
        command.main([*arguments, "--set", "options.stages=9"])


def test_too_few_pairs_are_not_audited(photos, tmp_path, caplog):
    one = Manifest(photos.rows[photos.rows["path"] == "0.png"], photos.folder)
    folder = tmp_path / "pairs"
    written = generate(one, folder, UPSAMPLE)
    (folder / "audit.json").write_text("{}")
    assert audit(written, folder) is None
    assert "The pairs were not audited: the audit needs at least two" in caplog.text
    assert not (folder / "audit.json").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size_px": 8}, "size_px: expected 32 to 4,096, got 8"),
        ({"cutoff": -0.1}, "cutoff: expected 0 to 1"),
        ({"mix_max": float("nan")}, "mix_max: expected 0 to 1"),
        ({"quality_pct": (90, 80)}, "quality_pct: expected"),
        ({"align": ("jpeg",), "resize": "shrink"}, "jpeg needs resize=none"),
        ({"quality_pct": ()}, "quality_pct: expected one quality or two"),
    ],
)
def test_values_out_of_range_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        GenerateConfig(kind="upsample", **changes)


def test_a_full_disk_leaves_nothing_half_and_the_same_command_continues(
    photos, tmp_path, monkeypatch
):
    write, written = Path.write_bytes, []

    def full(path, data):
        written.append(path)
        if len(written) > 3:
            write(path, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        generate(photos, tmp_path / "pairs", UPSAMPLE)
    monkeypatch.setattr(Path, "write_bytes", write)
    for path in (tmp_path / "pairs").rglob("*.jpg"):
        Image.open(path).load()
    assert len(generate(photos, tmp_path / "pairs", UPSAMPLE)) == 6


def test_two_processes_in_one_folder_are_refused(photos, tmp_path):
    folder = tmp_path / "pairs"
    holder = (
        "import sys; from pathlib import Path; from kerasfaces.core import folders\n"
        "with folders.lock(Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    command_line = [sys.executable, "-c", holder, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command_line, **pipes) as process:
        process.stdout.readline()
        with pytest.raises(LockedError, match="folder of pairs"):
            generate(photos, folder, UPSAMPLE)
        process.stdin.close()
    assert len(generate(photos, folder, UPSAMPLE)) == 6
