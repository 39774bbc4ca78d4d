"""TAESD: tiny autoencoders for the latent spaces of diffusion models (madebyollin/taesd, MIT).

The state dicts' names tell the layers: convolutions, blocks of three 3 × 3 convolutions
with a skip, and (at the lowest resolution of the newer ones) a branch that sees the whole
picture through group normalisation.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from kerasfaces.core.errors import InputError

STRIDE_PX = 8
_GROUPS = 4


class Block(nn.Module):
    """Three convolutions with a skip; with `pooled`, a branch that normalises by groups."""

    def __init__(self, width: int, *, pooled: bool) -> None:
        super().__init__()
        convolutions: list[nn.Module] = []
        for _ in range(3):
            convolutions += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
        self.conv = nn.Sequential(*convolutions[:-1])
        self.pool = (
            nn.Sequential(
                nn.Conv2d(width, 4 * width, 1, bias=False),
                nn.GroupNorm(_GROUPS, 4 * width),
                nn.ReLU(),
                nn.Conv2d(4 * width, width, 1, bias=False),
            )
            if pooled
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return `(n, width, h, w)` of the same shape."""
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


class Clamp(nn.Module):
    """Keeps a latent between -3 and 3."""

    def forward(self, x: Tensor) -> Tensor:
        """Return a soft limit of the same shape."""
        return torch.tanh(x / 3) * 3


class Autoencoder(nn.Module):
    """A photo's way through the latent space and back.

    Pixels `(1, h, w, 3)` uint8 enter and float32 of the same shape leave, 0 to 255; sides are
    multiples of `STRIDE_PX`.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        """Join an encoder (0..1 -> latent) and a decoder (latent -> 0..1)."""
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the round trip."""
        return self.decode(self.encode(pixels))

    def encode(self, pixels: Tensor) -> Tensor:
        """Return the latent `(1, c, h / 8, w / 8)`."""
        latent: Tensor = self.encoder(pixels.permute(0, 3, 1, 2).float() / 255)
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Return a latent's pixels, float32 0 to 255."""
        image: Tensor = self.decoder(latent).clamp(0, 1) * 255
        return image.permute(0, 2, 3, 1)


def from_states(
    encoder: Mapping[str, Tensor], decoder: Mapping[str, Tensor], where: str
) -> Autoencoder:
    """Build an autoencoder from its two state dicts.

    Args:
        encoder: `taesd_encoder.pth` or the like.
        decoder: `taesd_decoder.pth` or the like, of the same model.
        where: The files, for messages.

    Raises:
        InputError: They are not of this family, or not of one model.
    """
    try:
        network = Autoencoder(_encoder(encoder), _decoder(decoder)).eval()
        picture = torch.zeros(1, STRIDE_PX, STRIDE_PX, 3)
        if network(picture).shape != picture.shape:
            raise ValueError("a picture does not keep its size")
    except (KeyError, ValueError, IndexError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{where}: no encoder and decoder of one TAESD model ({reason}); get both files of "
            "one model, e.g. taef2_encoder.pth and taef2_decoder.pth of "
            "github.com/madebyollin/taesd."
        ) from error
    return network


def _encoder(state: Mapping[str, Tensor]) -> nn.Sequential:
    """Convolutions without a bias halve the size."""
    return _sequence(state, lambda has_bias: 1 if has_bias else 2, {})


def _decoder(state: Mapping[str, Tensor]) -> nn.Sequential:
    """Layers without weights: a clamp, a ReLU after the first convolution, up-sampling."""
    gaps = sorted(set(range(max(_numbers(state)) + 1)) - set(_numbers(state)))
    if not gaps:
        raise ValueError("it has no layers without weights")
    plain: dict[int, nn.Module] = {gaps[0]: Clamp(), gaps[1]: nn.ReLU()}
    plain |= {gap: nn.Upsample(scale_factor=2, mode="nearest") for gap in gaps[2:]}
    return _sequence(state, lambda has_bias: 1, plain)


def _sequence(
    state: Mapping[str, Tensor],
    stride: Callable[[bool], int],
    plain: Mapping[int, nn.Module],
) -> nn.Sequential:
    layers = dict(plain)
    for number in _numbers(state):
        names = {key for key in state if key.startswith(f"{number}.")}
        if f"{number}.weight" in names:
            weight = state[f"{number}.weight"]
            bias = f"{number}.bias" in names
            layers[number] = nn.Conv2d(
                weight.shape[1], weight.shape[0], 3, stride(bias), padding=1, bias=bias
            )
        else:
            width = state[f"{number}.conv.0.weight"].shape[0]
            pooled = f"{number}.pool.0.weight" in names
            layers[number] = Block(width, pooled=pooled)
    network = nn.Sequential(*(layers[number] for number in sorted(layers)))
    network.load_state_dict({name: value.float() for name, value in state.items()})
    return network


def _numbers(state: Mapping[str, Tensor]) -> list[int]:
    return sorted({int(key.partition(".")[0]) for key in state})
