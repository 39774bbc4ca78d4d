"""The stage as a graph: what it computes beside the stage itself, and what it refuses."""

import sys

import numpy as np
import pytest

from kerasfaces.channels import config, graph, recipe
from kerasfaces.channels.worker import Result, Worker
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError, MissingExtraError

pytestmark = pytest.mark.torch
TORCH = "lnp.engine=torch"  # OpenVINO, where it is, is compared once: it compiles for seconds
CASES = [
    (("rgb", "lnp", "spectrum"), ()),
    (("lnp", "spectrum", "mask"), ("dtype=uint8", "spectrum.colours=3", TORCH)),
    (("spectrum",), ("spectrum.of=rgb", "spectrum.amplitude=liu2022")),
    (("rgb", "spectrum"), ("spectrum.of=rgb", "spectrum.amplitude=raw", "size_px=33")),
]


def pictures(side, n=2):
    random = rng.generator(0, "pictures")
    return random.integers(0, 256, (n, side, side, 3), np.uint8)


def stage(channels, options):
    """Return the stage's recipe and worker."""
    worker = Worker(config.from_names(channels, "none", ["size_px=32", *options]))
    return recipe.recipe_by(worker), worker


def stored(worker, pixels):
    """Return what the stage would read back from its store."""
    results = worker.finish([Result(str(n), each) for n, each in enumerate(pixels)])
    values = np.stack([each.array for each in results]).astype(np.float64)
    if worker.scale:
        offset, step = np.array(list(worker.scale.values())).T
        values = offset + step * values
    return values


def computed(network, pixels):
    import torch

    with torch.inference_mode():
        parts = network(torch.from_numpy(pixels.astype(np.float32)))
    return [part.numpy() for part in parts]


@pytest.mark.parametrize(("channels", "options"), CASES)
def test_gives_what_the_stage_stores(channels, options):
    made_by, worker = stage(channels, options)
    names = made_by["names"]
    pixels = pictures(worker.config.size_px)
    values, doubt = computed(graph.network(made_by, names), pixels)
    want = stored(worker, pixels)
    assert values.shape == want.shape
    assert not doubt.any()
    for at, name in enumerate(names):
        apart = np.abs(values[..., at] - want[..., at])
        if name.startswith("phase"):  # a turn, whichever way
            apart = np.minimum(apart, 2 * np.pi - apart)
        last_digit = 2e-3 * np.maximum(1, np.abs(want[..., at]))
        if worker.scale:
            last_digit = 1.01 * worker.scale[name][1]
        assert (apart <= last_digit).mean() > 0.999, name
        same = apart <= 1e-6 * np.maximum(1, np.abs(want[..., at]))
        assert same.mean() > 0.9, name  # it rounds as the store does


def test_chooses_channels_in_the_order_asked_for():
    made_by, worker = stage(("rgb", "lnp"), (TORCH,))
    pixels = pictures(32, 1)
    values, _ = computed(graph.network(made_by, ["lnp_blue", "red"]), pixels)
    assert (values[..., 1] == pixels[..., 0]).all()
    np.testing.assert_allclose(
        values[..., 0], stored(worker, pixels)[..., 5], atol=1e-2
    )


def test_one_colour_has_no_answer():
    made_by, _ = stage(("lnp",), ())
    pixels = pictures(32)
    pixels[1] = 77
    _, doubt = computed(graph.network(made_by, made_by["names"]), pixels)
    np.testing.assert_array_equal(doubt, [[0], [np.nan]])


def test_rounds_as_float16():
    import torch

    from kerasfaces.channels.networks.stage_graph import as_float16

    random = rng.generator(0, "float16")
    values = random.normal(size=20_000) * 10.0 ** random.uniform(-9, 4, 20_000)
    values = values.astype(np.float32)
    want = values.astype(np.float16).astype(np.float32)
    assert (as_float16(torch.from_numpy(values)).numpy() == want).all()


def test_a_mask_and_bf16_are_refused_in_a_sentence():
    made_by, _ = stage(("lnp",), ())
    assert not graph.reason_against(made_by)
    masked = made_by | {"config": made_by["config"] | {"mask": "sam"}}
    with pytest.raises(
        InputError, match="under the mask 'sam', which looks for a face"
    ):
        graph.network(masked, made_by["names"])
    options = made_by["config"]["options"]
    coarse = {"lnp": options["lnp"] | {"precision": "bf16"}}
    coarse = made_by | {"config": made_by["config"] | {"options": options | coarse}}
    assert "bf16" in graph.reason_against(coarse)
    for odd in ({"config": "x"}, {"config": {"options": 3}}, {}):
        assert not graph.reason_against(odd)


def test_a_channel_without_a_graph_is_named(monkeypatch):
    from kerasfaces.channels.kinds import rgb

    made_by, _ = stage(("rgb",), ())
    monkeypatch.delattr(rgb, "graph")
    with pytest.raises(InputError, match="'rgb' cannot be part of a graph"):
        graph.network(made_by, ["red"])


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "options"), CASES[:2])
def test_onnx_runtime_computes_the_same(channels, options, tmp_path):
    import onnxruntime

    made_by, _ = stage(channels, options)
    names = made_by["names"][::-1]
    file = tmp_path / "channels.onnx"
    graph.write(made_by, names, file)
    session = onnxruntime.InferenceSession(file)
    network = graph.network(made_by, names)
    for n in (1, 3):
        pixels = pictures(made_by["config"]["size_px"], n)
        pixels[n - 1] = 5
        want = computed(network, pixels)
        got = session.run(None, {"image": pixels.astype(np.float32)})
        np.testing.assert_array_equal(np.isnan(got[1]), np.isnan(want[1]))
        apart = np.abs(got[0] - want[0])[: n - 1]
        assert not apart.size or np.quantile(apart, 0.999) < 0.07


def test_without_torch_it_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"torch .*pip install .*\[channels\]"):
        graph.write({}, [], tmp_path / "graph.onnx")
