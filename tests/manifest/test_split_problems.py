"""What splits lack, and the command that mends it: typed as it is printed, it does."""

import re
import shlex
from pathlib import Path

import pytest

from kerasfaces import manifest as manifests
from kerasfaces.api.loading import load_data
from kerasfaces.cli import command, train
from kerasfaces.cli.manifest import main
from kerasfaces.core.errors import InputError


@command
def read(path):
    """Read a manifest as `train --manifest` does."""
    asked = train.parser().parse_args(["--manifest", str(path)])
    load_data(asked.manifest)


@pytest.fixture
def with_splits(tmp_path, picture):
    """Return a function that writes a manifest: split -> (reals, fakes)."""

    def write(**counts):
        number = 0
        lines = ["path,label,source,split"]
        (tmp_path / "i m g").mkdir(exist_ok=True)
        for split, (n_real, n_fake) in counts.items():
            for label in ["real"] * n_real + ["fake"] * n_fake:
                path = tmp_path / "i m g" / f"{number}.png"
                picture(number, 32).save(path)
                lines.append(f"{path},{label},s-{label},{split.strip('_')}")
                number += 1
        (tmp_path / "my m.csv").write_text("\n".join(lines) + "\n")
        return tmp_path / "my m.csv"

    return write


def splits_of(path):
    """Return file -> split."""
    read = manifests.read(Path(path))
    return dict(zip(read.files(), read.rows["split"], strict=True))


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"train": (9, 9), "test": (4, 4)}, r"no val split \(18 train, 8 test\)"),
        ({"train": (9, 9), "val": (4, 4)}, r"no test split \(18 train, 8 val\)"),
        ({"train": (9, 9)}, r"neither val nor test split \(18 train\)"),
        ({"train": (5, 5), "val": (3, 3), "test": (3, 3), "_": (2, 0)}, "2 of 24 rows"),
        (
            {"train": (9, 9), "val": (0, 4), "test": (3, 3)},
            r"split val leaves a class out \(0 real, 4 fake\)",
        ),
    ],
)
def test_the_command_in_the_error_mends_it(with_splits, counts, says):
    path = with_splits(**counts)
    before = splits_of(path)
    with pytest.raises(InputError, match=says) as caught:
        read(path)
    command = re.search(r"kerasfaces manifest (.*)$", str(caught.value)).group(1)
    words = shlex.split(command)
    assert main(words) == 0
    made = words[words.index("-o") + 1] if "-o" in words else path
    notes = load_data(Path(made)).notes
    assert notes == ()
    after = splits_of(made)
    assert all(after[file] == "test" for file in before if before[file] == "test")


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"test": (3, 3)}, r"neither train nor val split.*--split-is none"),
        ({"train": (3, 3), "val": (2, 2), "test": (2, 0)}, "Add fake images to it"),
        ({"train": (9, 0), "test": (9, 0)}, "no fake image among 18 rows"),
        ({"_": (9, 0)}, "no fake image among 9 rows"),
    ],
)
def test_what_only_other_images_mend(with_splits, counts, says):
    with pytest.raises(InputError, match=says):
        read(with_splits(**counts))


def test_no_splits_at_all_are_fine(with_splits):
    load_data(with_splits(_=(3, 3)))


def test_split_never_advises_to_lose_a_test(with_splits, run):
    path = with_splits(train=(6, 6), test=(3, 3))
    with pytest.raises(InputError, match="--validation-from train") as caught:
        run("split", path)
    text = str(caught.value)
    assert "--overwrite" not in text.replace("--overwrite -o", "")
    with pytest.raises(InputError, match="leave --overwrite out"):
        run("split", path, "--validation-from", "train", "--overwrite")


def test_what_belongs_together_is_not_cut(with_splits, run):
    path = with_splits(train=(12, 12), test=(4, 4))
    read = manifests.read(path)
    pairs = [str(i % 12) if i < 24 else "" for i in range(len(read))]
    rows = read.rows.assign(pair_id=pairs)
    manifests.write(manifests.Manifest(rows, read.folder), path)
    code, out = run(
        "split", path, "--validation-from", "train", "--ratio", "2:1", "--seed", 3
    )
    assert code == 0
    assert "pair id" in out
    after = manifests.read(path).rows
    assert after["split"].value_counts().to_dict() == {"train": 16, "val": 8, "test": 8}
    paired = after[after["pair_id"] != ""]
    assert (paired.groupby("pair_id")["split"].nunique() == 1).all()


def test_a_split_that_would_leave_a_class_out_is_refused(with_splits, run):
    path = with_splits(_=(4, 4))
    read = manifests.read(path)
    # one large group of reals with a fake, and lone rows that cannot fill every split
    rows = read.rows.assign(pair_id=["a", "a", "a", "b", "b", "c", "c", "c"])
    manifests.write(manifests.Manifest(rows, read.folder), path)
    with pytest.raises(InputError, match="cannot be split into"):
        run("split", path, "--near-duplicates", "off")
