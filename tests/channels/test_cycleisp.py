"""CycleISP's denoiser: its equations, its published names, what loading refuses."""

import pickle
import random
import re

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from kerasfaces.channels.networks import cycleisp  # noqa: E402
from kerasfaces.core.errors import InputError, MissingFileError  # noqa: E402

pytestmark = pytest.mark.torch
TINY = cycleisp.Architecture(channels=4, groups=2, blocks=2, reduction=2)


def tiny(seed=0, architecture=TINY):
    torch.manual_seed(seed)
    return cycleisp.Denoiser(architecture).eval()


def published_shapes(channels, groups, blocks, hidden):
    """Names and shapes as in the authors' files, spelled out by hand."""
    c = channels
    shapes = {"head.0.weight": (c, 3, 3, 3), "head.0.bias": (c,)}
    for g in range(groups):
        for b in range(blocks):
            block = f"body.{g}.body.{b}"
            shapes |= {
                f"{block}.body.0.weight": (c, c, 3, 3),
                f"{block}.body.0.bias": (c,),
                f"{block}.body.1.weight": (c,),
                f"{block}.body.2.weight": (c, c, 3, 3),
                f"{block}.body.2.bias": (c,),
                f"{block}.SA.spatial.conv.weight": (1, 2, 3, 3),
                f"{block}.CA.conv_du.0.weight": (hidden, c, 1, 1),
                f"{block}.CA.conv_du.0.bias": (hidden,),
                f"{block}.CA.conv_du.2.weight": (c, hidden, 1, 1),
                f"{block}.CA.conv_du.2.bias": (c,),
                f"{block}.conv1x1.weight": (c, 2 * c, 1, 1),
                f"{block}.conv1x1.bias": (c,),
            }
        shapes[f"body.{g}.body.{blocks}.weight"] = (c, c, 3, 3)
        shapes[f"body.{g}.body.{blocks}.bias"] = (c,)
    return shapes | {
        f"body.{groups}.weight": (c, c, 3, 3),
        f"body.{groups}.bias": (c,),
        f"body.{groups + 1}.weight": (c,),
        "tail.0.weight": (3, c, 3, 3),
        "tail.0.bias": (3,),
    }


@pytest.mark.parametrize(
    ("architecture", "hidden"),
    [(cycleisp.PUBLISHED, 4), (cycleisp.Architecture(blocks=2), 4), (TINY, 2)],
)
def test_names_and_shapes_are_the_published_ones(architecture, hidden):
    network = cycleisp.Denoiser(architecture)
    found = {name: tuple(t.shape) for name, t in network.state_dict().items()}
    assert found == published_shapes(
        architecture.channels, architecture.groups, architecture.blocks, hidden
    )
    assert cycleisp.architecture_of(network.state_dict()) == architecture


def reference(state, noisy, groups, blocks):
    """Compute the noise pattern from the equations, without the classes."""

    def conv(x, name, padding):
        return functional.conv2d(
            x, state[f"{name}.weight"], state.get(f"{name}.bias"), padding=padding
        )

    slopes = state[f"body.{groups + 1}.weight"]
    x = conv(noisy, "head.0", 1)
    for g in range(groups):
        group_input = x
        for b in range(blocks):
            name = f"body.{g}.body.{b}"
            inner = functional.prelu(conv(x, f"{name}.body.0", 1), slopes)
            inner = conv(inner, f"{name}.body.2", 1)
            pooled = torch.stack([inner.max(1).values, inner.mean(1)], 1)
            places = inner * conv(pooled, f"{name}.SA.spatial.conv", 1).sigmoid()
            means = inner.mean((2, 3), keepdim=True)
            squeezed = conv(means, f"{name}.CA.conv_du.0", 0).relu()
            weights = conv(squeezed, f"{name}.CA.conv_du.2", 0).sigmoid()
            both = torch.cat([places, inner * weights], 1)
            x = x + conv(both, f"{name}.conv1x1", 0)
        x = group_input + conv(x, f"body.{g}.body.{blocks}", 1)
    x = functional.prelu(conv(x, f"body.{groups}", 1), slopes)
    return -conv(x, "tail.0", 1)


def test_the_pattern_follows_the_equations_and_is_what_denoising_removes():
    network = tiny()
    noisy = torch.rand(2, 3, 9, 12)
    with torch.no_grad():
        pattern = network.lnp(noisy)
        expected = reference(network.state_dict(), noisy, 2, 2)
        torch.testing.assert_close(pattern, expected)
        torch.testing.assert_close(noisy - network(noisy), pattern)
    assert pattern.abs().max() > 1e-3


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_saved_file_loads_strictly(tmp_path, wrapped, prefix):
    saved = tiny(seed=1)
    state = {prefix + name: tensor for name, tensor in saved.state_dict().items()}
    path = tmp_path / "file.pth"
    torch.save({"epoch": 3, "state_dict": state} if wrapped else state, path)
    loaded = cycleisp.load_checkpoint(path)
    assert loaded.architecture == TINY
    assert not loaded.training
    image = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(loaded(image), saved(image))


def test_the_wrong_variant_says_which_option_to_set(tmp_path):
    path = tmp_path / "file.pth"
    torch.save(tiny().state_dict(), path)
    message = r"file\.pth has 2 blocks per group, expected 8; set lnp\.blocks=2\."
    with pytest.raises(InputError, match=message):
        cycleisp.load_checkpoint(path, blocks=8)


def change(state, fault):
    if fault == "missing":
        del state["body.1.body.0.conv1x1.bias"]
    elif fault == "unknown":
        state["other.weight"] = torch.zeros(1)
    elif fault == "shape":
        state["tail.0.weight"] = torch.zeros(3, 4, 1, 1)
    else:
        name = "body.0.body.1.body.1.weight"
        state[name] = state[name] + 1
    return state


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing", r"4 channels, 2 groups and 2 blocks.*conv1x1\.bias is missing"),
        ("unknown", r"other\.weight is unknown"),
        ("shape", r"tail\.0\.weight is \(3, 4, 1, 1\) instead of \(3, 4, 3, 3\)"),
        ("slopes", "slopes differ between blocks"),
    ],
)
def test_a_state_that_does_not_fit_is_one_sentence(fault, message):
    state = change(dict(tiny().state_dict()), fault)
    with pytest.raises(InputError, match=message) as caught:
        cycleisp.from_state(state, "weights")
    assert "\n" not in str(caught.value)


def test_another_network_is_named(tmp_path):
    path = tmp_path / "resnet.pth"
    torch.save({"conv1.weight": torch.zeros(2), "fc.bias": torch.zeros(1)}, path)
    with pytest.raises(InputError, match=r"no CycleISP RGB denoiser.*got conv1\.wei"):
        cycleisp.load_checkpoint(path)
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="expected a state dict of tensors, got list"):
        cycleisp.load_checkpoint(path)


def test_a_truncated_file_and_one_with_code_are_refused(tmp_path):
    whole, path = tmp_path / "whole.pth", tmp_path / "half.pth"
    torch.save(tiny().state_dict(), whole)
    path.write_bytes(whole.read_bytes()[:-2000])
    size = f"{path.stat().st_size:,}"
    with pytest.raises(InputError, match=rf"{size} bytes\) is no complete torch"):
        cycleisp.load_checkpoint(path)
    torch.save({"state_dict": re.compile("code")}, path)
    with pytest.raises(InputError, match="expected a state dict of tensors"):
        cycleisp.load_checkpoint(path)
    for data in (random.Random(0).randbytes(5000), pickle.dumps({"a": 1})):
        path.write_bytes(data)
        with pytest.raises(
            InputError, match="nothing else; download it again"
        ) as caught:
            cycleisp.load_checkpoint(path)
        assert str(caught.value).isprintable()
        assert "weights_only" not in str(caught.value)
    with pytest.raises(MissingFileError, match=r"no checkpoint at .*gone\.pth"):
        cycleisp.load_checkpoint(tmp_path / "gone.pth")
