"""Each module imports only from its left: see `LAYERS`."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = [
    {"core"},
    {"images", "graphs", "faces", "store", "metrics", "report"},
    {"tables"},
    {"manifest"},
    {"sample", "channels"},
    {"generate"},
    {"dataset"},
    {"models", "baselines"},
    {"features", "annotate"},
    {"run"},
    {"evaluate"},
    {"compare"},
    {"train"},
    {"estimate"},
    {"attribute"},
    {"tune"},
    {"crossgen"},
    {"launder"},
    {"embed"},
    {"explain"},
    {"serve"},
    {"api"},
    {"cli"},
    {"cache", "ensemble", "predict", "similar", "export", "publish", "app"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FRAMEWORKS = {"tensorflow", "keras", "keras_tuner", "torch"}
SOURCES = sorted((ROOT / "kerasfaces").rglob("*.py"))


def layer_of(path):
    parts = path.relative_to(ROOT / "kerasfaces").with_suffix("").parts
    return parts[0]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "kerasfaces":
                yield from (f"kerasfaces.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_only_from_its_left(path):
    own = layer_of(path)
    if own == "__init__" or path.name == "__main__.py":
        return
    assert own in LEVEL, (
        f"{own} is in no layer: add it to LAYERS and to the documentation"
    )
    for name in imports(path):
        assert not name.startswith(("experiments", "tuning", "benchmarks", "tests"))
        if name.startswith("kerasfaces."):
            other = name.split(".")[1]
            if other in ("__version__", own):
                continue
            assert LEVEL[other] <= LEVEL[own], f"{own} imports {other}"


def modules_imported(path, modules):
    """Yield the modules of this package that a file imports, anywhere in it but for types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules else node.module for name in inner]
        yield from (name for name in names if name in modules)


def test_no_modules_import_each_other_in_a_circle():
    modules = {}
    for path in SOURCES:
        parts = path.relative_to(ROOT).with_suffix("").parts
        modules[".".join(p for p in parts if p != "__init__")] = path
    graph = {
        name: {other for other in modules_imported(path, modules) if other != name}
        for name, path in modules.items()
    }
    # The package itself is its version and the names that users see, lazily.
    graph["kerasfaces"] = set()
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_torch_only_in_channels_and_no_tensorflow_in_models(path):
    own = layer_of(path)
    roots = {name.split(".")[0] for name in imports(path)}
    if own in ("channels", "generate"):
        assert not roots & {"tensorflow", "keras"}
    else:
        assert "torch" not in roots
    if own == "models":
        assert "tensorflow" not in roots
    if own in ("metrics", "manifest", "images", "store"):
        assert not roots & FRAMEWORKS


@pytest.mark.parametrize(
    "stage",
    [
        "kerasfaces",
        "kerasfaces.cli.train",
        "kerasfaces.cli.tune",
        "kerasfaces.attribute.run",
        "kerasfaces.cli.launder",
        "kerasfaces.cli.explain",
        "kerasfaces.compare.comparison",
        "kerasfaces.compare.ensemble",
        "kerasfaces.cli.predict",
        "kerasfaces.cli.export",
        "kerasfaces.serve.predict",
        "kerasfaces.serve.exported",
        "kerasfaces.cli.serve",
        "kerasfaces.serve.export",
    ],
)
def test_starting_a_command_imports_no_framework(run_python, stage):
    code = f"import sys, {stage}; print([m for m in sys.modules if m in {FRAMEWORKS}])"
    assert run_python(code).strip() == "[]"


@pytest.mark.tf
def test_train_loads_no_torch(warm_python, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; from kerasfaces.core import imports; imports.import_keras()\n"
        "import kerasfaces.train.run, kerasfaces.train.fit, kerasfaces.run.predictor\n"
        "import kerasfaces.tune.run, kerasfaces.tune.trainer\n"
        "print('torch' in sys.modules)\n"
    )
    assert warm_python.start([script], tmp_path).wait() == 0
    assert (tmp_path / "out").read_text().strip() == "False"


def test_every_test_file_is_collected():
    strays = [
        path
        for path in (ROOT / "tests").rglob("*.py")
        if not path.name.startswith("test_")
        and path.name not in ("conftest.py", "__init__.py")
    ]
    helpers = [
        path for path in strays if "def test_" in path.read_text(encoding="utf-8")
    ]
    assert helpers == []
