"""A recipe is read from stores, runs and files; what is none is one sentence."""

import json

import pytest

from kerasfaces import store
from kerasfaces.channels import config as stage_config
from kerasfaces.channels import recipe
from kerasfaces.core.errors import InputError, MissingFileError

pytestmark = pytest.mark.torch
SMALL = stage_config.from_names(
    ["rgb", "spectrum"], "none", ["size_px=32", "spectrum.of=rgb"]
)


def test_recipe_round_trip_and_refusal():
    here = json.loads(json.dumps(recipe.recipe_of(SMALL)))
    assert recipe.config_from(here, "R") == SMALL
    recipe.refuse_difference(here, recipe.recipe_of(SMALL), "R")
    here["made_by"]["loader"]["pillow"] = "1.0"
    with pytest.raises(InputError, match=r"other channels \(made_by\.loader\.pillow"):
        recipe.refuse_difference(here, recipe.recipe_of(SMALL), "R")
    with pytest.raises(
        InputError, match="expected the recipe of a channel store; give"
    ):
        recipe.config_from({"kind": "images"}, "R")


def test_a_recipe_is_read_from_wherever_there_is_one(tmp_path):
    made = recipe.recipe_of(SMALL)
    with store.writing(tmp_path / "s", made, (32, 32, 5), "float16"):
        pass
    (tmp_path / "r").mkdir()
    spec = tmp_path / "r" / "input_spec.json"
    spec.write_text(json.dumps({"channels": [], "channel_recipe": made}))
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(made))
    for place in ("s", "s/store.json", "r", "r/input_spec.json", "bare.json"):
        assert recipe.read(tmp_path / place) == json.loads(bare.read_text())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"channel_recipe": None}, "is of a run on pixels"),
        ({"input": {}, "channels": []}, "expected the recipe of a channel store"),
        ([1], "expected the recipe of a channel store"),
        ({"recipe": {"kind": "images"}}, "expected the recipe of a channel store"),
    ],
)
def test_what_has_no_recipe_is_refused(values, message, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match=message):
        recipe.read(path)


def test_a_folder_without_recipe_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match=r"expected store\.json or input_spec"):
        recipe.read(tmp_path)
    with pytest.raises(MissingFileError, match="does not exist"):
        recipe.read(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": [1]}, r"R: config: expected keys and values, got \[1\]"),
        ({"config": {"options": [1]}}, r"config\.options: expected keys and values"),
        (
            {"config": {"channels": ["lnp"], "options": {"lnp": "small"}}},
            r"config\.lnp: expected keys and values, got 'small'",
        ),
    ],
)
def test_damaged_recipes_are_sentences(changes, message):
    damaged = {"kind": "channels", **changes}
    with pytest.raises(InputError, match=message):
        recipe.config_from(damaged, "R")
    assert recipe.differences(damaged, damaged) == []


def test_a_recipe_without_config_is_a_sentence():
    with pytest.raises(InputError, match="with the key config, got only kind, names"):
        recipe.config_from({"kind": "channels", "names": []}, "R")


def test_what_torch_was_built_for_does_not_matter():
    here = json.loads(json.dumps(recipe.recipe_of(SMALL)))
    version = here["made_by"]["channels"]["spectrum"]["torch"]
    assert "+" not in version
    gpu = json.loads(json.dumps(here))
    gpu["made_by"]["channels"]["spectrum"]["torch"] = f"{version}+cu130"
    assert recipe.differences(gpu, here) == []
    gpu["made_by"]["channels"]["spectrum"]["torch"] = "1.0+cu130"
    assert recipe.differences(gpu, here) == [
        f"made_by.channels.spectrum.torch: 1.0 -> {version}"
    ]
