import subprocess
import sys
import time

import pytest

from kerasfaces import manifest as manifests
from kerasfaces.cli import manifest as command
from kerasfaces.core.errors import InputError, MissingFileError


@pytest.fixture
def built(folders, run, tmp_path):
    path = tmp_path / "m.csv"
    assert run("build", folders, "-o", path)[0] == 0
    return path


@pytest.mark.parametrize(
    "arguments",
    [[], ["build"], ["split"], ["check"], ["audit"], ["select"], ["balance"]],
)
def test_help_has_examples(arguments, capsys):
    with pytest.raises(SystemExit, match="0"):
        command.main([*arguments, "--help"])
    out = capsys.readouterr().out
    assert "examples:\n  kerasfaces manifest " in out
    assert max(map(len, out.splitlines())) <= 110


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys; from kerasfaces.cli.manifest import main\n"
        "try: main(['split', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'numpy', 'PIL', 'sklearn', 'scipy', 'keras'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 2  # .1 s on a quiet machine


def test_split_in_place_then_refuses_then_overwrites(built, run):
    code, out = run("split", built)
    assert code == 0
    assert "near duplicate" in out
    first = manifests.read(built).rows
    assert first["split"].value_counts().to_dict() == {"train": 20, "val": 4, "test": 4}
    with pytest.raises(InputError, match="28 of 28 rows have a split already"):
        run("split", built, "--seed", 1)
    assert manifests.read(built).rows.equals(first)
    assert run("split", built, "--seed", 1, "--overwrite")[0] == 0
    assert not manifests.read(built).rows.equals(first)
    assert run("split", built, "--seed", 0, "--overwrite")[0] == 0
    assert manifests.read(built).rows.equals(first)


def test_split_to_another_folder_rewrites_paths(built, run, tmp_path):
    out = tmp_path / "deep" / "er" / "s.csv"
    assert run("split", built, "--ratio", "80/20", "-o", out)[0] == 0
    done = manifests.read(out)
    assert done.files() == manifests.read(built).files()
    assert set(done.rows["split"]) == {"train", "test"}
    assert set(manifests.read(built).rows["split"]) == {""}
    with pytest.raises(InputError, match=r"s\.csv exists"):
        run("split", built, "-o", out)


def test_two_way_split_warns_that_training_needs_val(built, run, caplog):
    run("split", built, "--ratio", "80/20", "--near-duplicates", "off")
    assert "no val split" in caplog.text


def test_where(built, run, tmp_path):
    code, out = run(
        "select", built, "--where", "source=cam_a,gan", "-o", tmp_path / "s.csv"
    )
    assert code == 0
    rows = manifests.read(tmp_path / "s.csv").rows
    assert rows["source"].value_counts().to_dict() == {"cam_a": 7, "gan": 7}
    run(
        "split", built, "--where", "source!=sd", "--where", "format=JPEG",
        "--ratio", "1:1:1", "-o", tmp_path / "t.csv",
    )  # fmt: skip
    rows = manifests.read(tmp_path / "t.csv").rows
    assert set(rows["source"]) == {"cam_a", "cam_b", "gan"}
    code, out = run("audit", built, "--where", "source=cam_a,sd")
    assert "7 real, 7 fake" in out
    assert code in (0, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["select", "M", "-o", "x.csv"], "at least one --where"),
        (["select", "M", "--where", "source", "-o", "x.csv"], "expected COLUMN=VALUE"),
        (
            ["select", "M", "--where", "kind=a", "-o", "x.csv"],
            "one of the columns path",
        ),
        (["select", "M", "--where", "source=odd", "-o", "x.csv"], "no row has source"),
        (["select", "M", "--where", "split!=", "-o", "x.csv"], "leaves no row"),
        (["split", "M", "--where", "source=gan"], "would drop the other rows"),
        (["split", "M", "--ratio", "5"], "expected train:val:test"),
        (["split", "M", "--near-duplicates", "200"], r"distance of 0\.\.24"),
        (["audit", "M", "--where", "label=real"], "two readable fake images"),
        (["split", "M", "--where", "label=real", "-o", "x.csv"], "no fake image"),
    ],
)
def test_mistakes(built, run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    before = built.read_bytes()
    with pytest.raises(InputError, match=message):
        run(*[str(built) if each == "M" else each for each in arguments])
    assert built.read_bytes() == before
    assert not (tmp_path / "x.csv").exists()


def test_root(built, run, tmp_path, folders):
    text = built.read_text().replace("data/", "")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "m.csv").write_text(text)
    assert run("check", elsewhere / "m.csv")[0] == 1
    assert run("check", elsewhere / "m.csv", "--root", folders)[0] == 0
    assert run("split", elsewhere / "m.csv", "--root", folders)[0] == 0
    assert manifests.read(elsewhere / "m.csv").files()[0].exists()


def test_a_missing_manifest(run, tmp_path):
    for name in ("split", "check", "audit"):
        with pytest.raises(MissingFileError, match="does not exist"):
            run(name, tmp_path / "none.csv")


def test_one_sentence_and_exit_code_2(tmp_path):
    """The process as a user starts it."""
    (tmp_path / "m.csv").write_text("path,label,source\na.jpg,real,cam\n")
    done = subprocess.run(
        [sys.executable, "-m", "kerasfaces.manifest", "split", str(tmp_path / "m.csv")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "1 real image cannot be split into 3 parts" in errors[0]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_many_files_go_through_worker_processes(tmp_path, picture):
    """Above the in-process limit, in a fresh process with a guarded main module."""
    for i in range(120):
        label = "real/cam" if i % 2 else "fake/gan"
        (tmp_path / label).mkdir(parents=True, exist_ok=True)
        picture(i).save(tmp_path / label / f"{i}.jpg")
    done = subprocess.run(
        [sys.executable, "-m", "kerasfaces.manifest", "build", str(tmp_path), "-o",
         str(tmp_path / "m.csv")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (manifests.read(tmp_path / "m.csv").rows["width_px"] == "48").all()
