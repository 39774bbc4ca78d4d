"""One engine computes a store's channels: recorded, kept to, refused where it is another."""

import importlib.util
import json
import logging

import pytest

from kerasfaces import cli, manifest, store
from kerasfaces.cli.channels import main
from kerasfaces.core import registry

pytestmark = pytest.mark.torch
SMALL = ["--channels", "lnp", "--set", "size_px=32"]
TORCH = ["--set", "lnp.engine=torch"]
OPENVINO = ["--set", "lnp.engine=openvino"]


@pytest.fixture
def table(tiny_manifest, tmp_path):
    """A manifest file of four images, and one of two."""
    few = tiny_manifest.take([row % 18 == 0 for row in range(len(tiny_manifest))])
    for name, n in (("all.csv", len(few)), ("part.csv", 2)):
        manifest.write(few.take([row < n for row in range(len(few))]), tmp_path / name)
    return tmp_path / "all.csv"


@pytest.fixture
def no_openvino(monkeypatch):
    find = importlib.util.find_spec

    def found(name, *rest):
        return None if name == "openvino" else find(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", found)


def exit_code(*argv):
    with pytest.raises(SystemExit) as caught:
        cli.run(main, [str(part) for part in argv])
    return caught.value.code


def engine_of(folder):
    recipe = json.loads((folder / "store.json").read_text())["recipe"]
    return recipe["made_by"]["channels"]["lnp"].get("engine", "")


def rewrite(folder, engine):
    """Let a store be of another engine; None: of an earlier version."""
    path = folder / "store.json"
    values = json.loads(path.read_text())
    values["recipe"]["made_by"]["channels"]["lnp"]["engine"] = engine
    if engine is None:
        del values["recipe"]["made_by"]["channels"]["lnp"]["engine"]
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(
    "first", [TORCH, pytest.param(OPENVINO, marks=pytest.mark.slow)]
)
def test_two_engines_never_mix_in_a_store(first, table, tmp_path, capsys):
    pytest.importorskip("openvino")
    folder, part = tmp_path / "s", tmp_path / "part.csv"
    other = OPENVINO if first is TORCH else TORCH
    assert exit_code(part, "-o", folder, *SMALL, *first) == 0
    before = engine_of(folder)
    assert before.startswith(first[1].rpartition("=")[2] + " ")
    capsys.readouterr()
    assert exit_code(table, "-o", folder, *SMALL, *other) == 2
    said = capsys.readouterr().err
    assert f"lnp was computed by {before}, and here it would be by " in said
    assert "not mixed: leave lnp.engine out, or compute a new store" in said
    assert said.count("\n") == 1
    # Left open, the engine is the store's.
    assert exit_code(table, "-o", folder, *SMALL) == 0
    assert engine_of(folder) == before
    assert exit_code(table, "-o", folder, *SMALL) == 0
    assert "computed now: 0" in capsys.readouterr().out


def test_a_store_continued_has_the_bytes_of_one_made_at_once(table, tmp_path):
    once, twice = tmp_path / "once", tmp_path / "twice"
    assert exit_code(table, "-o", once, *SMALL, *TORCH) == 0
    assert exit_code(tmp_path / "part.csv", "-o", twice, *SMALL, *TORCH) == 0
    assert exit_code(table, "-o", twice, *SMALL) == 0
    keys = list(store.Store(once).entries)
    one, other = (store.Store(each).gather(keys) for each in (once, twice))
    assert (one == other).all()


@pytest.mark.parametrize(
    ("engine", "known"),
    [
        ("openvino 1.0.0", "computed by openvino 1.0.0, and here"),
        ("torch 1.0.0", "computed by torch 1.0.0, and here"),
        (None, "computed by an engine that is not recorded"),
    ],
)
@pytest.mark.parametrize("way", ["continue", "repair", "recipe"])
@pytest.mark.usefixtures("no_openvino")
def test_an_engine_that_is_not_here_is_refused(
    engine, known, way, table, tmp_path, capsys
):
    folder = tmp_path / "s"
    assert exit_code(tmp_path / "part.csv", "-o", folder, *SMALL, *TORCH) == 0
    here = engine_of(folder)
    rewrite(folder, engine)
    shards = {path.name for path in folder.glob("*.npy")}
    capsys.readouterr()
    argv = {
        "continue": [table, "-o", folder, *SMALL],
        "repair": ["repair", folder, table],
        "recipe": [table, "-o", tmp_path / "new", "--recipe", folder],
    }[way]
    assert exit_code(*argv) == 2
    said = capsys.readouterr().err
    assert known in said
    assert f"would be by {here};" in said
    assert {path.name for path in folder.glob("*.npy")} == shards
    if way == "recipe":  # asked for by name, into a store of its own
        assert exit_code(*argv, *TORCH) == 0
        assert engine_of(tmp_path / "new") == here


def test_an_empty_store_takes_the_engine_of_here(table, tmp_path):
    folder = tmp_path / "s"
    assert exit_code(table, "-o", folder, *SMALL, *TORCH) == 0
    here = engine_of(folder)
    for path in [*folder.glob("*.npy"), folder / "index.csv", folder / "SHA256SUMS"]:
        path.unlink()
    rewrite(folder, "openvino 1.0.0")
    assert exit_code(table, "-o", folder, *SMALL, *TORCH) == 0
    assert engine_of(folder) == here


def test_every_plug_in_with_an_engine_is_known():
    from kerasfaces.channels.engines import RUN_BY_ENGINE

    for package in ("kerasfaces.channels.kinds", "kerasfaces.channels.masks"):
        for name in registry.names(package):
            has = hasattr(registry.load(package, name).Options(), "engine")
            assert has == (name in RUN_BY_ENGINE), name


@pytest.mark.usefixtures("no_openvino")
def test_caches_are_named_by_the_engine_and_the_difference_is_said_once(
    caplog, tmp_path
):
    from kerasfaces.channels import engines
    from kerasfaces.dataset import channels

    def recipe(engine):
        made_by = {"channels": {"lnp": {"engine": engine}}, "mask": {}, "loader": {}}
        return {"kind": "channels", "config": {"mask": "none"}, "made_by": made_by}

    engines._log_once.cache_clear()
    with caplog.at_level(logging.INFO, "kerasfaces"):
        one, other = (engines.available(recipe("openvino 1.0.0")) for _ in range(2))
    assert one == other
    here = engines.recorded(one)["lnp"]
    assert here.startswith("torch ")
    assert store.cache_folder("channels", one) != store.cache_folder(
        "channels", recipe("openvino 1.0.0")
    )
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"the run was trained on lnp by openvino 1.0.0, here it is by {here}: logits can "
        "differ in their last digits"
    ]
    assert engines.available(recipe(here)) == recipe(here)
    old = recipe("openvino 2.0.0")
    with caplog.at_level(logging.INFO, "kerasfaces"):
        channels.check_recipe(old, recipe(here), "the run", tmp_path)
    assert "by openvino 2.0.0, here it is by torch" in caplog.text
