"""`kerasfaces ensemble`: several detectors joined into one run folder."""

import argparse
import sys
from collections.abc import Sequence

from kerasfaces import cli

_METHODS = ("average", "logits", "rank", "stacked", "all")


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, join, print metrics and gain."""
    options = _parser().parse_args(argv)
    import kerasfaces as kf
    from kerasfaces.compare import combiners, ensemble
    from kerasfaces.run.folder import EnsembleRun

    several = options.method == "all"
    lines: list[str] = []
    val_auc: dict[str, float] = {}
    for method in combiners.METHODS if several else (options.method,):
        result = kf.build_ensemble(
            options.detectors,
            method=method,
            root=options.root,
            seed=options.seed,
            output=options.output / method
            if options.output and several
            else options.output,
        )
        facts = EnsembleRun(result.folder).facts
        val_auc[method] = facts["val_auc"]["ensemble"]
        lines += [
            f"{method}: {facts['meaning']}",
            result.text(by=["source"]),
            "",
            f"minus {facts['best_member']}, the best member on validation, on the same "
            f"{facts['n_test']:,} test images:",
            *(f"  {ensemble.gain_text(facts, metric)}" for metric in facts["gain"]),
            f"\nreport: {result.report}\n",
        ]
    if several:
        chosen = max(val_auc, key=lambda name: val_auc[name])
        lines.append(
            f"best on validation: {chosen} (AUC {val_auc[chosen]:.3f}); the tables above must "
            "not choose, they are test"
        )
    lines += [f"note: {note}" for note in facts["notes"]]
    sys.stdout.write("\n".join(lines).rstrip() + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "ensemble",
        "Join detectors and test whether that helps. Everything that is fitted (calibration, "
        "ranks,\nweights, threshold) is fitted on their validation predictions; the gain is "
        "measured on paired\ntest predictions, against the member that is best on validation. "
        "Writes a run folder\nthat evaluate and compare read like any other.",
        [
            "kerasfaces ensemble runs/a runs/b -o runs/both",
            "kerasfaces ensemble A B theirs.csv --method stacked",
            "kerasfaces ensemble A B C --method all -o runs/joined",
        ],
    )
    add = cli.Options(parser)
    add("detectors", nargs="+", metavar="[NAME=]RUN|CSV", help="two or more")
    text = (
        "mean of probabilities (default), of standardised log-odds, of ranks; a "
        "logistic regression fitted on validation; or all four, each in a folder of its "
        "own"
    )
    add.choice("--method", "average", _METHODS, text)
    add.path("--root", "what relative paths in CSV files are relative to", "DIR")
    add.number("--seed", 0, "of resamples and folds", None)
    add.folder("default: runs/ensemble-HASH", "RUN")
    return parser
