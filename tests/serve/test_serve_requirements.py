"""An environment of requirements/serve.txt alone: a run with an export is enough there."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from kerasfaces.serve.exported import ExportedDetector

ROOT = Path(__file__).parents[2]
LIST = ROOT / "requirements" / "serve.txt"


def listed():
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and line[0] != "#"]


def with_dependencies(wanted):
    """The installed distributions that these requirements bring."""
    waiting, known = [(each, set(each.extras)) for each in wanted], {}
    while waiting:
        each, extras = waiting.pop()
        name = each.name.lower().replace("_", "-")
        if name in known:
            continue
        known[name] = importlib.metadata.distribution(each.name)
        for text in known[name].requires or ():
            needed = Requirement(text)
            environments = [{"extra": extra} for extra in (*extras, "")]
            marker = needed.marker
            if marker is None or any(marker.evaluate(each) for each in environments):
                waiting.append((needed, set(needed.extras)))
    return list(known.values())


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter that sees what serve.txt brings, linked from here, and kerasfaces."""
    folder = tmp_path_factory.mktemp("serve-only")
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for distribution in with_dependencies(listed()):
        tops = {file.parts[0] for file in distribution.files or ()} - {"..", ""}
        for top in tops:
            link = packages / top
            if not link.exists() and top != "__pycache__":
                link.symlink_to(distribution.locate_file(top))
    (packages / "kerasfaces").symlink_to(ROOT / "kerasfaces")
    return folder / "bin" / "python"


@pytest.fixture
def moved(run, test_rows, tmp_path):
    """A run with its export, elsewhere, as if copied to another machine."""
    ExportedDetector.open(run)
    (run / "model.keras").unlink()
    return shutil.move(run, tmp_path / "elsewhere")


def call(python, *words, **more):
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [str(python), *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=plain | more
    )


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("words", [["--quick"], []])
def test_predict_needs_no_more(python, moved, test_rows, words):
    there = call(python, "-c", "import tensorflow")
    assert "No module named 'tensorflow'" in there.stderr
    assert "No module named 'pandas'" in call(python, "-c", "import pandas").stderr
    file = test_rows[0][0]
    done = call(python, "-m", "kerasfaces", "predict", moved, file, "--json", *words)
    assert done.returncode in (0, 3, 4), done.stderr
    answer = json.loads(done.stdout)
    assert answer["detector"]["engine"] == "onnxruntime"
    assert answer["logit"] == pytest.approx(test_rows[1]["logit"][0], abs=1e-3)


@pytest.mark.slow
@pytest.mark.tf
def test_serve_needs_no_more_and_says_what_an_export_needs(python, moved, test_rows):
    code = (
        "import sys; from kerasfaces.serve.http.judge import Judge\n"
        "from kerasfaces.serve.http.settings import Settings\n"
        "from kerasfaces.serve.http.application import create\n"
        "from pathlib import Path\n"
        "create(Judge.open(Settings(run=Path(sys.argv[1]))))\n"
        "print([m for m in ('pandas', 'scipy', 'keras') if m in sys.modules])"
    )
    done = call(python, "-c", code, moved)
    assert done.stdout.strip() == "[]", done.stderr
    shutil.rmtree(Path(moved) / "exports")
    done = call(python, "-m", "kerasfaces", "serve", moved)
    assert done.returncode == 2
    assert "has no export that this machine can use" in done.stderr
    assert "Traceback" not in done.stderr
    words = [moved, test_rows[0][0], "--quick", "--engine", "keras"]
    done = call(python, "-m", "kerasfaces", "predict", *words)
    assert done.returncode == 2
    assert "pip install keras tensorflow" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.tf
def test_pip_makes_the_environment(moved, test_rows, tmp_path):
    venv.create(tmp_path / "new", with_pip=True)
    python = tmp_path / "new" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    constraints = str(ROOT / "constraints.txt")
    subprocess.run([*pip, "-c", constraints, "-r", str(LIST)], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    kerasfaces = tmp_path / "new" / "bin" / "kerasfaces"
    done = call(kerasfaces, "predict", moved, test_rows[0][0], "--json")
    assert done.returncode in (0, 3, 4), done.stderr
    assert json.loads(done.stdout)["detector"]["engine"] == "onnxruntime"
    assert sys.executable != str(python)
