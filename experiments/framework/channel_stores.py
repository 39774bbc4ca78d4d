"""Channel stores of an experiment, made by the channel stage in processes of its own.

One per mask and set of options; a second call computes nothing.
"""

import logging
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.framework.hours import clock
from experiments.framework.runner import Context
from kerasfaces import store
from kerasfaces.channels.networks import checkpoints
from kerasfaces.core.errors import MissingFileError, RunError

logger = logging.getLogger("kerasfaces.experiments")
UNMASKED = ("rgb", "lnp", "spectrum")  # one store for whoever wants no mask
SAM = "sam"
OTHER_MASK = "grabcut"
_SIZE_PX = 256  # of the stores whose name does not say it
_CHECKPOINT = "sam_vit_b"  # the mask module's default


def mask() -> str:
    """Return wan2023's mask, `sam`, or `grabcut` where its weights are missing."""
    try:
        checkpoints.find(_CHECKPOINT)
    except MissingFileError as error:
        logger.warning("masks are made by %s: %s", OTHER_MASK, error)
        return OTHER_MASK
    return SAM


class Stores:
    """Makes stores as they are asked for."""

    def __init__(self, context: Context, size_px: int) -> None:
        """Make nothing yet."""
        self._context, self._size_px = context, size_px
        self._folders: dict[str, Path] = {}

    def folder(
        self,
        mask: str,
        channels: Sequence[str] = ("lnp", "spectrum"),
        options: Sequence[str] = (),
    ) -> Path:
        """Return a complete store of the context's images.

        Args:
            mask: A mask module.
            channels: Channel modules.
            options: `--set` texts, e.g. `spectrum.colours=3`.

        Raises:
            RunError: The stage failed; it has said why.
        """
        changed = [option.rpartition("=")[2] for option in options]
        size = [] if self._size_px == _SIZE_PX else [f"{self._size_px}px"]
        name = "-".join([mask, *channels, *changed, *size])
        folder = (self._context.stores or self._context.folder / "stores") / name
        if name not in self._folders:
            if not (folder / "store.json").exists():
                self._context.must_start(f"the channel store {name}")
            with clock(self._context.folder):
                self._run(folder, channels, mask, options)
            self._folders[name] = folder
        return folder

    def unusable(self) -> dict[str, int]:
        """Return store -> how many images have no channels in it."""
        return {name: _unusable(folder) for name, folder in self._folders.items()}

    def _run(
        self, folder: Path, channels: Sequence[str], mask: str, options: Sequence[str]
    ) -> None:
        self._context.unsplit()
        manifest = self._context.folder / "splits" / "unsplit.csv"
        command = [sys.executable, "-m", "kerasfaces.channels", str(manifest)]
        command += ["-o", str(folder), "--channels", ",".join(channels)]
        command += ["--mask", mask]
        for option in (f"size_px={self._size_px}", *options):
            command += ["--set", option]
        logger.info("channels: %s", " ".join(command[1:]))
        process = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if process.returncode:
            raise RunError(
                f"The channel stage ended with code {process.returncode} while writing "
                f"{folder} (its message is above); run the same command again."
            )


def _unusable(folder: Path) -> int:
    entries = store.Store(folder).entries
    return sum(entry.status != store.OK for entry in entries.values())
