"""What a run's folder knows that an answer needs beside the network."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import config as configs
from kerasfaces.core.files import Json, read_json
from kerasfaces.images.limits import Limits

if TYPE_CHECKING:
    from kerasfaces.serve.answer import Options


@dataclasses.dataclass(frozen=True, kw_only=True)
class Background:
    """Limits, what training saw, and error rates; each is empty where nothing is known."""

    limits: Limits | None = None

    @classmethod
    def of(cls, folder: Path | str | None) -> "Background":
        """Read a run's folder; None knows nothing.

        Raises:
            RunError: A file is damaged.
        """
        if folder is None:
            return cls()
        path = Path(folder) / "input_spec.json"
        spec = read_json(path) if path.is_file() else {}
        limits = spec.get("limits") if isinstance(spec, dict) else None
        if limits is None:
            return cls()
        return cls(limits=configs.from_dict(Limits, limits, f"{path}.limits"))

    def too_little(self, size: tuple[int, int]) -> str:
        """Return why a picture of this width and height gets no verdict, or nothing."""
        return self.limits.reason(size) if self.limits else ""

    def cautions(
        self, data: bytes | None, prepared: Sequence[NDArray[np.uint8]]
    ) -> tuple[str, ...]:
        """Return what lessens trust in a verdict on this file and its prepared regions."""
        return ()

    def error_rates(self, options: "Options") -> Json | None:
        """Return how often the rule of these options errs, as measured on test."""
        return None
