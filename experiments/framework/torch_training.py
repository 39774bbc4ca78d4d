"""Train a network of torch some steps at a time, so that it can be killed.

A checkpoint and a history grow in a folder, and the same command continues from them.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasfaces.core import folders
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path, read_json, write_json
from kerasfaces.core.progress import progress

logger = logging.getLogger("kerasfaces.experiments")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Settings that every such training has.

    Attributes:
        steps: Number of steps.
        batch: Items in each.
        learning_rate: Of Adam, at its highest; it falls along a cosine to 0.
        warmup: Number of first steps over which it rises to that.
        save_every: Steps between checkpoints.
        seed: Seed of the network's first weights, an integer.
    """

    steps: int = 4000
    batch: int = 8
    learning_rate: float = 2e-3
    warmup: int = 100
    save_every: int = 250
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is trained, and how its loss is computed.

    Attributes:
        network: The untrained network; it is moved to the channels-last layout.
        loss: `(network, batch, step) -> (loss, measure)`: a scalar tensor that is made
            smaller, and one that the history records.
        measure: Name and unit of the latter, e.g. `psnr_db`.
        batches: `steps -> batches`, one for each step.
        digest: Of all settings; a checkpoint of another one is refused.
    """

    network: Any
    loss: Callable[[Any, Any, int], tuple[Any, Any]]
    measure: str
    batches: Callable[[range], Iterator[Any]]
    digest: str


def train(task: Task, schedule: Schedule, folder: Path, threads: int) -> Any:
    """Train, or continue, and return the network.

    Args:
        task: Network, loss and batches of the training.
        schedule: Number of steps and learning rate.
        folder: Folder of `checkpoint.pt` and `history.json`.
        threads: Threads of torch.

    Raises:
        RunError: The folder's checkpoint is of other settings.
    """
    import torch

    torch.set_num_threads(threads)
    folder.mkdir(parents=True, exist_ok=True)
    network = task.network.to(memory_format=torch.channels_last)
    with folders.lock(folder, "training folder"):
        optimizer = torch.optim.Adam(network.parameters(), schedule.learning_rate)
        first, history = _resume(network, optimizer, task.digest, folder)
        started, measures = time.monotonic(), []
        steps = range(first, schedule.steps)
        with progress(len(steps), "Training", "step") as advance:
            for step, batch in zip(steps, task.batches(steps), strict=True):
                optimizer.param_groups[0]["lr"] = _learning_rate(schedule, step)
                optimizer.zero_grad()
                loss, measure = task.loss(network, batch, step)
                loss.backward()
                optimizer.step()
                measures.append(float(measure.detach()))
                advance(1)
                if (step + 1) % schedule.save_every and step + 1 < schedule.steps:
                    continue
                mean, seconds = (
                    sum(measures) / len(measures),
                    time.monotonic() - started,
                )
                history.append(
                    {"step": step + 1, task.measure: mean, "seconds": seconds}
                )
                write_json(folder / "history.json", history)
                state = {
                    "step": step + 1,
                    "digest": task.digest,
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                }
                with atomic_path(folder / "checkpoint.pt") as temporary:
                    torch.save(state, temporary)
                logger.info("%s", history[-1])
                started, measures = time.monotonic(), []
    return network.eval()


def _learning_rate(schedule: Schedule, step: int) -> float:
    rise = min(1.0, (step + 1) / schedule.warmup)
    fall = 0.5 * (1 + math.cos(math.pi * step / schedule.steps))
    return schedule.learning_rate * rise * fall


def _resume(
    network: Any, optimizer: Any, digest: str, folder: Path
) -> tuple[int, list[dict[str, float]]]:
    """Load the folder's checkpoint; return the next step and the history up to it."""
    import torch

    path = folder / "checkpoint.pt"
    if not path.exists():
        return 0, []
    saved = torch.load(path, weights_only=True)
    if saved["digest"] != digest:
        raise RunError(
            f"{path} belongs to another recipe or plan than this command's; train into "
            "another folder, or delete it."
        )
    network.load_state_dict(saved["network"])
    optimizer.load_state_dict(saved["optimizer"])
    history = read_json(folder / "history.json")
    return saved["step"], [row for row in history if row["step"] <= saved["step"]]
