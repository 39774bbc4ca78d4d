"""Vision transformers of keras-hub as frozen bases: tokens of chosen blocks feed a head.

A family (DINOv2, CLIP ...) is data: how keras-hub builds it, and how the file that its
authors publish names its arrays. Taps are `block_1`, `block_2` ..., each block's output,
and `tokens`, the last one normalised: `(n, t, 1, c)`, tokens of the whole image first.
Any input size that patches fill: position embeddings are resized when weights are loaded.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import keras
import numpy as np
from keras import KerasTensor
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.models import hub_weights
from kerasfaces.models.architecture import FrozenBase, Start
from kerasfaces.models.config import ModelConfig, ViewOptions
from kerasfaces.models.layers import TokenMap, normalisation
from kerasfaces.models.positions import resized
from kerasfaces.models.presets import Preset
from kerasfaces.models.weights import Sources

SizesT = TypeVar("SizesT", bound="Sizes")
Arrays = Mapping[str, NDArray[Any]]
_TEXT = r"text_model\.|logit_|(visual|text)_projection\.|.*position_ids$"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes(ViewOptions):
    """Sizes of a transformer; only those of its name have published weights.

    Attributes:
        layers: Encoder blocks.
        width: Numbers per token; a multiple of `heads`.
        heads: Heads of the attention.
        mlp_width: Width inside a block's dense layers; 0 is four times `width`.
        patch_px: Side of a patch.
        native_px: Side of the images that the published position embeddings are for.
    """

    layers: int = 12
    width: int = 768
    heads: int = 12
    mlp_width: int = 0
    patch_px: int = 16
    native_px: int = 224

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least(1, "layers", "width", "heads", "patch_px", "native_px")
        self.check_at_least(0, "mlp_width")

    def settings(self, size_px: int) -> Json:
        """Return what all of keras-hub's vision transformers take.

        Args:
            size_px: Side of the input.
        """
        return {
            "image_shape": (size_px, size_px, 3),
            "patch_size": self.patch_px,
            "num_layers": self.layers,
            "num_heads": self.heads,
            "hidden_dim": self.width,
            "intermediate_dim": self.mlp_width or 4 * self.width,
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Family(Generic[SizesT]):
    """What distinguishes a family of transformers.

    Attributes:
        build: Sizes, side of the input, whether arrays that only its pre-training used
            are there -> keras-hub's model.
        outputs: That model -> the tokens after each block, and the last normalised.
        published: Pattern of an array's published name, without `.weight` and `.bias` ->
            keras-hub's path.
        n_front: Tokens that stand for the whole image, in front of those of patches.
        unused: Pattern of published names that have no place here.
        positions: Paths of position embeddings; of several, the others are copies.
        antialias: Whether its own code resizes positions with antialiasing.
        mean: Of pixels of 0..1 in its pre-training, per colour.
        deviation: The same of the standard deviation.
        pooling: Of our default head.
    """

    build: Callable[[SizesT, int, bool], keras.Model]
    outputs: Callable[[keras.Model], Sequence[KerasTensor]]
    published: Mapping[str, str]
    n_front: Callable[[SizesT], int] = lambda sizes: 1
    unused: str = _TEXT
    positions: tuple[str, ...] = ()
    antialias: Callable[[SizesT], bool] = lambda sizes: False
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    pooling: str = "cls_mean_std"

    def is_used(self, name: str) -> bool:
        """Tell whether an array of a published name has a place here."""
        return not re.match(f"{self.unused}|{_TEXT}", name)

    def path_of(self, name: str) -> str:
        """Return keras-hub's path of a published array; empty where it has no place.

        Raises:
            InputError: The name is not one of this family.
        """
        bare = name.removeprefix("vision_model.")
        if not self.is_used(bare):
            return ""
        stem, _, kind = bare.rpartition(".")
        if kind not in ("weight", "bias"):
            stem, kind = bare, ""
        for pattern, replacement in self.published.items():
            if re.fullmatch(pattern, stem):
                path = re.sub(pattern, replacement, stem)
                break
        else:
            raise InputError(f"{quoted(name)} has no place in it")
        if not kind or path.endswith("/embeddings"):
            return path
        norm = re.search(r"norm_?\d?$", path)
        words = ("gamma", "beta") if norm else ("kernel", "bias")
        return f"{path}/{words[kind == 'bias']}"

    def arrays(self, state: Arrays) -> dict[str, NDArray[Any]]:
        """Return a published state dict's arrays by keras-hub's path, axes as there."""
        values = {}
        for name, value in state.items():
            path = self.path_of(name)
            if path.endswith("/kernel"):
                value = value.transpose(2, 3, 1, 0) if value.ndim == 4 else value.T
            if path:
                values[path] = value
        return values


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrozenTransformer(FrozenBase[SizesT]):
    """A frozen base of tokens.

    Attributes:
        family: Of transformers.
    """

    family: Family[SizesT]
    extra: str = "hub"

    @classmethod
    def of_preset(
        cls, family: Family[SizesT], kind: type[SizesT], preset: Preset
    ) -> "FrozenTransformer[SizesT]":
        """Return the architecture that a preset describes."""
        sizes = kind(**preset.options)
        quarters = [round(sizes.layers * part / 4) for part in (1, 2, 3, 4)]
        return cls(
            options=sizes,
            sources=Sources(
                preset.title,
                imagenet=hub_weights.published(preset.weights),
                word="published",
                folders=True,
            ),
            taps=tuple(f"block_{number}" for number in dict.fromkeys(quarters)),
            defaults={
                "size_px": round(224 / sizes.patch_px) * sizes.patch_px,
                "scales": (1.0,),
                "pooling": family.pooling,
            },
            family=family,
            base=lambda options: family.build(options, options.native_px, False),
            preprocessing=lambda: normalisation(family.mean, family.deviation),
        )

    def full(self, config: ModelConfig, start: Start[SizesT]) -> keras.Model:
        """Return the transformer with its weights, `(n, s, s, 3)` -> tokens by block.

        Raises:
            MissingExtraError: keras-hub is not installed.
            InputError: The size does not fit, or the weights are of another model.
        """
        sizes, family = start.options, self.family
        _check(config, sizes)
        hub_model = family.build(sizes, config.size_px, False)
        if start.weights is not None:
            path = start.weights.path
            try:
                values = self._values(start)
                _assign(hub_model, values, family, sizes)
            except InputError as error:
                raise InputError(
                    f"{path}: not weights of {config.name}: {error}.{start.sources.hint}"
                ) from error
        names = [f"block_{number + 1}" for number in range(sizes.layers)]
        count = (config.size_px // sizes.patch_px) ** 2 + family.n_front(sizes)
        tokens = [
            TokenMap(count, name=name)(output)
            for name, output in zip(
                [*names, "tokens"], family.outputs(hub_model), strict=True
            )
        ]
        return keras.Model(hub_model.inputs[0], tokens, name=config.name)

    def _values(self, start: Start[SizesT]) -> Arrays:
        """Return the arrays of a weights file by keras-hub's path."""
        assert start.weights is not None  # noqa: S101 - for the type checker
        path = start.weights.path
        if not hub_weights.is_hub_file(path):
            state = hub_weights.state_of(path, lambda name: not re.match(_TEXT, name))
            return self.family.arrays(state)
        sizes = start.options
        native = self.family.build(sizes, sizes.native_px, True)
        hub_weights.load_part(native, path)
        return {
            weight.path: keras.ops.convert_to_numpy(weight)
            for weight in native.weights
            if self.family.is_used(weight.path.replace("/", "."))
        }


def _assign(
    hub_model: keras.Model, values: Arrays, family: Family[SizesT], sizes: SizesT
) -> None:
    """Give a model its arrays, positions resized; each must have its place."""
    left = dict(values)
    copies = family.positions[1:]
    for weight in hub_model.weights:
        path, shape = weight.path, tuple(weight.shape)
        if path.endswith("position_ids"):
            continue
        name = family.positions[0] if path in copies else path
        if name not in values:
            raise InputError(f"{name} is missing")
        left.pop(path, None)
        value = np.atleast_1d(values[name]).astype(np.float32)
        if path in family.positions and value.size and value.shape[-1] == shape[-1]:
            n_patches = (hub_model.inputs[0].shape[1] // sizes.patch_px) ** 2
            flat = value.reshape(-1, value.shape[-1])
            value = resized(flat, n_patches, family.antialias(sizes))
        # Attention's kernels are split by head, and a few arrays have an axis of 1 more.
        ends = {value.shape[0] == shape[0], value.shape[-1] == shape[-1]}
        if value.size != np.prod(shape) or not (value.ndim == 1 or any(ends)):
            raise InputError(f"{path} should be {shape}, found {value.shape}")
        weight.assign(value.reshape(shape))
    if left:
        raise InputError(
            f"{len(left)} arrays have no place in it, e.g. {quoted(min(left))}"
        )


def check_size(config: ModelConfig, patch_px: int) -> None:
    """Refuse an input that whole patches do not fill, or that has several sizes.

    Raises:
        InputError: It is one of these.
    """
    if config.scales != (1.0,):
        raise InputError(
            f"model.scales: {config.name} has positions for one size, got "
            f"{', '.join(map(str, config.scales))}; leave it at 1."
        )
    if config.size_px % patch_px:
        raise InputError(
            f"model.size_px: expected a multiple of the patch, {patch_px} px, got "
            f"{config.size_px}."
        )


def _check(config: ModelConfig, sizes: Sizes) -> None:
    """Refuse sizes that a transformer cannot have."""
    check_size(config, sizes.patch_px)
    if sizes.width % sizes.heads:
        raise InputError(
            f"model.options.width: expected a multiple of heads, {sizes.heads}, got "
            f"{sizes.width}."
        )
