"""`kerasfaces channels`: results on stdout, one sentence per mistake."""

import json
import os
import subprocess
import sys

import pytest

from kerasfaces import cli, images, manifest, store
from kerasfaces.cli.channels import main

pytestmark = pytest.mark.torch
SMALL = ["--channels", "rgb,spectrum", "--set", "spectrum.of=rgb"]
SMALL += ["--set", "size_px=32"]


@pytest.fixture
def table(tiny_manifest, tmp_path):
    """A manifest file of twelve images."""
    few = tiny_manifest.take([row % 6 == 0 for row in range(len(tiny_manifest))])
    path = tmp_path / "few.csv"
    manifest.write(few, path)
    return path


def exit_code(argv):
    with pytest.raises(SystemExit) as caught:
        cli.run(main, [str(part) for part in argv])
    return caught.value.code


def test_writes_a_store_and_says_so(table, tmp_path, capsys):
    folder = tmp_path / "s"
    assert exit_code([table, "-o", folder, *SMALL]) == 0
    out = capsys.readouterr().out
    assert "12 images: 12 ok, 0 without an array; computed now: 12" in out
    assert "32x32x5 float16: red, green, blue, amplitude, phase (mask none)" in out
    assert exit_code([table, "-o", folder, *SMALL]) == 0
    assert "computed now: 0" in capsys.readouterr().out


def test_verify_and_repair(table, tmp_path, capsys):
    folder = tmp_path / "s"
    exit_code([table, "-o", folder, *SMALL])
    assert exit_code(["verify", folder]) == 0
    assert "no findings" in capsys.readouterr().out
    shard = next(folder.glob("*.npy"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:200])
    assert exit_code(["verify", folder]) == 1
    assert f"{shard.name}: is truncated or damaged" in capsys.readouterr().out
    assert exit_code([table, "-o", folder, *SMALL]) == 2
    assert f"run: kerasfaces channels repair {folder}" in capsys.readouterr().err
    assert exit_code(["repair", folder, table]) == 0
    assert "12 images to compute again" in capsys.readouterr().out
    assert shard.read_bytes() == whole
    (folder / "SHA256SUMS").unlink()
    assert exit_code(["verify", folder]) == 0
    assert "1 shards have no checksum" in capsys.readouterr().out
    assert exit_code(["repair", folder]) == 0
    assert exit_code(["verify", folder]) == 0
    assert "checksum" not in capsys.readouterr().out


def test_recipe_and_files_make_the_same_store(table, tmp_path, capsys):
    folder = tmp_path / "s"
    exit_code([table, "-o", folder, *SMALL])
    wanted = tmp_path / "recipe.json"
    wanted.write_text(json.dumps(store.Store(folder).recipe))
    listed = tmp_path / "list.txt"
    files = manifest.read(table).files()
    listed.write_text("".join(f"{path}\n" for path in files))
    again = tmp_path / "again"
    assert exit_code(["--recipe", wanted, "--files", listed, "-o", again]) == 0
    assert store.Store(again).recipe == store.Store(folder).recipe
    keys = [images.sha256(path.read_bytes()) for path in files]
    first, second = (store.Store(one).gather(keys) for one in (folder, again))
    assert first.tobytes() == second.tobytes()

    changed = json.loads(wanted.read_text())
    changed["made_by"]["loader"]["pillow"] = "1.0"
    wanted.write_text(json.dumps(changed))
    capsys.readouterr()
    assert exit_code(["--recipe", wanted, "--files", listed, "-o", again]) == 2
    error = capsys.readouterr().err.strip()
    assert "would make other channels (made_by.loader.pillow: 1.0 -> " in error
    assert len(error.splitlines()) == 1


def test_nothing_succeeded_is_exit_1_but_a_list_has_its_reasons(tmp_path, capsys):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    rows = tmp_path / "m.csv"
    rows.write_text("path,label,source\nbad.png,real,x\n")
    assert exit_code([rows, "-o", tmp_path / "s", *SMALL]) == 1
    assert "1 not an image" in capsys.readouterr().out
    listed = tmp_path / "list.txt"
    listed.write_text(f"{bad}\n")
    assert exit_code(["--files", listed, "-o", tmp_path / "t", *SMALL]) == 0
    key = images.sha256(b"no image")
    assert "not an image" in store.Store(tmp_path / "t").status(key)


def test_a_list_with_nul_keeps_newlines_in_paths(table, tmp_path):
    file = tmp_path / "two\nlines.png"
    file.write_bytes(manifest.read(table).files()[0].read_bytes())
    listed = tmp_path / "list.txt"
    listed.write_bytes(f"{file}\0".encode())
    assert exit_code(["--files", listed, "-o", tmp_path / "s", *SMALL]) == 0
    key = images.sha256(file.read_bytes())
    assert store.Store(tmp_path / "s").status(key) == store.OK


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-o", "s"], "Give either a manifest or --files"),
        (["nothing.csv", "-o", "s"], "nothing.csv"),
        (["--files", "nothing.txt", "-o", "s"], "--files nothing.txt does not exist"),
        (["verify", "nothing"], "kerasfaces channels M -o STORE makes one"),
        (["verify", os.devnull], f"{os.devnull} is no store (a folder of arrays and"),
        (["repair", "nothing"], "nothing/store.json does not exist"),
    ],
)
def test_mistakes_are_one_sentence(argv, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert exit_code(argv) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_unknown_names_and_options(table, tmp_path, capsys):
    for extra, message in (
        (["--channels", "lpn"], "no channel named 'lpn'"),
        (
            ["--channels", ""],
            "expected one or more different names, got []; available: ",
        ),
        (["--mask", ""], "no mask named ''"),
        (["--mask", "ellipsis"], "no mask named 'ellipsis'"),
        ([*SMALL, "--set", "spectrum.color=3"], "unknown key 'color'"),
        ([*SMALL, "--recipe", "x.json"], "leave those options out"),
    ):
        assert exit_code([table, "-o", tmp_path / "s", *extra]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_help_names_plugins_and_imports_no_framework(run_python):
    code = (
        "import sys, kerasfaces.channels\n"
        "from kerasfaces.cli.channels import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'tensorflow', 'keras') if m in sys.modules])"
    )
    lines = run_python(code).strip().splitlines()
    assert lines[-1] == "[]"
    text = "\n".join(lines)
    assert "spectrum" in text
    assert "ellipse" in text


@pytest.mark.slow
def test_running_loads_no_tensorflow(table, tmp_path):
    code = (
        "import sys\n"
        "from kerasfaces.cli.channels import main\n"
        f"main({[str(table), '-o', str(tmp_path / 's'), *SMALL]})\n"
        "print([m for m in ('tensorflow', 'keras') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_torch_missing_is_one_sentence(table, tmp_path):
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from kerasfaces import cli\n"
        "from kerasfaces.cli.channels import main\n"
        f"cli.run(main, {[str(table), '-o', str(tmp_path / 's'), *SMALL]})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'kerasfaces[channels]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
