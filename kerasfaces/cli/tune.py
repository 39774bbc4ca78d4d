"""Command `tune`: study + manifest -> study folder with leaderboard and winner."""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli import outputs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, read_table
from kerasfaces.core.imports import optional_import

if TYPE_CHECKING:
    import pandas as pd

    from kerasfaces.run.folder import StudyRun

_SHOWN = 10  # rows of the leaderboard
_EXAMPLES = [
    "kerasfaces tune                                      # lists the studies",
    "kerasfaces tune kabber2023_mobilenetv2 --manifest M  # the document's grid",
    "kerasfaces tune tuning/frozen_random.py --manifest M --workers 2",
    "kerasfaces tune my_study.py --manifest M --repeat 3 -o runs/mine",
    "kerasfaces tune frozen_random --manifest M --weights mobilenetv2=FILE.h5 --store S",
    "kerasfaces tune --report runs/mine                   # its report.html, also while it runs",
    "kerasfaces tune frozen_random --manifest M --engine ray --address HEAD:6379",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, search, print leaderboard, winner and the command that trains it."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.study is None:
        return _without_study(arguments, parser)
    if arguments.report is not None:
        raise InputError(
            "--report DIR draws a study that is there; leave the study's name out."
        )
    from kerasfaces.tune import study as studies

    studies.file_of(arguments.study)  # before seconds are spent on imports
    cli.import_keras()
    optional_import("tensorboard", "tune")
    optional_import("keras_tuner", "tune")
    from kerasfaces.api.loading import load_data
    from kerasfaces.api.several import run_study
    from kerasfaces.tune import components

    engine = cli.engine_of(arguments)
    _, wanted = studies.load(arguments.study)
    studies.limited(wanted, arguments.max_trials, arguments.repeat)
    if arguments.manifest is None:  # mistakes, before a sample is made
        given = arguments.weights, "forensic"
        components.find_weights(components.weights_by_base(wanted.bases, *given))
    data = load_data(arguments.manifest, arguments.root)
    study = run_study(
        arguments.study,
        data,
        weights=arguments.weights,
        store=arguments.store,
        workers=engine.workers,
        engine=engine.name,
        address=engine.address,
        max_trials=arguments.max_trials,
        repeat=arguments.repeat,
        tensorboard=arguments.tensorboard,
        output=arguments.output,
    )
    for note in data.notes:
        print(cli.at_shell(f"note: {note}"))
    _print(study.folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "tune",
        "Search for the best head on frozen bases, and know what is noise.",
        _EXAMPLES,
    )
    add = cli.Options(parser)
    text = "a .py file or a shipped study's name; none lists them"
    add("study", nargs="?", help=text)
    add.path("--manifest", "manifest.csv; default: the built-in sample")
    add.path("--root", "what relative paths in the manifest are relative to")
    add.path("--store", "channel store (kerasfaces channels) to search on")
    text = "forensic | imagenet | FILE, for all bases or for one; repeatable"
    add.repeated("--weights", "[BASE=]WEIGHTS", text)
    cli.add_engine(parser, workers=True)
    add.number("--repeat", None, "training seeds per trial", "K")
    add.number("--max-trials", None, "points to try at most")
    text = "write the report.html of a study folder, running or not, and stop"
    add("--report", type=outputs.folder, metavar="DIR", help=text)
    add.flag("--tensorboard", "write TensorBoard logs (slower)")
    add.folder("default: runs/tune-STUDY-HASH")
    return parser


def _without_study(
    arguments: argparse.Namespace, parser: argparse.ArgumentParser
) -> int:
    """Draw a report or list the studies; refuse options that only a search has."""
    for name, value in vars(arguments).items():
        if name != "report" and value != parser.get_default(name):
            why = (
                "name the study too (kerasfaces tune lists them)"
                if arguments.report is None
                else "leave it out, for --report draws a study as it is"
            )
            raise InputError(f"`{name}` is for a search: {why}.")
    if arguments.report is None:
        return _list()
    from kerasfaces.tune import report

    print(report.write(arguments.report))
    return 0


def _list() -> int:
    from kerasfaces.tune import study as studies

    shipped = studies.shipped()
    if not shipped:
        print("no studies were installed; give a path to one: kerasfaces tune STUDY.py")
        return 0
    width = max(map(len, shipped))
    for name, line in shipped.items():
        print(f"{name:<{width}}  {line}")
    print("\nkerasfaces tune NAME --manifest M runs one; --help says more")
    return 0


def _refitted(result: Json) -> str:
    """Return what the winner's run came to, beside the search."""
    validation, test = f"{result['validation']:.4f}", f"{result['test']:.4f}"
    if result["optimism"] is None:
        return (
            f"families left out; of the refitted run, which has seen them all, val_auc "
            f"{validation}, the same on test {test}"
        )
    return (
        f"of the refitted run {validation}, the same on test {test}: optimism "
        f"{result['optimism']:+.4f}"
    )


def _print(folder: Path) -> None:
    from kerasfaces.run.folder import StudyRun
    from kerasfaces.tune import leaderboard

    study = StudyRun(folder)
    result = study.result
    table = read_table(study.leaderboard_file, {"trial": str, "reason": str})
    names = leaderboard.hyperparameters(table, study.identity["space"])
    print(leaderboard_text(table, result["objective"], names))
    auc = result["test_auc"]
    print(
        f"\nwinner: trial {result['trial']}, refitted in {folder / result['run']}\n"
        f"{result['objective']} in the search {result['search']:.4f}, {_refitted(result)}\n"
        f"test AUC {auc['value']:.4f} (95 % interval {auc['low']:.4f} to {auc['high']:.4f})\n"
        f"\nto train it again:\n{_command(study)}\n\nreport: {study.report}"
    )


def leaderboard_text(
    table: "pd.DataFrame", objective: str, names: Sequence[str]
) -> str:
    """Return what a terminal shows: the first rows, and how many could be the best.

    `names` are the hyperparameters to show.
    """
    import pandas as pd

    from kerasfaces.metrics.main_effects import short
    from kerasfaces.tune.leaderboard import ALIKE, BEST, BETTER, HP, n_like_best

    ranked, failed = table[table["rank"].notna()], table[table["rank"].isna()]
    cells = [["", "trial", objective, "sd", *names]]
    for row in ranked.head(_SHOWN).to_dict("records"):
        mark = {BEST: "=", ALIKE: "=", BETTER: "+"}.get(row["against_best"], "")
        sd = "" if pd.isna(row["sd"]) else f"{row['sd']:.4f}"
        values = [row.get(HP + name) for name in names]
        shown = ["" if pd.isna(value) else short(value) for value in values]
        cells.append([mark, str(row["trial"]), f"{row['score']:.4f}", sd, *shown])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)) for line in cells]
    if len(ranked) > _SHOWN:
        lines.append(f"... and {len(ranked) - _SHOWN} more in leaderboard.csv")
    lines += [
        "",
        "= : not distinguishable from the best on validation "
        f"({n_like_best(table)} of {len(ranked)}; paired bootstrap, Holm)",
    ]
    if ahead := int((ranked["against_best"] == BETTER).sum()):
        lines.append(
            f"+ : better than the best, but cut short ({ahead} of {len(ranked)}): only a whole "
            "training can win"
        )
    for first in failed.head(1).to_dict("records"):
        lines.append(
            f"{len(failed)} failed, e.g. trial {first['trial']}: {first['reason']}"
        )
    return "\n".join(line.rstrip() for line in lines)


def _command(study: "StudyRun") -> str:
    """Return the `kerasfaces train` command that trains the winner again, elsewhere."""
    training = study.result["training"]
    words = ["kerasfaces", "train", "--manifest", str(study.manifest_file)]
    for name in ("model", "weights", "store", "seed"):
        if training[name]:
            words += [f"--{name}", str(training[name])]
    for key, value in training["changes"].items():
        words += ["--set", f"{key}={_text(value)}"]
    return shlex.join(words)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return (
        str(value).lower() if value is None or isinstance(value, bool) else f"{value}"
    )
