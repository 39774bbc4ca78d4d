"""Faces drawn by a diffusion model with small matrices taught by the photos (yu2024)."""

import dataclasses

from kerasfaces.generate import fine_tuned
from kerasfaces.generate.contract import check_ranges
from kerasfaces.generate.networks import diffusers_files

ALIGNED = PAIRED = False
UNCLAIMED = ("device", "local_files_only")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(fine_tuned.Options):
    """Settings of DreamBooth, and the matrices' size.

    Attributes:
        rank: Of the matrices beside the attention's (arXiv 2106.09685); yu2024 states none.
    """

    rank: int = 8
    learning_rate: float = 1e-4
    prior_weight: float = 0.0
    repeats: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, {"rank": (1, 1024)})


def name(options: Options) -> str:
    """Return `lora` and the network's name."""
    return f"lora_{diffusers_files.short_name(options.network)}"


def build(options: Options) -> fine_tuned.FineTuned:
    """Load the pipeline and return the generator; see `fine_tuned.FineTuned`."""
    return fine_tuned.FineTuned(options, rank=options.rank)
