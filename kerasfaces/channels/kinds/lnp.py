"""Channel `lnp`: the learned noise pattern, noisy - denoised, in signed grey levels.

Masked pixels enter, three arrays of the scale 0..255 leave. The denoiser is CycleISP's
(`networks/cycleisp.py`, wan2023 equations 1 to 4) with one of these weights:

- `small`: ours, shipped; trained by `python -m experiments.lnp_denoiser`;
- `cycleisp_sidd`, `cycleisp_dnd`: the authors' files, once they are in the cache;
- a file saved from the same network, of any number of channels, groups and blocks.

A picture of one colour holds no noise: its pattern is zero by definition, not what the
network makes of the borders.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from kerasfaces.channels.contract import Arrays, Channel, ChannelSpec, Images
from kerasfaces.channels.networks import checkpoints, cycleisp, state_dicts
from kerasfaces.channels.networks.engine import Engine, Precision, Runner

NAMES = ("lnp_red", "lnp_green", "lnp_blue")
SMALL = Path(__file__).parents[1] / "weights" / "lnp_small.npz"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What computes the noise pattern.

    Attributes:
        weights: `small`, `cycleisp_sidd`, `cycleisp_dnd`, or a file.
        blocks: Dual-attention blocks per group that the weights must have; None takes
            what they have. The published files have 8, where wan2023 says 2.
        precision: `bf16` errs by about as much as faint noise is strong; for speed
            tests only.
        engine: `auto` takes OpenVINO where it is installed, or what the store was begun
            with; the recipe names it.
    """

    weights: str = "small"
    blocks: int | None = None
    precision: Precision = "f32"
    engine: Engine = "auto"


class NoisePattern(nn.Module):
    """The denoiser between pixels and grey levels, in the stage's array layout."""

    def __init__(self, denoiser: cycleisp.Denoiser) -> None:
        super().__init__()
        self.denoiser = denoiser

    def forward(
        self, images: Tensor, computed: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Return `(n, h, w, 3)` float32 grey levels of `(n, h, w, 3)` pixels, 0..255."""
        noisy = images.permute(0, 3, 1, 2).float() / 255
        return self.denoiser.lnp(noisy).permute(0, 2, 3, 1) * 255


class Lnp:
    """Computes the learned noise pattern of images.

    Attributes:
        spec: Its names and the hash of the weights.
        runner: The network in its engine.
    """

    def __init__(
        self, denoiser: cycleisp.Denoiser, sha256: str, options: Options
    ) -> None:
        """Prepare a denoiser, whose weights' file has this hash, for its engine."""
        network = NoisePattern(denoiser)
        self.runner = Runner(network, options.engine, options.precision, "lnp.engine")
        self.spec = ChannelSpec(
            names=NAMES,
            ranges={name: (None, None) for name in NAMES},
            made_by={
                "weights_sha256": sha256,
                "architecture": dataclasses.asdict(denoiser.architecture),
                "engine": self.runner.name,
            },
        )

    def compute(self, images: Images, computed: Mapping[str, Arrays]) -> Arrays:
        """Return `(n, h, w, 3)` float32 grey levels; NaN where the network gives NaN."""
        pattern = self.runner(images)
        flat = (images == images[:, :1, :1]).all(axis=(1, 2, 3))
        # Not those the network fails on: they are counted like any other failure.
        pattern[flat & np.isfinite(pattern).all(axis=(1, 2, 3))] = 0
        return pattern


def build(options: Options) -> Channel:
    """Load the weights and return the channel."""
    return Lnp(*load(options), options)


def graph(options: Options, size_px: int) -> nn.Module:
    """Return the channel as a part of an exported graph; of one colour it is not zero."""
    return NoisePattern(load(options)[0])


def load(options: Options) -> tuple[cycleisp.Denoiser, str]:
    """Return the denoiser and the SHA-256 of its file (see `build`)."""
    if options.weights == "small":
        return load_small(SMALL, options.blocks)
    file = checkpoints.find(options.weights)
    if file.path.suffix == ".npz":
        return load_small(file.path, options.blocks)
    return cycleisp.load_checkpoint(file.path, options.blocks), file.sha256


def load_small(
    path: Path = SMALL, blocks: int | None = None
) -> tuple[cycleisp.Denoiser, str]:
    """Load float16 arrays as `experiments.lnp_denoiser` writes them, with their hash.

    Args:
        path: The `.npz`; its note lies beside it as `.json`.
        blocks: Blocks per group that the weights must have; None takes what they have.

    Raises:
        MissingFileError: The file or its note is not there.
        InputError: The file is damaged or of another network.
    """
    state, digest = state_dicts.read_shipped(path, "python -m experiments.lnp_denoiser")
    return cycleisp.from_state(state, str(path), blocks), digest
