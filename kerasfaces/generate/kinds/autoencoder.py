"""A latent autoencoder's round trip: what every latent diffusion model does to a picture."""

import dataclasses
from typing import Literal

import numpy as np
import torch

from kerasfaces.channels.networks.engine import Runner
from kerasfaces.core.errors import InputError
from kerasfaces.generate.contract import Floats, Pixels, check_ranges
from kerasfaces.generate.networks import autoencoders

# Greatest difference of OpenVINO from torch, in grey levels: deep ones add up more.
_LIMIT = 0.05

UNCLAIMED = ("local_files_only",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the round trip.

    Attributes:
        network: `small` lies in the package; `taesd`, `taesdxl`, `taesd3`, `taef1`, `taef2` or
            a file `..._encoder.pth` beside its decoder; `sd-vae-ft-mse`, `sdxl-vae`, another
            `hf://OWNER/NAME` or a folder with an `AutoencoderKL` or `AutoencoderTiny`.
        noise: Standard deviation of normal noise in the latent, relative to the latent's own.
        engine: `openvino` is faster and agrees with torch to a twentieth of a grey level;
            `auto` takes it where it is installed. Noise needs `torch`.
        local_files_only: Do not download from the Hub.
    """

    network: str = autoencoders.SMALL
    noise: float = 0.0
    engine: Literal["auto", "torch", "openvino"] = "auto"
    local_files_only: bool = False

    def __post_init__(self) -> None:
        check_ranges(self, {"noise": (0, 10)})
        if self.noise and self.engine == "openvino":
            raise InputError(
                "options.noise is drawn in torch; leave options.engine out."
            )


def name(options: Options) -> str:
    """Return the network's name."""
    stem = autoencoders.short_name(options.network)
    return f"{stem}_noise{options.noise:g}" if options.noise else stem


class RoundTrip:
    """Encodes and decodes a picture."""

    def __init__(self, loaded: autoencoders.Loaded, options: Options) -> None:
        engine = "torch" if options.noise else options.engine
        self._network, self._noise = loaded.network.eval(), options.noise
        self._runner = Runner(
            loaded.network, engine, option="options.engine", limit=_LIMIT
        )
        self.stride_px = loaded.stride_px
        self.recipe: dict[str, object] = {"engine": self._runner.name, **loaded.recipe}

    def __call__(self, real: Pixels, random: np.random.Generator) -> Floats:
        """Return the round trip of a picture; see `contract.Generator`."""
        if not self._noise:
            restored: Floats = self._runner(real[None])[0]
            return restored
        with torch.inference_mode():
            latent = self._network.encode(torch.from_numpy(real[None].copy()))
            drawn = random.standard_normal(latent.shape).astype(np.float32)
            noise = torch.from_numpy(drawn) * latent.std() * self._noise
            fake: Floats = self._network.decode(latent + noise)[0].numpy()
            return fake


def build(options: Options) -> RoundTrip:
    """Read the weights and return the generator; see `autoencoders.load`."""
    local = options.local_files_only
    loaded = autoencoders.load(options.network, local_files_only=local)
    return RoundTrip(loaded, options)
