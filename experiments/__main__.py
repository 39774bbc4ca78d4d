"""Command `experiments`: manifest -> runs, results.json, tables beside the document's."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import runner
from kerasfaces import cli
from kerasfaces.errors import InputError

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest

_EXAMPLES = [
    "python -m experiments                                     # list them",
    "python -m experiments kabber2023 --manifest M -o DIR",
    "python -m experiments kabber2023 --part grids --manifest M -o DIR",
    "python -m experiments frozen_base --manifest M -o DIR --weights FILE --seeds 0-4",
    "python -m experiments kabber2023 --manifest M -o DIR --weights mobilenetv2=FILE",
    "python -m experiments wan2023 --manifest M -o DIR --budget-hours 10",
    "python -m experiments all --quick -o DIR                  # on the built-in sample",
]
_QUICK_NOTE = (
    "--quick: this shows that the plumbing works, on the built-in simulation; the numbers "
    "say nothing about real photos."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, run one experiment or all, print its tables."""
    import sys

    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(words)
    if arguments.name is None:
        print(_list())
        return 0
    chosen = runner.names() if arguments.name == "all" else [arguments.name]
    for name in chosen:
        runner.check_name(name)
    if arguments.output is None:
        raise InputError("-o DIR is missing: where should splits, runs and results go?")
    manifest, notes = _manifest(arguments)
    for name in chosen:
        folder = arguments.output / name if len(chosen) > 1 else arguments.output
        _run(name, folder, manifest, notes, arguments, words)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "experiments", "Repeat a document's experiments, on any manifest.", _EXAMPLES
    )
    parser.prog = "python -m experiments"
    add = parser.add_argument
    add("name", nargs="?", help=f"all, {', '.join(runner.names())}; none: list them")
    add("--manifest", type=Path, help="manifest.csv; it is split anew")
    add("--root", type=Path, help="what relative paths in the manifest are relative to")
    add("-o", "--output", type=Path, metavar="DIR", help="splits, runs, results.json")
    add("--part", metavar="PART", help="a part of its own, e.g. kabber2023's grids")
    add("--seeds", help="split seeds, e.g. 0-4; default: the experiment's")
    add(
        "--weights",
        action="append",
        default=[],
        metavar="[MODEL=]W",
        help="imagenet (default), forensic, none or a file; may be given per model",
    )
    add(
        "--budget-hours",
        type=float,
        metavar="H",
        help="start nothing new after H hours of training, earlier calls included (wan2023, "
        "tian2023, mudgal2023, yu2024, generators)",
    )
    add(
        "--stores",
        type=Path,
        metavar="DIR",
        help="channel stores, to share them between experiments; default: DIR/stores",
    )
    add(
        "--also",
        type=Path,
        metavar="MANIFEST",
        help="other images, to test the finished detectors on (lnp_fusion)",
    )
    add("--quick", action="store_true", help="on the built-in sample, in minutes")
    add("--record", action="store_true", help="copy the results into experiments/NAME")
    return parser


def _list() -> str:
    lines = [f"{name:<16}{runner.describe(name)}" for name in runner.names()]
    lines += [
        f"{name:<16}{line} (python -m experiments.{name})"
        for name, line in runner.own_commands().items()
    ]
    return "\n".join(lines)


def _manifest(arguments: argparse.Namespace) -> "tuple[Manifest, tuple[str, ...]]":
    from kerasfaces import manifest as manifests

    if arguments.quick:
        if arguments.manifest:
            raise InputError(
                "--quick makes its own images; leave --manifest or --quick out."
            )
        if arguments.record:
            raise InputError("--record is for real results, not for --quick.")
        from kerasfaces import sample, store

        path = sample.make(store.cache_root() / "sample")
        return manifests.read(path), (_QUICK_NOTE,)
    if not arguments.manifest:
        raise InputError(
            "--manifest M is missing: which images? (--quick uses the built-in sample.)"
        )
    return manifests.read(arguments.manifest, arguments.root), ()


def _run(
    name: str,
    folder: Path,
    manifest: "Manifest",
    notes: tuple[str, ...],
    arguments: argparse.Namespace,
    words: Sequence[str],
) -> None:
    """Run one experiment, write results.json, print its tables."""
    cli.import_keras()
    from experiments import runner_results
    from kerasfaces import manifest as manifests
    from kerasfaces import runs

    experiment = runner.load(name, arguments.part)
    quick = bool(arguments.quick)

    def default(model: str) -> str:
        if model in getattr(experiment, "WEIGHTS", {}):
            return str(experiment.WEIGHTS[model])
        return "forensic" if quick and model == "mobilenetv2" else "imagenet"

    seeds = runner.parse_seeds(arguments.seeds) if arguments.seeds else experiment.SEEDS
    context = runner.Context(
        manifest=manifest,
        folder=folder,
        weights=runner.parse_weights(arguments.weights, experiment.MODELS, default),
        seeds=seeds[:1] if quick and not arguments.seeds else seeds,
        notes=notes,
        quick=quick,
        budget_h=arguments.budget_hours,
        also=manifests.read(arguments.also) if arguments.also else None,
        stores=arguments.stores,
    )
    with runs.lock(folder, "experiment folder"):
        runner.claim(folder, {"experiment": name, "manifest": manifest.digest()})
        outcome = experiment.run(context)
        results = _results(name, context, outcome, words)
        printed = runner_results.text(
            results, experiment.TITLES, experiment.DOCUMENT_DATA
        )
        path = runner_results.write(folder, results, arguments.part)
        if arguments.record:
            runner_results.record(results, printed, runner.HERE / name, arguments.part)
    print(f"{name}\n\n{printed}\n\nresults: {path}\n")


def _results(
    name: str,
    context: runner.Context,
    outcome: runner.Outcome,
    words: Sequence[str],
) -> dict[str, Any]:
    from experiments import runner_results

    head, changed = runner_results.commit(runner.HERE)
    data = runner_results.data_name(context.manifest)
    return {
        "experiment": name,
        "commit": head,
        "uncommitted_changes": changed,
        "command": runner_results.command(words),
        "hours": round(runner.spent_s(context.folder) / 3600, 3),
        "seeds": list(context.seeds),
        "weights": dict(outcome.weights),
        "notes": [*context.notes, *outcome.notes],
        "rows": [row.to_dict(data) for row in outcome.rows],
    }


if __name__ == "__main__":
    cli.run(main)
