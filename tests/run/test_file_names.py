"""Only `kerasfaces.run` spells the names of the files in a run folder."""

import ast
from pathlib import Path

import pytest

from kerasfaces.run import folder

ROOT = Path(__file__).parents[2]
NAMES = {
    value.name
    for kind in vars(folder).values()
    if isinstance(kind, type)
    for value in vars(kind).values()
    if isinstance(value, folder.File | folder.JsonFile)
} - {"manifest.csv", "audit.json", "clock.json", "tensorboard"}  # not runs' alone
ELSEWHERE = {"run", "tune"}  # a study's trials are tune's own
BELOW = {
    Path("channels/recipe.py"),  # reads the recipe in an input specification
    Path("generate/networks/autoencoders.py"),  # diffusers' config.json
}
SOURCES = [
    path
    for top in ("kerasfaces", "experiments")
    for path in sorted((ROOT / top).rglob("*.py"))
    if path.relative_to(ROOT / top).parts[0] not in ELSEWHERE
    and path.relative_to(ROOT / top) not in BELOW
]


def test_the_names_are_known():
    assert {"config.json", "metrics.json", "model.keras", "input_spec.json"} <= NAMES


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_other_module_spells_them(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not texts & NAMES
    assert not [text for text in texts if text.endswith("predictions_")]
