"""Faces drawn by a whole diffusion model taught by the photos (yu2024; arXiv 2208.12242)."""

from kerasfaces.generate.fine_tuned import FineTuned, Options
from kerasfaces.generate.networks import diffusers_files

ALIGNED = PAIRED = False
UNCLAIMED = ("device", "local_files_only")
__all__ = ["ALIGNED", "PAIRED", "UNCLAIMED", "Options", "build", "name"]


def name(options: Options) -> str:
    """Return `dreambooth` and the network's name."""
    return f"dreambooth_{diffusers_files.short_name(options.network)}"


def build(options: Options) -> FineTuned:
    """Load the pipeline and return the generator; see `FineTuned`."""
    return FineTuned(options, rank=0)
