"""What the stages advise for the command line -> the same advice in Python."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kerasfaces.core.errors import KerasfacesError

_FILE = r"(?:'[^']*'|\S+)"
_TO_FILE = rf"(?: -o {_FILE})?"
_VALUE = r"('[^']*'|[A-Z]+\b|[^\s,;:'()]*[^\s,;:'().])"
_PAIRS = r"([\w=,]+\w)"
# options of commands with the arguments that mean the same
_TAKE_VALUE = (
    "extract",
    "label-is",
    "model",
    "preset",
    "real-is",
    "root",
    "source",
    "split-is",
    "store",
    "suffix",
    "weights",
)

# modules whose warnings advise options
_LOGGERS = ("kerasfaces.manifest.build", "kerasfaces.manifest.foreign_tables")


def _quoted(value: str) -> str:
    """Return a value as Python has it; words in capitals stand for something else."""
    return value if value.isupper() or value.startswith("'") else repr(value)


def _pairs(text: str) -> str:
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return ", ".join(f"{_quoted(name)}: {_quoted(value)}" for name, _, value in pairs)


def _option(match: re.Match[str]) -> str:
    return f"{match[1].replace('-', '_')}={_quoted(match[2])}"


_RULES: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (
        rf"kerasfaces manifest split {_FILE} --validation-from train",
        "data.split(validation_from='train')",
    ),
    (
        rf"kerasfaces manifest split {_FILE} --overwrite{_TO_FILE}",
        "data.split(overwrite=True)",
    ),
    (
        rf"kerasfaces manifest select {_FILE} --where split=([\w,]+){_TO_FILE}",
        lambda match: f"data.select(split={match[1].split(',')})",
    ),
    (
        rf"kerasfaces manifest build {_FILE} --map-split {_PAIRS} "
        rf"--validation-from train{_TO_FILE}",
        lambda match: (
            "Manifest.from_table(data.table, root=data.manifest.folder, split_names={"
            f"{_pairs(match[1])}}}).split(validation_from='train')"
        ),
    ),
    (rf"kerasfaces manifest join {_FILE} (\w+)\.csv{_TO_FILE}", r"data.join(\1)"),
    (rf"kerasfaces manifest check {_FILE} lists", "data.check() lists"),
    (
        r"kerasfaces manifest build TABLE --map label=\.\.\. -o manifest\.csv",
        "Manifest.from_table(TABLE, columns={'label': ...})",
    ),
    (
        rf"kerasfaces manifest build ({_FILE}) --extract DIR{_TO_FILE}",
        lambda match: f"Manifest.from_table({_quoted(match[1])}, extract=DIR)",
    ),
    (
        r"build A --label-is real B --label-is fake",
        "from_folders(A, label_is='real').join(from_folders(B, label_is='fake'))",
    ),
    (r" to manifest build\b", ""),
    (r" behind (?:the|these) folders?'?s? name", ""),
    (rf"--map-split {_PAIRS}", lambda match: f"split_names={{{_pairs(match[1])}}}"),
    (rf"--map {_PAIRS}", lambda match: f"columns={{{_pairs(match[1])}}}"),
    (r"--(root|weights) (cannot|where|a file)", r"\1 \2"),
    (rf"--({'|'.join(_TAKE_VALUE)}) {_VALUE}", _option),
    (
        rf"--({'|'.join(_TAKE_VALUE)}|unfreeze|keep-all|at-least|size|repeat)\b",
        lambda match: match[1].replace("-", "_"),
    ),
]


def in_python(sentence: str) -> str:
    """Return a stage's sentence with Python's arguments in place of options.

    Example:
        >>> in_python("Say which value means real, e.g. --real-is 1.")
        "Say which value means real, e.g. real_is='1'."
    """
    for pattern, words in _RULES:
        sentence = re.sub(pattern, words, sentence)
    return sentence


def _translated(record: logging.LogRecord) -> bool:
    record.msg, record.args = in_python(record.getMessage()), ()
    return True


@contextmanager
def advice_in_python() -> Iterator[None]:
    """Let errors and warnings in the context advise what can be typed in Python."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(_translated)
    try:
        yield
    except KerasfacesError as error:
        if len(error.args) == 1:
            error.args = (in_python(str(error.args[0])),)
        raise
    finally:
        for logger in loggers:
            logger.removeFilter(_translated)
