"""What `--quick` makes of an experiment: few pictures, small networks, one epoch."""

import dataclasses
from typing import TYPE_CHECKING

from experiments.framework.runner import Context
from kerasfaces.core import rng

if TYPE_CHECKING:
    from kerasfaces.train.config import TrainConfig

SIZE_PX = 64


def few(context: Context, pairs: int) -> Context:
    """Return the context with some pairs of the sample, the same ones every time.

    Every generator keeps its share.

    Args:
        context: On the built-in sample.
        pairs: How many to keep.
    """
    rows = context.manifest.rows
    fakes = rows[rows["label"] == "fake"]
    names = sorted(set(fakes["source"]))
    kept: set[str] = set()
    for name in names:
        own = sorted(set(fakes.loc[fakes["source"] == name, "pair_id"]))
        order = rng.generator(0, "quick pairs", name).permutation(len(own))
        kept |= {own[i] for i in order[: pairs // len(names)]}
    chosen = rows[rows["pair_id"].isin(kept)].reset_index(drop=True)
    manifest = dataclasses.replace(context.manifest, rows=chosen)
    return dataclasses.replace(context, manifest=manifest)


def small(config: "TrainConfig") -> "TrainConfig":
    """Return a network that is trained whole, as small as its kind can be, for one epoch."""
    from kerasfaces.models.config import TransformerConfig

    cnn = dataclasses.replace(
        config.model.cnn, filters=8, networks=2, patch_px=SIZE_PX // 2
    )
    model = dataclasses.replace(
        config.model,
        size_px=SIZE_PX,
        cnn=cnn,
        transformer=TransformerConfig(layers=2, width=48, heads=2),
    )
    return dataclasses.replace(config, model=model, epochs=1, views=1)


def note(context: Context) -> str:
    """Return what was left out."""
    return (
        f"--quick: {len(context.manifest)} images; networks that are trained whole are as "
        f"small as their kind can be, at {SIZE_PX} px, for one epoch."
    )
