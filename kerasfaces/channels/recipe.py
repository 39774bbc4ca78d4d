"""What decides a channel store's bytes, as JSON: the recipe kept in `store.json`.

The recipe travels into run folders; a machine that would make other arrays from it
refuses to (`refuse_difference`).
"""

import copy
from pathlib import Path

from kerasfaces.channels import config as stage_config
from kerasfaces.channels import engines
from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.engines import inside
from kerasfaces.channels.worker import Worker
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import Json, read_json

KIND = "channels"
# Where a file lies does not matter; its hash, in `made_by`, does.
_FILE_OPTIONS = frozenset({"weights", "checkpoint"})


def recipe_of(config: ChannelsConfig) -> Json:
    """Return the recipe of `config` on this machine; builds the channels, so may be slow."""
    return recipe_by(Worker(config))


def recipe_by(worker: Worker) -> Json:
    """Return the recipe of a worker's configuration, with what it has built.

    Returns:
        `kind`, `names` (the store's channels in order), `ranges` (per name, lowest and
        highest, null where unbounded), `scale` (uint8: what 0 and 255 stand for, per
        channel; else null), `config`, `made_by` (loader, mask and channels: hashes of
        weights, versions of libraries, engines).
    """
    config = configs.to_dict(worker.config)
    for options in config["options"].values():
        options.pop("engine", None)  # `made_by` names the one that was chosen
        options.pop("download", None)  # `made_by` has the file's hash
    channels = {n: dict(each.spec.made_by) for n, each in worker.channels.items()}
    return {
        "kind": KIND,
        "names": list(worker.ranges),
        "ranges": worker.ranges,
        "scale": worker.scale,
        "config": config,
        "made_by": {
            "loader": worker.config.input_spec.recipe(),
            "mask": dict(worker.mask.made_by),
            "channels": channels,
        },
    }


def read(path: Path) -> Json:
    """Return the recipe in any place that has one.

    Args:
        path: A store or its `store.json`, a run or its `input_spec.json`, or the bare
            recipe.

    Raises:
        MissingFileError: There is nothing.
        InputError: It holds no recipe of channels.
    """
    values = read_json(_file_of(path))
    if isinstance(values, dict) and "kind" not in values:
        values = values.get("channel_recipe", values.get("recipe", values))
    if values is None:
        raise InputError(
            f"{path} is of a run on pixels, without a recipe of channels; give a store "
            "(`data.compute_channels(STORE)` makes one), or a run trained with `store`."
        )
    if not isinstance(values, dict) or values.get("kind") != KIND:
        raise _no_recipe(str(path))
    return values


def config_from(recipe: Json, where: str) -> ChannelsConfig:
    """Return the configuration in a recipe, with its engines where this machine has them.

    Raises:
        InputError: It is no recipe of channels, or of a version with other options.
    """
    if recipe.get("kind") != KIND:
        raise _no_recipe(where)
    if "config" not in recipe:
        raise InputError(
            f"{where}: expected a recipe with the key config, got only "
            f"{', '.join(recipe)}; take it from the store.json of a whole store."
        )
    config = stage_config.from_dict(recipe["config"], f"{where}: config")
    return engines.adopted(config, recipe)


def refuse_difference(recipe: Json, here: Json, where: str) -> None:
    """Stop when this machine would make other arrays than `recipe`.

    Raises:
        InputError: The message names what differs.
    """
    engines.refuse_others(recipe, here, where)
    changed = differences(recipe, here)
    if changed:
        raise InputError(
            f"{where}: this machine would make other channels ({'; '.join(changed)}); "
            "install the versions and files it names, or compute a new store and train on it."
        )


def differences(old: Json, new: Json) -> list[str]:
    """Return what differs between two recipes as `a.b: old -> new`."""
    return configs.diff(_comparable(old), _comparable(new))


def _no_recipe(where: str) -> InputError:
    return InputError(
        f"{where}: expected the recipe of a channel store; give a store, a run, their "
        "store.json or input_spec.json, or the bare recipe."
    )


def _file_of(path: Path) -> Path:
    """Return the file of a store's or a run's folder that holds the recipe."""
    if not path.is_dir():
        return path
    for name in ("store.json", "input_spec.json"):
        if (path / name).exists():
            return path / name
    raise MissingFileError(
        f"{path} is neither a store nor a run: expected store.json or input_spec.json "
        "in it; give one made by kerasfaces channels or train."
    )


def _comparable(recipe: Json) -> Json:
    """Return a recipe without places of files and without what torch was built for.

    A store made on a GPU (torch 2.13.0+cu130) is read on a laptop (2.13.0+cpu).
    """
    plain = copy.deepcopy(dict(recipe))
    for options in inside(inside(plain, "config"), "options").values():
        if isinstance(options, dict):
            for name in _FILE_OPTIONS & options.keys():
                del options[name]
    for made_by in inside(inside(plain, "made_by"), "channels").values():
        if isinstance(made_by, dict) and isinstance(made_by.get("torch"), str):
            made_by["torch"] = made_by["torch"].partition("+")[0]
    return plain
