"""Everything measured -> the content of crossgen.json and crossgen.csv."""

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasfaces.core import config as configs
from kerasfaces.crossgen import balance, plan
from kerasfaces.crossgen.collect import Found, worst
from kerasfaces.crossgen.draw import Size
from kerasfaces.crossgen.paired import Compared
from kerasfaces.crossgen.request import Request, Trained
from kerasfaces.crossgen.sources import Sources
from kerasfaces.crossgen.splits import has_splits
from kerasfaces.evaluate.report import audit_sentence
from kerasfaces.run.folder import DetectorRun

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What page and files show.

    Attributes:
        name: The folder's name.
        request: What was asked for.
        sources: Of the manifest.
        plan: What was to be done.
        splits: Seed -> split manifest.
        size: Of the training sets.
        trained: One per training set.
        found: Every cell.
        compared: Differences on the same images.
        audit: Of all files; None where they are elsewhere.
    """

    name: str
    request: Request
    sources: Sources
    plan: plan.Plan
    splits: Mapping[int, "Manifest"]
    size: Size
    trained: Sequence[Trained]
    found: Sequence[Found]
    compared: Sequence[Compared]
    audit: Mapping[str, Any] | None

    @property
    def seeds(self) -> list[int]:
        """Return the seeds."""
        return list(self.splits)

    @property
    def failed(self) -> dict[str, str]:
        """Return training set -> why it failed."""
        return {
            self.set_name(each.sources): each.status
            for each in self.trained
            if each.status.startswith("failed")
        }

    def set_name(self, sources: tuple[str, ...]) -> str:
        """Return a training set's name."""
        return plan.folder_name(sources, self.plan.generators)

    @property
    def warnings(self) -> list[str]:
        """Return what a reader must know first."""
        said = list(self.request.notes)
        for name, why in self.failed.items():
            said.append(
                f"The training on {name} {why}. The same command tries it again."
            )
        for name, n in self.sources.few.items():
            said.append(
                f"{name} was not run: {n} images, expected at least {self.request.at_least}."
            )
        if self.request.keep_all:
            said.append(
                "Training sets are of different size (keep_all): a difference between them "
                "may be one of size."
            )
        said += balance.unreadable(
            {self.set_name(e.sources): e.folders.values() for e in self.trained}
        )
        if self.audit and self.audit["flagged"]:
            said.append(audit_sentence(self.audit))
        return said

    @cached_property
    def balance(self) -> str:
        """Return how the training sets were made equal, and what that left out."""
        return balance.sentence(
            self.size.train,
            self.table_of_sources,
            [parts["train"] for each in self.trained for parts in each.taken.values()],
            is_asked=self.request.size is not None,
        )

    @cached_property
    def table_of_sources(self) -> list[dict[str, Any]]:
        """Return name, label, n, (train, val, test) of the first split, status."""
        rows = self.splits[self.seeds[0]].rows
        known = [
            *((name, "fake", n, "run") for name, n in self.sources.fake.items()),
            *(
                (name, "fake", n, f"not run: {n} images")
                for name, n in self.sources.few.items()
            ),
            *((name, "real", n, "run") for name, n in self.sources.real.items()),
        ]
        return [
            {
                "name": name,
                "label": label,
                "n": n,
                "splits": [
                    int(((rows["source"] == name) & (rows["split"] == split)).sum())
                    for split in ("train", "val", "test")
                ],
                "status": status,
            }
            for name, label, n, status in known
        ]

    @cached_property
    def table_of_sets(self) -> list[dict[str, Any]]:
        """Return name, n_fake, n_real, parts and status of each set, first seed."""
        found = []
        for each in self.trained:
            taken = each.taken.get(self.seeds[0], {}).get("train", {})
            fakes = {k: n for k, n in taken.items() if k in self.sources.fake}
            reals = {k: n for k, n in taken.items() if k in self.sources.real}
            parts = [f"{name} {n}" for name, n in (fakes | reals).items()]
            found.append(
                {
                    "name": self.set_name(each.sources),
                    "n_fake": sum(fakes.values()),
                    "n_real": sum(reals.values()),
                    "parts": ", ".join(parts),
                    "status": each.status,
                }
            )
        return found

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Return what a reader needs to do it again."""
        config = self.request.config
        first = next(f for each in self.trained for f in each.folders.values())
        weights = DetectorRun(first).base_weights
        own = has_splits(self.request.manifest)
        return {
            "model": config.model.name,
            "weights": f"{weights['kind']}: {weights['file']}" if weights else "none",
            "configuration": configs.to_dict(config),
            "seeds": ", ".join(map(str, self.seeds)),
            "splits": "the manifest's own" if own else "5:1:1, by each seed anew",
            "manifest": self.request.manifest.digest()[:12],
        }


def content(result: Result, folder: Path) -> dict[str, Any]:
    """Return the content of crossgen.json."""
    lowest = worst(result.found)
    return {
        "seeds": result.seeds,
        "size": dataclasses.asdict(result.size),
        "balance": result.balance,
        "warnings": result.warnings,
        "failed": result.failed,
        "sources": result.table_of_sources,
        "training_sets": [
            shown
            | {
                "trained_on": list(each.sources),
                "taken": {str(seed): parts for seed, parts in each.taken.items()},
                "runs": [
                    str(path.relative_to(folder)) for path in each.folders.values()
                ],
            }
            for shown, each in zip(result.table_of_sets, result.trained, strict=True)
        ],
        "cells": [
            *(each.to_dict() for each in result.found),
            *(_too_few(name, n) for name, n in result.sources.few.items()),
        ],
        "worst": None if lowest is None else lowest.to_dict(),
        "compared": [each.to_dict() for each in result.compared],
        "settings": result.settings,
    }


def table(result: Result) -> str:
    """Return crossgen.csv: one line per cell and metric, with each seed's value."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    head = [
        "table",
        "train",
        "test",
        "n_real",
        "n_fake",
        "metric",
        "value",
        "low",
        "high",
    ]
    writer.writerow([*head, "sd", "status", *(f"seed_{seed}" for seed in result.seeds)])
    for each in result.found:
        cell = [each.cell.table, each.cell.name, each.cell.tested]
        if not each.metrics:
            blank = [""] * 7
            writer.writerow([*cell, *blank, each.status, *[""] * len(result.seeds)])
        for metric, found in each.metrics.items():
            numbers = [_cell(found[key]) for key in ("value", "low", "high", "sd")]
            counts = [each.n_real, each.n_fake]
            values = [_cell(value) for value in found["values"]]
            writer.writerow([*cell, *counts, metric, *numbers, each.status, *values])
    for name, n in result.sources.few.items():
        status = f"not run: {n} images"
        line = [plan.MATRIX, name, name, *[""] * 7, status]
        writer.writerow([*line, *[""] * len(result.seeds)])
    return file.getvalue().encode("utf-8", "backslashreplace").decode()


def _too_few(name: str, n: int) -> dict[str, Any]:
    cell = plan.Cell(plan.MATRIX, (name,), (name,), name)
    return Found(cell=cell, status=f"not run: {n} images").to_dict()


def _cell(value: float | None) -> str:
    return "" if value is None else repr(float(value))
