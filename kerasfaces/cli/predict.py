"""`kerasfaces predict`: run folder + images -> a verdict and a score for each."""

import argparse
import json
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli import printing, streams
from kerasfaces.core.errors import InputError
from kerasfaces.core.progress import progress
from kerasfaces.core.texts import plain, quoted

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger("kerasfaces.predict")  # __main__ where it is run with -m


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, score, print a line per image."""
    arguments = _parser().parse_args(argv)
    import pandas as pd

    from kerasfaces.run import predictions
    from kerasfaces.run.folder import DetectorRun
    from kerasfaces.serve import predict

    run = DetectorRun.open(arguments.run)
    point = run.operating_point
    if arguments.csv:
        predict.check_table(arguments.csv)
    files = predict.files_of(arguments.images)
    logger.info("%s", run.trained_on())
    logger.info(
        "A score is worth something on images like those only: on others measure first "
        "(kerasfaces evaluate %s --manifest M).",
        arguments.run,
    )
    cli.import_keras()
    from kerasfaces.run.predictor import Predictor

    predictor = Predictor(arguments.run)
    counts, tables = Counter[str](), []
    if not (arguments.json or arguments.csv):
        print("verdict     score     logit  image")
    # Lines that appear on a terminal are progress enough.
    on_screen = sys.stdout.isatty() and not arguments.csv
    bar = nullcontext() if on_screen else progress(len(files), "scoring")
    with bar as advance:
        for table in predict.scored(predictor, point, files):
            counts.update(table["verdict"])
            if arguments.csv:
                tables.append(table)
            else:
                _print(table, arguments.json)
                if streams.lost():  # nobody reads: the rest would be scored in vain
                    return 0
            if advance:
                advance(len(table))
    if arguments.csv:
        predictions.write(pd.concat(tables), arguments.csv)
        printing.text(str(arguments.csv))
    logger.info("%s", predict.summary(counts))
    if counts[""] == len(files):
        why = table["reason"].iloc[0]
        raise InputError(
            f"None of the {len(files):,} files could be scored, e.g. "
            f"{quoted(table['path'].iloc[0])}: {why}."
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "predict",
        "Score images with a finished run: verdict (real, fake, or unsure inside the band "
        "that\nvalidation found unsure), score (calibrated probability of fake) and logit. A "
        "file that cannot\nbe read or is too small to judge is a line with a reason. Decoded images are kept in "
        "KERASFACES_CACHE.",
        [
            "python -m kerasfaces.predict runs/mobilenetv2-1a2b3c photo.jpg",
            "python -m kerasfaces.predict RUN photos/ --csv scores.csv",
            "find photos -name '*.jpg' | python -m kerasfaces.predict RUN - --json",
        ],
    )
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="run folder made by train, or a winner")
    add(
        "images",
        nargs="+",
        metavar="IMAGE|DIR|-",
        help="files, folders (with all below them), - for paths on stdin, one per line "
        "or NUL after each",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="one JSON object per line")
    how.add_argument("--csv", type=Path, metavar="FILE", help="write a table instead")
    return parser


def _print(table: "pd.DataFrame", as_json: bool) -> None:
    for path, verdict, score, logit, reason in table.itertuples(index=False):
        if as_json:
            answer = (verdict, score, logit) if verdict else (None, None, None)
            values = (path, *answer, reason or None)
            print(json.dumps(dict(zip(table.columns, values, strict=True))))
        elif verdict:
            printing.text(f"{verdict:<9}  {score:6.4f}  {logit:8.3f}  {plain(path)}")
        else:
            printing.text(f"{'-':<9}  {'-':>6}  {'-':>8}  {plain(path)}: {reason}")
    sys.stdout.flush()
