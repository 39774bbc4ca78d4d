"""`kerasfaces predict`: run folder + images -> the whole answer to each."""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli import outputs, printing, streams
from kerasfaces.core.errors import InputError
from kerasfaces.core.progress import progress
from kerasfaces.core.texts import quoted

if TYPE_CHECKING:
    from kerasfaces.run.folder import DetectorRun
    from kerasfaces.serve.answer import Options
    from kerasfaces.serve.exported import ExportedDetector

logger = logging.getLogger("kerasfaces.predict")  # __main__ where it is run with -m
CODES = """exit codes: 0 every picture is real; 3 at least one is fake; 4 none is fake, at least
one unsure; 5 none is fake or unsure, at least one has no verdict; 2 a mistake, or no
picture has a verdict."""


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, answer, print; return what the answers come to."""
    arguments = _parser().parse_args(argv)
    from kerasfaces.serve import answers_file, predict

    if arguments.csv:
        answers_file.check(arguments.csv)
    options = _options(arguments)
    run = _run(arguments)
    files = predict.files_of(arguments.images)
    pages: Sequence[Path] = ()
    if arguments.report:
        from kerasfaces.serve.evidence_report import page

        page.require()
        pages = page.files_for(arguments.report, files)
    detector = _detector(run, arguments)
    if pages:
        counts, why = _report(detector, options, files, pages)
    elif arguments.csv:
        counts, why = _write(detector, options, files, arguments.csv)
    else:
        counts, why = _print(detector, options, files, arguments.json)
    if streams.lost():  # nobody reads, and nobody asks for the code
        return 0
    logger.info("%s", predict.summary(counts))
    if counts[""] == len(files) and why:
        raise InputError(
            f"None of the {len(files):,} files could be scored, e.g. {quoted(why[0])}: "
            f"{why[1]}."
        )
    return predict.exit_code(counts)


def _run(arguments: argparse.Namespace) -> "DetectorRun":
    """Return the run, or say what else it is before anything is read."""
    from kerasfaces.run.folder import DetectorRun
    from kerasfaces.serve.publish import fetch

    return DetectorRun.open(fetch.local(arguments.run))


def _detector(run: "DetectorRun", arguments: argparse.Namespace) -> "ExportedDetector":
    from kerasfaces.serve.exported import ExportedDetector

    detector = ExportedDetector.open(run.path, engine=arguments.engine)
    if not arguments.quick:  # the manifest is read for longer than a verdict takes
        logger.info("%s", run.trained_on())
        logger.info(
            "A score is worth something on images like those only: on others measure first "
            "(kerasfaces evaluate %s --manifest M).",
            arguments.run,
        )
    return detector


def _options(arguments: argparse.Namespace) -> "Options":
    from kerasfaces.serve.answer import Options

    if arguments.quick:
        return Options.quick(arguments.faces)
    trust = None
    if arguments.trust:
        from kerasfaces.serve import provenance

        trust = provenance.read_trust(arguments.trust)
    return Options(
        faces=arguments.faces,
        stability=arguments.stability,
        provenance=arguments.provenance,
        trust=trust,
    )


def _write(
    detector: "ExportedDetector", options: "Options", files: Sequence[Path], table: Path
) -> tuple[Counter[str], tuple[str, str] | None]:
    """Write the answers as a table, or what an earlier call left of it."""
    from kerasfaces.serve import predict
    from kerasfaces.serve.answer import answer_groups
    from kerasfaces.serve.answers_file import AnswersFile

    identity = predict.identity(detector, options)
    with (
        AnswersFile.open(table, identity, files) as written,
        progress(len(files), "scoring") as advance,
    ):
        if written.n_done:
            logger.info("%s: %d answers are there already", table, written.n_done)
            advance(written.n_done)
        for group in answer_groups(files[written.n_done :], detector, options):
            written.write(group)
            advance(len(group))
    printing.text(str(table))
    return written.counts, written.first_reason


def _report(
    detector: "ExportedDetector",
    options: "Options",
    files: Sequence[Path],
    pages: Sequence[Path],
) -> tuple[Counter[str], tuple[str, str] | None]:
    """Write a page of each picture, with a map where that can be had."""
    from kerasfaces.run.folder import DetectorRun
    from kerasfaces.serve.answer import answer_all
    from kerasfaces.serve.evidence_report import map_section, neighbours_section, page

    counts, why = Counter[str](), None
    run, answers = DetectorRun(detector.folder), answer_all(files, detector, options)
    among = neighbours_section.Among(run, detector)
    with progress(len(files), "reporting", "page") as advance:
        for file, target, answer in zip(files, pages, answers, strict=True):
            readable = answer.verdict != "unreadable"
            counts[answer.verdict if readable else ""] += 1
            why = why or (None if readable else (answer.name, answer.reason))
            if readable and options.warnings:
                map_, near = map_section.of(run, file), among.near(file)
            else:
                map_ = map_section.without("only the verdict was asked for.")
                near = neighbours_section.without()
            page.write(target, answer, file, run, map_, near)
            printing.text(f"{answer.verdict:<10}  {target}")
            advance(1)
    return counts, why


def _print(
    detector: "ExportedDetector",
    options: "Options",
    files: Sequence[Path],
    as_json: bool,
) -> tuple[Counter[str], tuple[str, str] | None]:
    from kerasfaces.serve import wording
    from kerasfaces.serve.answer import answer_groups

    counts, why = Counter[str](), None
    # Lines that appear on a terminal are progress enough.
    bar = nullcontext() if sys.stdout.isatty() else progress(len(files), "scoring")
    with bar as advance:
        for group in answer_groups(files, detector, options):
            if not as_json and not counts:  # nothing stands above why there is none
                print("verdict     score     logit  image")
            for answer in group:
                readable = answer.verdict != "unreadable"
                counts[answer.verdict if readable else ""] += 1
                why = why or (None if readable else (answer.name, answer.reason))
                if as_json:
                    print(wording.as_json(answer))
                    continue
                for line in wording.as_text(answer, alone=len(files) == 1):
                    printing.text(line)
            sys.stdout.flush()
            if streams.lost():
                break
            if advance:
                advance(len(group))
    return counts, why


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "predict",
        "Judge images with a finished run: verdict (real, fake, or unsure), score (calibrated\n"
        "probability of fake), logit, and what the verdict is worth: what the file says of its\n"
        "origin, faces, whether the verdict survives laundering, warnings, error rates. One\n"
        "image gets all of it as text; for many take --json or --csv. A file that cannot be\n"
        "read or is too small to judge is a line with a reason.\n\n" + CODES,
        [
            "kerasfaces predict runs/mobilenetv2-1a2b3c photo.jpg",
            "kerasfaces predict RUN photo.jpg --quick",
            "kerasfaces predict RUN photo.jpg --report evidence.html",
            "kerasfaces predict RUN photos/ --csv scores.csv",
            "find photos -name '*.jpg' | kerasfaces predict RUN - --json",
        ],
    )
    add = cli.Options(parser)
    text = "run folder made by train, a winner, or hf://OWNER/NAME[@REVISION]"
    add("run", metavar="RUN", help=text)
    text = (
        "files, folders (with all below them), - for paths on stdin, one per line "
        "or NUL after each"
    )
    add("images", nargs="+", metavar="IMAGE|DIR|-", help=text)
    how = cli.Options(parser.add_mutually_exclusive_group())
    how.flag("--json", "one JSON object per line")
    how.file("--csv", "write a table instead; killed and called again, it continues")
    text = (
        "write a page to file and print: for one picture (.html), or a folder with one "
        "for each"
    )
    how("--report", type=outputs.place, metavar="HTML|DIR", help=text)
    _add_rule(parser)
    return parser


def _add_rule(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is judged, how, and by what."""
    add = cli.Options(parser)
    text = (
        "what is judged: the whole picture (default), its largest face, or each face, "
        "of which one fake makes the picture fake"
    )
    add.choice("--faces", "image", ("image", "largest", "each"), text)
    add.flag("--quick", "the verdict alone: no provenance, no faces, no stability")
    add.no(
        "stability",
        "do not judge six laundered versions; by default a verdict that flips is unsure",
    )
    add.no("provenance", "do not read what the file says of its origin")
    text = "certificates of the signers of Content Credentials that you trust"
    add.path("--trust", text, "PEM")
    text = (
        "what computes: the run's export (made on first use), or Keras; default: the "
        "first that can be had"
    )
    add.choice("--engine", "auto", ("auto", "onnxruntime", "openvino", "keras"), text)
