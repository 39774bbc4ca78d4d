"""Autoencoders by name: the one that we ship, the TAESD family's, and diffusers'."""

import dataclasses
import math
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from kerasfaces import store
from kerasfaces.channels.networks import state_dicts
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import sha256
from kerasfaces.generate.networks import diffusers_files, taesd

SMALL = "small"
SMALL_FILE = Path(__file__).parents[1] / "weights" / "small_autoencoder.npz"
TAESD = ("taesd", "taesdxl", "taesd3", "taef1", "taef2")
# Names of the Hub's folders that hold an autoencoder alone, with their licences.
HUB = {
    "sd-vae-ft-mse": "hf://stabilityai/sd-vae-ft-mse",  # MIT
    "sd-vae-ft-ema": "hf://stabilityai/sd-vae-ft-ema",  # MIT
    "sdxl-vae": "hf://stabilityai/sdxl-vae",  # MIT
    "sdxl-vae-fp16-fix": "hf://madebyollin/sdxl-vae-fp16-fix",  # MIT
}
_INDEX = "config.json"
_CLASSES = ("AutoencoderKL", "AutoencoderTiny")
_END = "_encoder.pth"


class Codec(Protocol):
    """Pixels -> latent -> pixels; an `nn.Module` whose `forward` is both."""

    def encode(self, pixels: Tensor) -> Tensor:
        """Return the latent of `(1, h, w, 3)` uint8."""

    def decode(self, latent: Tensor) -> Tensor:
        """Return the pixels of a latent, float32 0 to 255."""


@dataclasses.dataclass(frozen=True)
class Loaded:
    """An autoencoder with its weights.

    Attributes:
        network: A `Codec`.
        stride_px: Sides of pictures must be multiples of it.
        recipe: Hashes of its files.
    """

    network: Any
    stride_px: int
    recipe: dict[str, object]


class DiffusersCodec(nn.Module):
    """An `AutoencoderKL` (the mode of its latent) or `AutoencoderTiny` between pixels."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the round trip of `(1, h, w, 3)` uint8, float32 0 to 255."""
        return self.decode(self.encode(pixels))

    def encode(self, pixels: Tensor) -> Tensor:
        """Return the latent `(1, c, h / stride, w / stride)`."""
        image = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
        encoded = self.model.encode(image, return_dict=False)[0]
        # A distribution, or the latent itself; a tensor has a `mode` of its own.
        latent: Tensor = encoded if isinstance(encoded, Tensor) else encoded.mode()
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Return a latent's pixels."""
        image: Tensor = self.model.decode(latent, return_dict=False)[0]
        return ((image.clamp(-1, 1) + 1) * 127.5).permute(0, 2, 3, 1)


def load(network: str, *, local_files_only: bool = False) -> Loaded:
    """Return an autoencoder.

    Args:
        network: `small`, a name of `TAESD` or `HUB`, a file `..._encoder.pth`, a folder of
            diffusers or `hf://OWNER/NAME`.
        local_files_only: Do not ask the Hub.

    Raises:
        MissingFileError: A file is not there; the message says where to get it.
        InputError: A file is damaged, or both are not of one model.
        MissingExtraError: diffusers is needed and not installed.
    """
    if network == SMALL:
        return load_small(SMALL_FILE)
    if network in TAESD or network.endswith(".pth"):
        return _taesd(network)
    address = HUB.get(network, network)
    if not address.startswith(diffusers_files.PREFIX) and not Path(network).is_dir():
        raise InputError(
            f"options.network: expected {', '.join([SMALL, *TAESD, *HUB])}, a file "
            f"...{_END}, a folder of diffusers or hf://OWNER/NAME, got {network!r}."
        )
    place = diffusers_files.folder(address, _INDEX, local_files_only=local_files_only)
    name = diffusers_files.read_index(place, _INDEX).get("_class_name")
    if name not in _CLASSES:
        raise InputError(
            f"{place / _INDEX}: expected the class {' or '.join(_CLASSES)}, got {name!r}."
        )
    model = diffusers_files.load_model(place, str(name))
    recipe: dict[str, object] = dict(diffusers_files.digests(place))
    return Loaded(DiffusersCodec(model), _stride_px(model), recipe)


def load_small(path: Path) -> Loaded:
    """Return the autoencoder of an `.npz` as `experiments.autoencoder` writes it.

    Raises:
        MissingFileError: The file or its note is not there.
        InputError: The file is damaged, or another network's.
    """
    state, digest = state_dicts.read_shipped(path, "python -m experiments.autoencoder")
    halves: dict[str, dict[str, Tensor]] = {"encoder": {}, "decoder": {}}
    for name, tensor in state.items():
        half, _, inner = name.partition(".")
        halves.setdefault(half, {})[inner] = tensor
    network = taesd.from_states(halves["encoder"], halves["decoder"], str(path))
    return Loaded(network, taesd.STRIDE_PX, {"weights": digest})


def short_name(network: str) -> str:
    """Return a name for the fakes' source."""
    if network == SMALL:
        return "small_autoencoder"
    if network.endswith(_END):
        return Path(network).name.removesuffix(_END)
    return diffusers_files.short_name(network)


def _taesd(network: str) -> Loaded:
    if network in TAESD:
        encoder = store.cache_root() / "checkpoints" / f"{network}{_END}"
    else:
        encoder = Path(network).expanduser()
    if not encoder.name.endswith(_END):
        raise InputError(
            f"options.network: expected a file ...{_END}, got {network!r}."
        )
    decoder = encoder.with_name(encoder.name.removesuffix(_END) + "_decoder.pth")
    for path in (encoder, decoder):
        if not path.is_file():
            raise MissingFileError(
                f"There is no {path}; get {path.name} from "
                "https://github.com/madebyollin/taesd (MIT) and put it there."
            )
    built = taesd.from_states(
        state_dicts.read(encoder),
        state_dicts.read(decoder),
        f"{encoder} and {decoder.name}",
    )
    recipe: dict[str, object] = {"encoder": sha256(encoder), "decoder": sha256(decoder)}
    return Loaded(built, taesd.STRIDE_PX, recipe)


def _stride_px(model: Any) -> int:
    """Return how much smaller the latent is, from the encoder's convolutions."""
    layers = model.encoder.modules()
    strides = [each.stride[0] for each in layers if isinstance(each, nn.Conv2d)]
    return math.prod(strides)
