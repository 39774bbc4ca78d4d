"""What `generate` does to each photo."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Literal

from kerasfaces.core import config, registry
from kerasfaces.core.errors import InputError
from kerasfaces.generate.contract import check_ranges

KINDS = "kerasfaces.generate.kinds"
_RANGES = {
    "size_px": (32, 4096),
    "cutoff": (0, 1),
    "mix_max": (0, 1),
    "seed": (0, 2**63 - 1),
}


def _options(kind: str) -> Any:
    return registry.load(KINDS, kind).Options()


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """A kind of generator, and what real and fake have in common.

    Attributes:
        kind: File in `kerasfaces/generate/kinds`.
        options: The kind's own settings; its `Options`.
        size_px: Greatest side of the square that is used of each photo.
        resize: `none` cuts the square out at the photo's own resolution (resizing removes
            traces of cameras and generators alike); `shrink` cuts the largest square and
            shrinks it.
        align: By default frequency and pixel where the kind's fakes are the photo pixel by pixel,
            and nothing where not. `frequency` gives the fake the real's low frequencies, so that what the codec
            lost of the detail is not given back and brightness is no trace; `pixel` mixes a
            random share of the real into the fake; `spectrum` gives the fake the real's power
            at every frequency, so that a codec's blur is no trace; `jpeg` compresses the fake as the photo's
            own file was (Dual Data Alignment, arXiv 2505.14359).
        cutoff: Frequencies below this share of the Nyquist frequency are the real's.
        mix_max: Greatest share of the real; each pair's is drawn from 0 to this.
        format: Encoder of both pictures.
        quality_pct: Least and greatest JPEG quality; each pair has one.
        seed: Seed of everything that is drawn.
    """

    kind: str
    options: Any = dataclasses.field(
        default=None, metadata=config.defaults_of("kind", _options)
    )
    size_px: int = 512
    resize: Literal["none", "shrink"] = "none"
    align: tuple[Literal["frequency", "spectrum", "pixel", "jpeg"], ...] | None = None
    cutoff: float = 0.25
    mix_max: float = 0.3
    format: Literal["jpeg", "png"] = "jpeg"
    quality_pct: tuple[int, ...] = (75, 95)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.options is None:
            object.__setattr__(self, "options", _options(self.kind))
        aligned = getattr(registry.load(KINDS, self.kind), "ALIGNED", True)
        if self.align is None:
            usual = ("frequency", "pixel") if aligned else ()
            object.__setattr__(self, "align", usual)
        elif self.align and not aligned:
            raise InputError(
                f"align: the fakes of {self.kind} are not the photo pixel by pixel; leave "
                "it out."
            )
        if "jpeg" in (self.align or ()) and self.resize != "none":
            raise InputError(
                "align: jpeg needs resize=none, where the photo's compression is still as it "
                "was."
            )
        check_ranges(self, _RANGES, prefix="")
        low, high = self.quality_limits
        for value, least, greatest in ((low, 1, high), (high, low, 100)):
            if not least <= value <= greatest:
                raise InputError(
                    f"quality_pct: expected {least:,} to {greatest:,}, got {value}."
                )

    @functools.cached_property
    def source(self) -> str:
        """Return the generator's name, the `source` of its fakes."""
        name: str = registry.load(KINDS, self.kind).name(self.options)
        return name

    @property
    def is_paired(self) -> bool:
        """Return whether a fake shows what its photo shows."""
        return bool(getattr(registry.load(KINDS, self.kind), "PAIRED", True))

    @property
    def quality_limits(self) -> tuple[int, int]:
        """Return the least and the greatest JPEG quality."""
        if not 1 <= len(self.quality_pct) <= 2:
            raise InputError(
                f"quality_pct: expected one quality or two, got {list(self.quality_pct)}."
            )
        return self.quality_pct[0], self.quality_pct[-1]


def from_names(kind: str, values: Mapping[str, Any]) -> GenerateConfig:
    """Return a configuration from names of its own fields and of the kind's settings.

    Raises:
        InputError: There is no such kind or setting, or a value is out of range.
    """
    chosen = GenerateConfig(kind=kind)
    fields = {field.name for field in dataclasses.fields(chosen)}
    own = {name: value for name, value in values.items() if name in fields}
    of_kind = {name: value for name, value in values.items() if name not in fields}
    options = config.updated(chosen.options, of_kind)
    return config.updated(chosen, {"options": options, **own})
