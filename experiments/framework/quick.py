"""`--quick`: an experiment with few pictures, small networks, one epoch."""

import dataclasses

from experiments.framework.runner import Context
from kerasfaces.core import rng
from kerasfaces.core.config import updated
from kerasfaces.models.config import ModelConfig
from kerasfaces.train.config import TrainConfig

SIZE_PX = 64
PAIRS = 112


def reduced(context: Context, pairs: int = PAIRS) -> Context:
    """Return the context with some pairs of the sample, the same ones every time.

    Every generator has its share.
    """
    rows = context.manifest.rows
    fakes = rows[rows["label"] == "fake"]
    names = sorted(set(fakes["source"]))
    pair_ids: set[str] = set()
    for name in names:
        own = sorted(set(fakes.loc[fakes["source"] == name, "pair_id"]))
        order = rng.generator(0, "quick pairs", name).permutation(len(own))
        pair_ids |= {own[i] for i in order[: pairs // len(names)]}
    selected = rows[rows["pair_id"].isin(pair_ids)].reset_index(drop=True)
    manifest = dataclasses.replace(context.manifest, rows=selected)
    return dataclasses.replace(context, manifest=manifest)


def small(config: TrainConfig) -> TrainConfig:
    """Return a network that is trained whole, as small as its kind can be, for one epoch."""
    model = shrunk(config.model, filters=8, networks=2, patch_px=SIZE_PX // 2)
    if hasattr(model.options, "heads"):
        model = shrunk(model, layers=2, width=48, heads=2)
    model = dataclasses.replace(model, size_px=SIZE_PX)
    return dataclasses.replace(config, model=model, epochs=1, views=1)


def shrunk(model: ModelConfig, **values: int) -> ModelConfig:
    """Return a model with those of the given options that its architecture has."""
    known = {field.name for field in dataclasses.fields(model.options)}
    own = {name: value for name, value in values.items() if name in known}
    return updated(model, {"options": own})


def note(context: Context) -> str:
    """Return a sentence on what was left out."""
    return (
        f"--quick: {len(context.manifest)} images; networks that are trained whole are as "
        f"small as their kind can be, at {SIZE_PX} px, for one epoch."
    )
