"""One experiment from the command's options to results.json, printed tables and page."""

import argparse
import dataclasses
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments.framework import catalogue, results_file
from experiments.framework.failures import is_failure
from experiments.framework.hours import spent_s
from experiments.framework.runner import Context, Outcome
from kerasfaces import cli
from kerasfaces import manifest as manifests
from kerasfaces.core import config, folders
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.core.imports import import_keras
from kerasfaces.manifest import Manifest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """An experiment to run.

    Attributes:
        name: Name of the experiment.
        context: What it works with.
        part: Value of `--part`.
        record: Value of `--record`, another name of the recorded copy or nothing; None
            records nothing.
        words: The command line.
    """

    name: str
    context: Context
    part: str | None
    record: str | None
    words: Sequence[str]

    @property
    def module(self) -> ModuleType:
        """The experiment, or the part of it; a module cannot travel between processes."""
        return catalogue.load(self.name, self.part)


def prepare(
    name: str,
    folder: Path,
    manifest: Manifest,
    notes: tuple[str, ...],
    arguments: argparse.Namespace,
    words: Sequence[str],
) -> Job:
    """Read the options of one experiment; nothing runs yet.

    Args:
        name: Name of the experiment.
        folder: Folder of its runs and results.
        manifest: Its images.
        notes: Sentences for the top of every run's report.
        arguments: The command's options.
        words: The command line.

    Raises:
        InputError: An option does not fit the experiment.
    """
    import_keras()
    module = catalogue.load(name, arguments.part)
    quick = bool(arguments.quick)

    def default(model: str) -> str:
        if model in getattr(module, "WEIGHTS", {}):
            return str(module.WEIGHTS[model])
        return "forensic" if quick and model == "mobilenetv2" else "imagenet"

    seeds = catalogue.parse_seeds(arguments.seeds) if arguments.seeds else module.SEEDS
    context = Context(
        manifest=manifest,
        folder=folder,
        weights=catalogue.parse_weights(arguments.weights, module.MODELS, default),
        seeds=seeds[:1] if quick and not arguments.seeds else seeds,
        notes=notes,
        quick=quick,
        budget_h=arguments.budget_hours,
        also=manifests.read(arguments.also) if arguments.also else None,
        mask=arguments.mask,
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
    folder = job.context.folder
    with folders.lock(folder, "experiment folder"):
        identity = {"experiment": job.name, "manifest": job.context.manifest.digest()}
        claim(folder, identity)
        results = _results(job, job.module.run(job.context))
        printed = results_file.text(
            results, job.module.TITLES, job.module.DOCUMENT_DATA
        )
        path = results_file.write(folder, results, job.part)
        ends = [f"results: {path}"]
        if hasattr(job.module, "finish"):
            ends.append(f"page: {job.module.finish(folder, results)}")
        if job.record is not None:
            suffix = "-".join(part for part in (job.part, job.record) if part)
            target = catalogue.HERE / job.name
            results_file.record(results, printed, target, suffix or None)
    end = "\n".join(ends)
    return results, f"{job.name}\n\n{printed}\n\n{end}\n"


def claim(folder: Path, identity: Mapping[str, Any]) -> None:
    """Write folder/experiment.json, or check that the folder is this experiment's.

    Raises:
        RunError: It holds another experiment, or the same on other images.
    """
    path = folder / "experiment.json"
    if not path.exists():
        write_json(path, dict(identity))
        return
    changed = config.diff(read_json(path), identity)
    if changed:
        raise RunError(
            f"{folder} holds another experiment ({'; '.join(changed)}); choose another "
            "folder with -o."
        )


def failures(results: Mapping[str, Any]) -> dict[str, str]:
    """Return what failed inside a finished experiment: line -> why."""
    lines = {row["row"]: row["status"] for row in results["rows"]}
    whole = {name: status for name, status in lines.items() if is_failure(status)}
    return {**results["failed"], **whole}


def _results(job: Job, outcome: Outcome) -> dict[str, Any]:
    context = job.context
    head, changed = results_file.commit(catalogue.HERE)
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
    """Return the machine that numbers of time and hours are of."""
    import keras

    gpu = "no GPU"
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        count = len(tf.config.list_physical_devices("GPU"))
        gpu = f"{count} GPU" if count else gpu
    text = f"{os.cpu_count()} cores, {platform.machine()}, {gpu}"
    return {"text": text, "budget_hours": budget_h}
