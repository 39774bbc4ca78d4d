"""Real-ESRGAN's two networks (Wang et al. 2021, arXiv 2107.10833), by their official layouts.

`RRDBNet` is the large one (`x4plus`), `SRVGGNetCompact` the small one (`animevideov3`,
`general-x4v3`). Depth, width and scale are read from the weights' shapes.
"""

import itertools
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from kerasfaces.channels.networks import state_dicts
from kerasfaces.core.errors import InputError
from kerasfaces.generate.networks.ncnn import Layer

_SLOPE = 0.2  # of RRDBNet's leaky ReLUs
_RESIDUAL = 0.2  # share of a residual branch
State = Mapping[str, Tensor]


class _DenseBlock(nn.Module):
    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for k in range(1, 6):
            out = width if k == 5 else growth
            self.add_module(
                f"conv{k}", nn.Conv2d(width + (k - 1) * growth, out, 3, padding=1)
            )

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for k in range(1, 5):
            convolution = self.get_submodule(f"conv{k}")
            features.append(_leaky(convolution(torch.cat(features, 1))))
        last: Tensor = self.get_submodule("conv5")(torch.cat(features, 1))
        return _RESIDUAL * last + x


class _Block(nn.Module):
    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = _DenseBlock(width, growth)
        self.rdb2 = _DenseBlock(width, growth)
        self.rdb3 = _DenseBlock(width, growth)

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.rdb3(self.rdb2(self.rdb1(x)))
        return _RESIDUAL * inner + x


class RRDBNet(nn.Module):
    """Residual in residual dense blocks; pictures `(n, 3, h, w)`, 0 to 1, four times as large.

    Attributes:
        scale: 4, or 2 where the picture is folded into 12 channels first.
    """

    def __init__(self, into: int, width: int, growth: int, blocks: int) -> None:
        super().__init__()
        self.folded = math.isqrt(into // 3)
        self.scale = 4 // self.folded
        self.conv_first = nn.Conv2d(into, width, 3, padding=1)
        self.body = nn.Sequential(*(_Block(width, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        self.conv_up1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv_up2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return `(n, 3, scale * h, scale * w)`."""
        if self.folded > 1:
            x = functional.pixel_unshuffle(x, self.folded)
        first = self.conv_first(x)
        x = first + self.conv_body(self.body(first))
        x = _leaky(self.conv_up1(_doubled(x)))
        x = _leaky(self.conv_up2(_doubled(x)))
        last: Tensor = self.conv_last(_leaky(self.conv_hr(x)))
        return last


class SRVGGNetCompact(nn.Module):
    """A plain chain of convolutions and PReLUs whose result is added to the enlarged picture.

    Attributes:
        scale: Output side / input side.
    """

    def __init__(self, width: int, convolutions: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(convolutions):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        self.body = nn.Sequential(*layers, nn.Conv2d(width, 3 * scale**2, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Return `(n, 3, scale * h, scale * w)`."""
        detail: Tensor = functional.pixel_shuffle(self.body(x), self.scale)
        larger: Tensor = functional.interpolate(x, scale_factor=float(self.scale))
        return detail + larger


class Enlarger(nn.Module):
    """Pixels `(1, h, w, 3)` uint8 -> float32 `(1, scale * h, scale * w, 3)`, 0 to 255.

    Attributes:
        scale: Output side / input side.
    """

    def __init__(self, network: RRDBNet | SRVGGNetCompact, resize: float = 1) -> None:
        """Put a network between pixels.

        Args:
            network: Works on 0 to 1.
            resize: Bicubic factor after it, as the x2 and x3 of `animevideov3` have.
        """
        super().__init__()
        self.network, self.resize = network, resize
        self.scale = round(network.scale * resize)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the enlarged picture."""
        image: Tensor = self.network(pixels.permute(0, 3, 1, 2).float() / 255)
        if self.resize != 1:
            image = functional.interpolate(
                image, scale_factor=self.resize, mode="bicubic"
            )
        return (image.clamp(0, 1) * 255).permute(0, 2, 3, 1)


def from_state(state: Mapping[str, object], where: str) -> Enlarger:
    """Build the network of an official `.pth`, which may hold it as `params_ema` or `params`.

    Raises:
        InputError: The weights are of another network, or damaged.
    """
    for name in ("params_ema", "params"):
        if isinstance(state.get(name), Mapping):
            state = state[name]  # type: ignore[assignment]
            break
    tensors = {name: each for name, each in state.items() if isinstance(each, Tensor)}
    try:
        network = _untrained(tensors)
    except (KeyError, ValueError, IndexError, RuntimeError) as error:
        raise InputError(
            f"{where}: no weights of Real-ESRGAN's RRDBNet or SRVGGNetCompact (no {error}); "
            "get a file from github.com/xinntao/Real-ESRGAN."
        ) from error
    if wrong := state_dicts.faults(tensors, network.state_dict()):
        raise InputError(
            f"{where}: these are not Real-ESRGAN's layers: {state_dicts.first(wrong, 3)}."
        )
    network.load_state_dict({name: each.float() for name, each in tensors.items()})
    return Enlarger(network).eval()


def from_ncnn(layers: Sequence[Layer], where: str) -> Enlarger:
    """Build the network of an ncnn graph, whose layers lie in the order of computation.

    Raises:
        InputError: They are another network's.
    """
    weighted = [layer for layer in layers if layer.weights is not None]
    is_compact = any(layer.kind == "PReLU" for layer in layers)
    names = _compact_names(weighted) if is_compact else _dense_names(len(weighted))
    state: dict[str, Tensor] = {}
    for name, layer in itertools.zip_longest(names, weighted):
        if name is None or layer is None or layer.weights is None:
            raise InputError(
                f"{where}: {len(weighted)} layers with weights, not Real-ESRGAN's number."
            )
        state[f"{name}.weight"] = torch.from_numpy(layer.weights)
        if layer.bias is not None:
            state[f"{name}.bias"] = torch.from_numpy(layer.bias)
    last = layers[-1]
    resize = last.number(1, 1) if last.kind == "Interp" else 1.0
    return Enlarger(from_state(state, where).network, resize).eval()


def _compact_names(weighted: Sequence[Layer]) -> list[str]:
    return [f"body.{number}" for number in range(len(weighted))]


def _dense_names(n: int) -> list[str]:
    blocks = max(0, n - 6) // 15
    inner = [
        f"body.{block}.rdb{dense}.conv{k}"
        for block in range(blocks)
        for dense in range(1, 4)
        for k in range(1, 6)
    ]
    outer = ["conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
    return ["conv_first", *inner, *outer]


def _untrained(state: State) -> RRDBNet | SRVGGNetCompact:
    if "conv_first.weight" in state:
        width, into = state["conv_first.weight"].shape[:2]
        growth = state["body.0.rdb1.conv1.weight"].shape[0]
        blocks = {name.split(".")[1] for name in state if name.startswith("body.")}
        if into not in (3, 12):
            raise ValueError(f"network of {into} input channels")
        return RRDBNet(into, width, growth, len(blocks))
    width = state["body.0.weight"].shape[0]
    numbers = [int(name.split(".")[1]) for name in state]
    scale = math.isqrt(state[f"body.{max(numbers)}.weight"].shape[0] // 3)
    return SRVGGNetCompact(width, (max(numbers) - 2) // 2, scale)


def _leaky(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, _SLOPE)


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0)
