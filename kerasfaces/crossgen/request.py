"""What is to be crossed, and what came of a training set."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core.engine import Engine
from kerasfaces.crossgen import plan, sources
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What `crossgen` was asked for.

    Attributes:
        config: The training configuration; its seed is the first one.
        manifest: Rows, split or not.
        weights: Base weights, see `Detector`.
        repeat: Seeds: each splits (where the manifest has no splits), draws and trains.
        size: Fakes per training set; None is as many as the smallest generator has.
        keep_all: Train on everything instead, in sets of different size.
        at_least: Images below which a generator is named but not used.
        pairings: Train on these, test on those; without any, the whole matrix.
        folder: Where everything goes; None names it by configuration and manifest.
        store: Channel store to train on; None trains on pixels.
        notes: Sentences that belong at the top of every report.
        spread: Where features are computed and trainings run; without a number of
            workers, trainings follow each other in this process.
    """

    config: TrainConfig | BaselineConfig
    manifest: "Manifest"
    weights: str
    repeat: int = 3
    size: int | None = None
    keep_all: bool = False
    at_least: int = sources.AT_LEAST
    pairings: Sequence[plan.Pairing] = ()
    folder: Path | None = None
    store: Path | None = None
    notes: tuple[str, ...] = ()
    spread: Engine = dataclasses.field(default_factory=Engine)

    @property
    def seeds(self) -> list[int]:
        """Return the seeds."""
        return list(range(self.config.seed, self.config.seed + self.repeat))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trained:
    """What came of one training set.

    Attributes:
        sources: Generators trained on.
        status: `run`, `not run: ...` or `failed: ...`.
        folders: Seed -> finished run folder.
        taken: Seed -> split -> source -> images drawn.
    """

    sources: tuple[str, ...]
    status: str
    folders: Mapping[int, Path] = dataclasses.field(default_factory=dict)
    taken: Mapping[int, Mapping[str, Mapping[str, int]]] = dataclasses.field(
        default_factory=dict
    )
