"""What the library advises in Python is spelled for the shell by the parsers."""

import pytest

from kerasfaces import cli
from kerasfaces.cli import manifest, train
from kerasfaces.core.errors import InputError, MissingFileError


def _spelled(parse, sentence, error=InputError):
    @cli.command
    def main(words):
        parse(words)
        raise error(sentence)

    with pytest.raises(error) as caught:
        main(["--manifest", "my m.csv"] if parse is _train else ["split", "m.csv"])
    return str(caught.value)


def _train(words):
    train.parser().parse_args(words)


def _split(words):
    manifest.parser().parse_args(words)


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("give any copy with `weights=FILE`.", "give any copy with --weights FILE."),
        ("`weights='a b'`: no such file.", "--weights 'a b': no such file."),
        ("so `root` cannot help", "so --root cannot help"),
        ("add `mixed_precision=True`.", "add --mixed-precision."),
        ("`train_base=False` keeps it", "--set train_base=false keeps it"),
        ("`model__size_px=224`", "--set model.size_px=224"),
        ("`assignments` 'epochs': expected", "--set 'epochs': expected"),
        ("`model='resnet50', epochs=3`", "--model resnet50 --set epochs=3"),
        ("run `ray start --head`; `nothing`", "run `ray start --head`; `nothing`"),
        (
            "`data.split(validation_from='train')`",
            "kerasfaces manifest split 'my m.csv' --validation-from train",
        ),
        (
            "`data.split(overwrite=True)`",
            "kerasfaces manifest split 'my m.csv' --overwrite -o 'my m-anew.csv'",
        ),
        (
            "`data.select(split=['train', 'val'])`",
            "kerasfaces manifest select 'my m.csv' --where split=train,val "
            "-o 'my m-selected.csv'",
        ),
        (
            "`data.join(REAL)`",
            "kerasfaces manifest join 'my m.csv' REAL.csv -o 'my m-joined.csv'",
        ),
        (
            "`Manifest.from_table(data.table, root=data.manifest.folder, "
            "split_names={'val': 'test'}).split(validation_from='train')`",
            "kerasfaces manifest build 'my m.csv' --map-split val=test "
            "--validation-from train -o 'my m-built.csv'",
        ),
        (
            "`Manifest.from_folders(A, label_is='real')"
            ".join(Manifest.from_folders(B, label_is='fake'))`",
            "kerasfaces manifest build A --label-is real B --label-is fake "
            "-o 'my m-built.csv'",
        ),
        (
            "`data.check()` lists them",
            "kerasfaces manifest check 'my m.csv' lists them",
        ),
    ],
)
def test_python_is_spelled_for_the_shell(python, shell):
    assert _spelled(_train, python) == shell


def test_a_subcommand_is_spelled_by_its_own_parser():
    text = "`overwrite=True` or `near_duplicates`; `suffix='.png'`, `weights=FILE`"
    assert _spelled(_split, text) == (
        "--overwrite or --near-duplicates; --suffix .png of kerasfaces manifest build, "
        "--weights FILE of kerasfaces train"
    )
    assert "split m.csv --overwrite -o m-anew.csv" in _spelled(
        _split, "`data.split(overwrite=True)`", MissingFileError
    )


def test_outside_a_command_nothing_changes():
    train.parser().parse_args([])
    assert cli.at_shell("`weights=FILE`") == "`weights=FILE`"
