"""A latent autoencoder's round trip: what every latent diffusion model does to a picture.

Tiny autoencoders of the TAESD family (madebyollin/taesd, MIT): `model` is `taesd`, `taesdxl`,
`taesd3`, `taef1` or `taef2`, whose two files are looked for in the cache's `checkpoints`, or
the path of an encoder whose decoder lies beside it.
"""

import dataclasses
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from kerasfaces import store
from kerasfaces.channels.networks import state_dicts
from kerasfaces.channels.networks.engine import Runner
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import sha256
from kerasfaces.generate.contract import Floats, Pixels
from kerasfaces.generate.networks import taesd

MODELS = ("taesd", "taesdxl", "taesd3", "taef1", "taef2")
_END = "_encoder.pth"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the round trip.

    Attributes:
        network: A name of `MODELS`, or the path of a file `..._encoder.pth`.
        noise: Standard deviation of normal noise in the latent, relative to the latent's own.
        engine: `openvino` is faster and agrees with torch to a thousandth of a grey level;
            `auto` takes it where it is installed. Noise needs `torch`.
    """

    network: str = "taef2"
    noise: float = 0.0
    engine: Literal["auto", "torch", "openvino"] = "auto"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InputError: The noise is negative, or there is noise and another engine.
        """
        if not 0 <= self.noise <= 10:
            raise InputError(f"options.noise: expected 0 to 10, got {self.noise}.")
        if self.noise and self.engine == "openvino":
            raise InputError(
                "options.noise is drawn in torch; leave options.engine out."
            )


def name(options: Options) -> str:
    """Return the model's name: the file's without its ending."""
    stem = Path(options.network).name.removesuffix(_END)
    return f"{stem}_noise{options.noise:g}" if options.noise else stem


class RoundTrip:
    """Encodes and decodes a picture."""

    stride_px = taesd.STRIDE_PX

    def __init__(self, network: taesd.Autoencoder, options: Options) -> None:
        """Prepare a network to run as the options say."""
        engine = "torch" if options.noise else options.engine
        self._network, self._noise = network, options.noise
        self._runner = Runner(network, engine, option="options.engine")
        self.recipe: dict[str, object] = {"engine": self._runner.name}

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
    """Read the weights and return the generator.

    Raises:
        MissingFileError: A file is not there; the message says where to get it.
        InputError: A file is damaged, or both are not of one model.
    """
    encoder, decoder = files(options.network)
    network = taesd.from_states(
        state_dicts.read(encoder),
        state_dicts.read(decoder),
        f"{encoder} and {decoder.name}",
    )
    generator = RoundTrip(network, options)
    generator.recipe |= {"encoder": sha256(encoder), "decoder": sha256(decoder)}
    return generator


def files(model: str) -> tuple[Path, Path]:
    """Return the encoder's and the decoder's file.

    Raises:
        MissingFileError: One is not there.
        InputError: The path is not that of an encoder.
    """
    if model in MODELS:
        encoder = store.cache_root() / "checkpoints" / f"{model}{_END}"
    else:
        encoder = Path(model)
    if not encoder.name.endswith(_END):
        raise InputError(
            f"options.network: expected {', '.join(MODELS)} or a file ...{_END}, got {model!r}."
        )
    decoder = encoder.with_name(encoder.name.removesuffix(_END) + "_decoder.pth")
    for path in (encoder, decoder):
        if not path.is_file():
            raise MissingFileError(
                f"There is no {path}; get {path.name} from "
                "https://github.com/madebyollin/taesd (MIT) and put it there."
            )
    return encoder, decoder
