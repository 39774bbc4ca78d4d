"""The channel stage as one ONNX graph: pixels -> the arrays that a store would hold.

What a run on channels needs to be judged where neither torch nor Keras is. A mask has to
find faces, which is no part of a graph; see `reason_against`.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces.channels.contract import GRAPH_INPUT, GRAPH_OUTPUTS
from kerasfaces.channels.engines import inside
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted

if TYPE_CHECKING:
    from torch import nn

OPSET = 18
_MODULES = (("torch", "channels"), ("onnx", "export"), ("onnxscript", "export"))


def reason_against(recipe: Json) -> str:
    """Say why no graph can compute a recipe's channels; empty where one can.

    Imports no framework; whether every kind of channel has a graph, `write` tells.
    """
    config = inside(recipe, "config")
    mask = config.get("mask", "none")
    if mask != "none":
        return (
            f"it judges channels under the mask {quoted(mask)}, which looks for a face first, "
            "and an export makes no mask"
        )
    lnp = inside(inside(config, "options"), "lnp")
    if lnp.get("precision", "f32") != "f32":
        return "its noise pattern is computed in bf16, which no export does"
    return ""


def write(recipe: Json, names: Sequence[str], path: Path) -> None:
    """Write the graph: `image` `(n, s, s, 3)` float32, 0..255, -> `channels`, `doubt`.

    `channels` is `(n, s, s, len(names))` float32, rounded as the store rounds; `doubt`
    `(n, 1)` is 0, or NaN where the stage would have no array: a picture of one colour, or
    values that the store cannot hold.

    Args:
        recipe: A store's, whose weights and versions are those of this machine.
        names: Channels, some of the recipe's, in any order.
        path: The file to write.

    Raises:
        InputError: The channels have no graph, or this machine would make others.
        MissingExtraError: torch, onnx or onnxscript is not installed.
    """
    from kerasfaces.core.imports import optional_import, quiet

    for module, extra in _MODULES:
        optional_import(module, extra)
    import torch

    stage = network(recipe, names).eval()
    side = recipe["config"]["size_px"]
    example = torch.arange(2 * side * side * 3).remainder(256).float()
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own exporter, about itself
        torch.onnx.export(
            stage,
            (example.reshape(2, side, side, 3),),
            path,
            input_names=[GRAPH_INPUT],
            output_names=list(GRAPH_OUTPUTS),
            opset_version=OPSET,
            dynamic_shapes={GRAPH_INPUT: {0: torch.export.Dim("n", min=1)}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def network(recipe: Json, names: Sequence[str]) -> "nn.Module":
    """Return the stage as a torch network; see `write`."""
    from kerasfaces.channels import config as stage_config
    from kerasfaces.channels import engines
    from kerasfaces.channels import recipe as recipes
    from kerasfaces.channels.networks.stage_graph import StageGraph
    from kerasfaces.channels.worker import Worker

    if why := reason_against(recipe):
        raise InputError(f"No graph can compute these channels: {why}.")
    config = recipes.config_from(recipe, "the run's recipe")
    worker = Worker(config)
    here = recipes.recipe_by(worker)
    recipes.refuse_difference(
        engines.without(recipe), engines.without(here), "the run's recipe"
    )
    graphs = {
        name: stage_config.graph(config, name) for name in stage_config.order(config)
    }
    widths = {name: worker.channels[name].spec.names for name in config.channels}
    return StageGraph(graphs, widths, names, worker.scale)
