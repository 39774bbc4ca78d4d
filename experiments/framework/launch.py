"""One experiment from the command's options to results.json, printed tables and page."""

import argparse
import dataclasses
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from experiments.framework import runner
from experiments.framework.clock import spent_s
from experiments.framework.failures import is_failure
from kerasfaces import cli
from kerasfaces.core import folders
from kerasfaces.core.imports import import_keras

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be run.

    Attributes:
        name: The experiment's.
        context: What it works with.
        part: See `--part`.
        record: What the recorded copy is called besides; None records nothing.
        words: The command line.
    """

    name: str
    context: runner.Context
    part: str | None
    record: str | None
    words: Sequence[str]

    @property
    def module(self) -> ModuleType:
        """The experiment, or the part of it; a module cannot travel between processes."""
        return runner.load(self.name, self.part)


def prepare(
    name: str,
    folder: Path,
    manifest: "Manifest",
    notes: tuple[str, ...],
    arguments: argparse.Namespace,
    words: Sequence[str],
) -> Job:
    """Read the options of one experiment; nothing runs yet.

    Args:
        name: The experiment's.
        folder: Where it works.
        manifest: Its images.
        notes: Sentences for the top of every run's report.
        arguments: The command's options.
        words: The command line.

    Raises:
        InputError: An option does not fit the experiment.
    """
    import_keras()
    from kerasfaces import manifest as manifests

    module = runner.load(name, arguments.part)
    quick = bool(arguments.quick)

    def default(model: str) -> str:
        if model in getattr(module, "WEIGHTS", {}):
            return str(module.WEIGHTS[model])
        return "forensic" if quick and model == "mobilenetv2" else "imagenet"

    seeds = runner.parse_seeds(arguments.seeds) if arguments.seeds else module.SEEDS
    context = runner.Context(
        manifest=manifest,
        folder=folder,
        weights=runner.parse_weights(arguments.weights, module.MODELS, default),
        seeds=seeds[:1] if quick and not arguments.seeds else seeds,
        notes=notes,
        quick=quick,
        budget_h=arguments.budget_hours,
        also=manifests.read(arguments.also) if arguments.also else None,
        stores=arguments.stores,
        runs=arguments.runs,
        engine=cli.engine_of(arguments).or_in_process(),
    )
    return Job(
        name=name,
        context=context,
        part=arguments.part,
        record=arguments.record,
        words=words,
    )


def execute(job: Job) -> tuple[dict[str, Any], str]:
    """Run a job, write results.json (and its page, if it has one), record it if asked.

    Returns:
        The content of results.json and what is to be printed.
    """
    from experiments.framework import results_file

    folder = job.context.folder
    with folders.lock(folder, "experiment folder"):
        identity = {"experiment": job.name, "manifest": job.context.manifest.digest()}
        runner.claim(folder, identity)
        outcome = job.module.run(job.context)
        results = _results(job, outcome)
        printed = results_file.text(
            results, job.module.TITLES, job.module.DOCUMENT_DATA
        )
        path = results_file.write(folder, results, job.part)
        ends = [f"results: {path}"]
        if hasattr(job.module, "finish"):
            ends.append(f"page: {job.module.finish(folder, results)}")
        if job.record is not None:
            called = "-".join(part for part in (job.part, job.record) if part)
            target = runner.HERE / job.name
            results_file.record(results, printed, target, called or None)
    end = "\n".join(ends)
    return results, f"{job.name}\n\n{printed}\n\n{end}\n"


def failures(results: Mapping[str, Any]) -> dict[str, str]:
    """Return what failed inside a finished experiment: line -> why."""
    lines = {row["row"]: row["status"] for row in results["rows"]}
    whole = {name: status for name, status in lines.items() if is_failure(status)}
    return {**results["failed"], **whole}


def _results(job: Job, outcome: runner.Outcome) -> dict[str, Any]:
    from experiments.framework import results_file

    context = job.context
    head, changed = results_file.commit(runner.HERE)
    data = results_file.data_name(context.manifest)
    return {
        "experiment": job.name,
        "commit": head,
        "uncommitted_changes": changed,
        "command": results_file.command(job.words),
        "hours": round(spent_s(context.folder) / 3600, 3),
        "machine": machine(context.budget_h),
        "seeds": list(context.seeds),
        "weights": dict(outcome.weights),
        "notes": [*context.notes, *outcome.notes],
        "failed": dict(outcome.failed),
        "rows": [row.to_dict(data) for row in outcome.rows],
    }


def machine(budget_h: float | None) -> dict[str, Any]:
    """Return what the numbers of time and hours are of."""
    import keras

    gpu = "no GPU"
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        count = len(tf.config.list_physical_devices("GPU"))
        gpu = f"{count} GPU" if count else gpu
    text = f"{os.cpu_count()} cores, {platform.machine()}, {gpu}"
    return {"text": text, "budget_hours": budget_h}
