"""Random weights in the layout of published ones."""

import pytest


def _block(state, number, width, pooled):
    import torch

    for layer in (0, 2, 4):
        state[f"{number}.conv.{layer}.weight"] = torch.randn(width, width, 3, 3) * 0.1
        state[f"{number}.conv.{layer}.bias"] = torch.zeros(width)
    if pooled:
        state[f"{number}.pool.0.weight"] = torch.randn(4 * width, width, 1, 1) * 0.1
        state[f"{number}.pool.1.weight"] = torch.ones(4 * width)
        state[f"{number}.pool.1.bias"] = torch.zeros(4 * width)
        state[f"{number}.pool.3.weight"] = torch.randn(width, 4 * width, 1, 1) * 0.1


def _convolution(state, number, out, into, bias=True):
    import torch

    state[f"{number}.weight"] = torch.randn(out, into, 3, 3) * 0.1
    if bias:
        state[f"{number}.bias"] = torch.zeros(out)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Random weights in the layout of taef2's two files, 8 channels wide."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    folder, width, latent = tmp_path_factory.mktemp("taesd"), 8, 4
    encoder, decoder = {}, {}
    _convolution(encoder, 0, width, 3)
    _block(encoder, 1, width, pooled=False)
    for number in (2, 6, 10):
        _convolution(encoder, number, width, width, bias=False)
        for block in range(number + 1, number + 4):
            _block(encoder, block, width, pooled=number == 10)
    _convolution(encoder, 14, latent, width)
    _convolution(decoder, 1, width, latent)
    for number in (7, 12, 17):
        for block in range(number - 4, number - 1):
            _block(decoder, block, width, pooled=number == 7)
        _convolution(decoder, number, width, width, bias=False)
    _block(decoder, 18, width, pooled=False)
    _convolution(decoder, 19, 3, width)
    for name, state in (("encoder", encoder), ("decoder", decoder)):
        half = {key: value.half() for key, value in state.items()}
        torch.save(half, folder / f"small_{name}.pth")
    return folder / "small_encoder.pth"


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory):
    """Folder of a Stable Diffusion pipeline of random weights; sides are multiples of 4."""
    for name in ("torch", "diffusers", "transformers"):
        pytest.importorskip(name)
    import tiny_pipelines

    folder = tmp_path_factory.mktemp("pipeline")
    return tiny_pipelines.save(folder / "tiny-sd", folder / "tokenizer")
