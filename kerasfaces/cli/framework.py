"""What all commands share: their parser, exit codes and error sentences.

Results go to stdout, everything else to stderr. A user's mistake ends in one sentence
and exit code 2, an interruption in 130 (SIGINT), 143 (SIGTERM) or 129 (SIGHUP).
"""

import argparse
import contextlib
import gc
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from kerasfaces.cli import spelling, streams
from kerasfaces.cli.options import Options
from kerasfaces.core import engine, failures, imports, interruptions, numerics
from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.core.logs import log_to_stderr
from kerasfaces.core.texts import safe


def parser(
    stage: str, description: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    """Return an argument parser whose `--help` ends with examples, one command a line."""
    return spelling.Parser(
        prog=f"kerasfaces {stage}",
        description=description,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def import_keras() -> None:
    """Import Keras at the start of a command.

    What it brings lives to the end of the process: a million objects, which every full
    collection of garbage would look through again in a fifth of a second.
    """
    imports.import_keras()
    gc.freeze()


def add_engine(parser: argparse.ArgumentParser, *, workers: bool = False) -> None:
    """Add the options that say how work is spread: `--engine`, `--address`, `--workers`."""
    add = Options(parser)
    add.choice("--engine", "local", engine.NAMES, "default: local")
    text = "of the Ray cluster; default: RAY_ADDRESS, else Ray starts on this machine"
    add("--address", default="", metavar="HOST:PORT", help=text)
    if workers:
        text = (
            "upper limit of processes or of Ray actors; default: this process alone, or as "
            "many actors as fit"
        )
        add.number("--workers", None, text)


def engine_of(arguments: argparse.Namespace) -> engine.Engine:
    """Return the engine that options of `add_engine` ask for."""
    if arguments.address and arguments.engine != "ray":
        raise InputError("--address is of a Ray cluster; add --engine ray.")
    return engine.Engine(
        name=arguments.engine,
        address=arguments.address,
        workers=getattr(arguments, "workers", None),
    )


def run(
    main: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None = None
) -> NoReturn:
    """Run a command's `main(argv)` and exit the process with its code.

    Without `argv` the process is the command's own: its streams are prepared (see
    `streams`) and signals end it (see `interruptions`).
    """
    with contextlib.ExitStack() as stack:

        def begin(argv: Sequence[str] | None) -> int:
            if argv is None:
                stack.enter_context(interruptions.ending_at_once())
                numerics.settle_environment()
                imports.own_process()
            return main(argv)

        if argv is None:
            streams.prepare()
        sys.exit(_code(begin, argv) or _unprinted())


def _code(
    main: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None
) -> int:
    """Run a command; return its exit code, having said what went wrong."""
    log_to_stderr(spelling.at_shell)
    try:
        return main(argv)
    except KerasfacesError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail(interruptions.SENTENCE, 130)
    except SystemExit as stop:  # argparse, which has printed what there was to say
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception as error:
        sentence = failures.sentence(error)
        if sentence is None:
            raise
        return _fail(sentence)


def _unprinted() -> int:
    """Return 2 where results could not be printed, 0 where their reader only left."""
    sys.stdout.flush()
    error = streams.lost()
    if error is None or isinstance(error, BrokenPipeError):
        return 0
    return _fail(
        f"The results could not be printed (stdout: {error.strerror}); files are complete. "
        "Give stdout another place and run the same command again."
    )


def _fail(message: str, code: int = 2) -> int:
    sys.stderr.write(f"error: {safe(message)}\n")
    return code
