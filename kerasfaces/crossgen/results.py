"""Everything measured -> the content of crossgen.json and crossgen.csv."""

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from kerasfaces.core import config as configs
from kerasfaces.core.files import Json
from kerasfaces.crossgen.cells import CellResult, TrainedSet, worst
from kerasfaces.crossgen.comparisons import Comparison
from kerasfaces.crossgen.plan import MATRIX, Cell, MatrixSettings, Plan, Sources
from kerasfaces.crossgen.training_sets import Size, count, has_splits
from kerasfaces.evaluate.report import audit_sentence
from kerasfaces.manifest import Manifest
from kerasfaces.run.folder import DetectorRun, ScoredRun

Counts = Mapping[str, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What page and files show."""

    name: str  # the folder's name
    matrix: MatrixSettings  # the matrix's settings
    sources: Sources
    plan: Plan
    splits: Mapping[int, Manifest]  # seed -> split manifest
    size: Size  # of the training sets
    trained: Sequence[TrainedSet]  # one per training set
    cells: Sequence[CellResult]  # every cell
    compared: Sequence[Comparison]  # differences on the same images
    audit: Json | None  # of all files; None where they are elsewhere

    @property
    def seeds(self) -> list[int]:
        """Seeds of the trainings, in order."""
        return list(self.splits)

    @property
    def failed(self) -> dict[str, str]:
        """Training set -> why it failed."""
        return {
            self.plan.folder_name(each.sources): each.status
            for each in self.trained
            if each.status.startswith("failed")
        }

    @property
    def not_run(self) -> dict[str, str]:
        """Generator with too few images -> its status."""
        return {name: f"not run: {n} images" for name, n in self.sources.few.items()}

    @cached_property
    def warnings(self) -> list[str]:
        """What a reader must know first."""
        warnings = list(self.matrix.notes)
        warnings += [
            f"The training on {name} {why}. The same command tries it again."
            for name, why in self.failed.items()
        ]
        warnings += [
            f"{name} was not run: {n} images, expected at least {self.matrix.at_least}."
            for name, n in self.sources.few.items()
        ]
        if self.matrix.keep_all:
            warnings.append(
                "Training sets are of different size (keep_all): a difference between them "
                "may be one of size."
            )
        unreadable = {
            self.plan.folder_name(each.sources): max(
                map(_n_unreadable, each.folders.values()), default=0
            )
            for each in self.trained
        }
        if counts := ", ".join(f"{name} {n:,}" for name, n in unreadable.items() if n):
            warnings.append(
                "Images that could not be read are in no number, and a training set is smaller "
                f"than said by those drawn for it (train, val and test together, at most): {counts}."
            )
        if self.audit and self.audit["flagged"]:
            warnings.append(audit_sentence(self.audit))
        return warnings

    @cached_property
    def balance(self) -> str:
        """How the training sets were made equal, and what that left out."""
        size = self.size.train
        if size is None:
            return "Every training set holds all images of its generators (keep_all)."
        n = {
            each["name"]: each["splits"][0]
            for each in self.table_of_sources
            if each["label"] == "fake"
        }
        drawn = [
            parts["train"] for each in self.trained for parts in each.taken.values()
        ]
        fakes = [{k: v for k, v in one.items() if k in n} for one in drawn]
        reals = [{k: v for k, v in one.items() if k not in n} for one in drawn]
        spare = [
            f"{k - size:,} of {k:,} of {name}" for name, k in n.items() if k > size
        ]
        names = [name for name, k in n.items() if k == size]
        is_asked = self.matrix.size is not None
        why = f", as many as {names[0]} has" if names and not is_asked else ""
        left = f" A detector of one generator leaves out {', '.join(spare)}."
        return (
            f"Every training set holds {size:,} fakes{why} (training images), in "
            f"{_shares(fakes)} of its generators, and {_reals(reals, size)}, in "
            f"{_shares(reals)} of their sources.{left * bool(spare)} The reals are the same in every set of a "
            "seed. `keep_all=True` takes everything, `size=N` another number."
        )

    @cached_property
    def table_of_sources(self) -> list[Json]:
        """Name, label, n, (train, val, test) of the first split and status of each source."""
        rows = self.splits[self.seeds[0]].rows
        return [
            {
                "name": name,
                "label": label,
                "n": n,
                "splits": [
                    count(rows, name, part) for part in ("train", "val", "test")
                ],
                "status": self.not_run.get(name, "run"),
            }
            for label, sources in (
                ("fake", {**self.sources.fake, **self.sources.few}),
                ("real", self.sources.real),
            )
            for name, n in sources.items()
        ]

    @cached_property
    def table_of_sets(self) -> list[Json]:
        """Name, n_fake, n_real, parts and status of each training set, first seed."""
        table = []
        for each in self.trained:
            taken = each.taken.get(self.seeds[0], {}).get("train", {})
            fakes = {k: n for k, n in taken.items() if k in self.sources.fake}
            reals = {k: n for k, n in taken.items() if k in self.sources.real}
            parts = [f"{name} {n}" for name, n in (fakes | reals).items()]
            table.append(
                {
                    "name": self.plan.folder_name(each.sources),
                    "n_fake": sum(fakes.values()),
                    "n_real": sum(reals.values()),
                    "parts": ", ".join(parts),
                    "status": each.status,
                }
            )
        return table

    @cached_property
    def settings(self) -> Json:
        """What a reader needs to do it again."""
        config, manifest = self.matrix.config, self.matrix.manifest
        first = next(f for each in self.trained for f in each.folders.values())
        weights = DetectorRun(first).base_weights
        own = has_splits(manifest)
        return {
            "model": config.model.name,
            "weights": f"{weights['kind']}: {weights['file']}" if weights else "none",
            "configuration": configs.to_dict(config),
            "seeds": ", ".join(map(str, self.seeds)),
            "splits": "the manifest's own" if own else "5:1:1, by each seed anew",
            "manifest": manifest.digest()[:12],
        }

    def content(self, folder: Path) -> Json:
        """Return the content of `folder/crossgen.json`."""
        lowest = worst(self.cells)
        few = [
            CellResult(cell=Cell(MATRIX, (name,), (name,), name), status=status)
            for name, status in self.not_run.items()
        ]
        return {
            "seeds": self.seeds,
            "size": dataclasses.asdict(self.size),
            "balance": self.balance,
            "warnings": self.warnings,
            "failed": self.failed,
            "sources": self.table_of_sources,
            "training_sets": [
                row
                | {
                    "trained_on": list(each.sources),
                    "taken": {str(seed): parts for seed, parts in each.taken.items()},
                    "runs": [
                        str(path.relative_to(folder)) for path in each.folders.values()
                    ],
                }
                for row, each in zip(self.table_of_sets, self.trained, strict=True)
            ],
            "cells": [each.to_dict() for each in (*self.cells, *few)],
            "worst": None if lowest is None else lowest.to_dict(),
            "compared": [each.to_dict() for each in self.compared],
            "settings": self.settings,
        }

    def table(self) -> str:
        """Return crossgen.csv: one line per cell and metric, with each seed's value."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        head = "table train test n_real n_fake metric value low high sd status".split()
        writer.writerow([*head, *(f"seed_{seed}" for seed in self.seeds)])
        no_values = [""] * len(self.seeds)
        for each in self.cells:
            cell = [each.cell.table, each.cell.name, each.cell.tested]
            if not each.metrics:
                writer.writerow([*cell, *[""] * 7, each.status, *no_values])
            for name, metric in each.metrics.items():
                numbers = [
                    _number(metric[key]) for key in ("value", "low", "high", "sd")
                ]
                values = [_number(value) for value in metric["values"]]
                line = [*cell, each.n_real, each.n_fake, name, *numbers, each.status]
                writer.writerow([*line, *values])
        for name, status in self.not_run.items():
            writer.writerow([MATRIX, name, name, *[""] * 7, status, *no_values])
        return file.getvalue().encode("utf-8", "backslashreplace").decode()


def _reals(parts: Iterable[Counts], size: int) -> str:
    totals = sorted({sum(one.values()) for one in parts}) or [size]
    if totals[0] >= size:
        return "as many reals"
    least, most = (f"{n:,}" for n in (totals[0], totals[-1]))
    several = f" to {most}, by seed" if most != least else ""
    return f"{least}{several} reals, as there are no more"


def _shares(parts: Iterable[Counts]) -> str:
    equal = all(max(one.values()) - min(one.values()) <= 1 for one in parts if one)
    return "equal shares" if equal else "shares as equal as there are images"


def _n_unreadable(folder: Path) -> int:
    measured = ScoredRun(folder).metrics["metrics"]
    return sum(int(parts["all"]["n_unreadable"]) for parts in measured.values())


def _number(value: float | None) -> str:
    return "" if value is None else repr(float(value))
