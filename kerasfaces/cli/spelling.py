"""The library's sentences in the shell's spelling.

The library advises Python, between backticks: an argument (`root`), arguments with values
(`real_is='1'`), or a call (`data.split(overwrite=True)`). Here the parser that read the
command line turns them into options, and a call into the command that does the same.
What no parser knows stays as it is.
"""

import argparse
import ast
import functools
import importlib
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from kerasfaces.core.errors import KerasfacesError

Main = TypeVar("Main", bound=Callable[..., int])
_CODE = re.compile(r"`([^`\n]+)`")
# call -> command, what an unnamed argument is, end of the name of the manifest it writes
_CALLS = {
    "from_folders": ("manifest build", "{}", "built"),
    "from_table": ("manifest build", "{}", "built"),
    "from_recipe": ("manifest build", "{}", "built"),
    "split": ("manifest split", "{}", "anew"),
    "select": ("manifest select", "{}", "selected"),
    "join": ("manifest join", "{}.csv", "joined"),
    "check": ("manifest check", "{}", ""),
    "audit": ("manifest audit", "--neutralise {}", ""),
    "neutralise": ("manifest audit", "--neutralise {}", ""),
    "crop_faces": ("manifest crop-faces", "-o {}", ""),
    "annotate": ("annotate", "{}", "annotated"),
    "compute_channels": ("channels", "-o {}", ""),
    "Detector": ("train", "{}", ""),
    "fit": ("train", "{}", ""),
}

# argument -> the option's name, where they differ
_SAME = {
    "assignments": "set",
    "options": "set",
    "false_alarm_rate": "max_false_alarms",
}


class _Unknown(Exception):
    """The code has no counterpart at the shell."""


class Parser(argparse.ArgumentParser):
    """A parser that sentences are spelled for after it has read a command line."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and remember for `at_shell` what was parsed, while a command runs.

        A subcommand's parser runs inside its command's: it is the one remembered, with
        the arguments of both.
        """
        global _parser, _arguments
        if not _commands:
            return super().parse_known_args(args, namespace)
        _parser = self
        parsed = super().parse_known_args(args, namespace)
        _arguments = parsed[0]
        return parsed


_parser: argparse.ArgumentParser | None = None
_arguments: argparse.Namespace | None = None
_commands = 0  # that run at this moment, one inside another


def command(main: Main) -> Main:
    """Decorate a command's `main`: its errors name options instead of arguments."""

    @functools.wraps(main)
    def spelled(*args: object, **kwargs: object) -> int:
        global _parser, _arguments, _commands
        outer = _parser, _arguments
        _commands += 1
        try:
            return main(*args, **kwargs)
        except KerasfacesError as error:
            if len(error.args) == 1:
                error.args = (at_shell(str(error.args[0])),)
            raise
        finally:
            _commands -= 1
            _parser, _arguments = outer

    return spelled  # type: ignore[return-value]


def at_shell(sentence: str) -> str:
    """Return a sentence with options and commands where it has Python in backticks."""
    return _CODE.sub(_spelled, sentence) if _parser else sentence


def _spelled(match: re.Match[str]) -> str:
    try:
        call = ast.parse(f"_({match[1]})", mode="eval").body
    except SyntaxError:
        return match[0]
    if not isinstance(call, ast.Call) or _parser is None:
        return match[0]
    for words in (_as_options, _as_earlier_options, _as_settings):
        try:
            return words(call, _parser)
        except (_Unknown, ValueError):
            pass
    return match[0]


def _as_options(call: ast.Call, parser: argparse.ArgumentParser) -> str:
    """Return what is between the parentheses of a call as words of one command."""
    if not call.args:
        return " ".join(_options(call.keywords, parser))
    (code,) = call.args
    if isinstance(code, ast.Call):
        return _command(code)
    if isinstance(code, ast.Name):
        return _option(code.id, parser)
    raise _Unknown


def _as_earlier_options(call: ast.Call, parser: argparse.ArgumentParser) -> str:
    """Return the same for the command of an earlier stage, and name that."""
    for name in ("manifest build", "train"):
        try:
            return f"{_as_options(call, _parser_of(name))} of kerasfaces {name}"
        except _Unknown:
            pass
    raise _Unknown


def _as_settings(call: ast.Call, parser: argparse.ArgumentParser) -> str:
    """Return arguments that are fields of a configuration, where the parser has `--set`."""
    if call.args or not any(action.dest == "set" for action in parser._actions):
        raise _Unknown
    words: list[str] = []
    for each in call.keywords:
        try:
            words += _options([each], parser)
        except _Unknown:
            name = (each.arg or "").replace("__", ".")
            words.append(f"--set {name}={_value(each.value)}")
    return " ".join(words)


def _command(call: ast.Call) -> str:
    """Return the command that does what a call, or a chain of calls, does."""
    calls = _chain(call)
    if _name(calls[0]) not in _CALLS:
        raise _Unknown
    name, positional, new_file = _CALLS[_name(calls[0])]
    parser = _parser_of(name)
    receiver = calls[0].func
    words = ["kerasfaces", *name.split()]
    if isinstance(receiver, ast.Attribute) and _is_data(receiver.value):
        words.append(shlex.quote(str(_manifest())))
    for each in calls:
        words += _words(each, name, positional, parser)
    replaces = name == "manifest split" and "--validation-from train" in words
    if new_file and not replaces:
        path = _manifest()
        path = path.with_name(f"{path.stem}-{new_file}.csv")
        words += ["-o", shlex.quote(str(path))]
    return " ".join(words)


def _words(
    call: ast.Call, name: str, positional: str, parser: argparse.ArgumentParser
) -> Iterator[str]:
    for each in call.args:
        if isinstance(each, ast.Call):
            yield from _words(each, name, positional, parser)
        elif _is_data(each):
            yield "--manifest " * (name == "train") + shlex.quote(str(_manifest()))
        else:
            yield positional.format(_value(each))
    if name == "manifest select":
        for keyword in call.keywords:
            yield f"--where {keyword.arg}={_value(keyword.value)}"
    else:
        keywords = [each for each in call.keywords if not _is_data(each.value)]
        yield from _options(keywords, parser)


def _options(
    keywords: Sequence[ast.keyword], parser: argparse.ArgumentParser
) -> Iterator[str]:
    for each in keywords:
        if each.arg == "options" and isinstance(each.value, ast.Dict):
            yield from (f"--set {pair}" for pair in _value(each.value).split(","))
            continue
        option = _option(each.arg or "", parser)
        if isinstance(each.value, ast.Constant) and each.value.value is True:
            yield option
        else:
            yield f"{option} {_value(each.value)}"


def _option(name: str, parser: argparse.ArgumentParser) -> str:
    for action in parser._actions:
        if action.dest in (name, _SAME.get(name)) and action.option_strings:
            return action.option_strings[0]
    raise _Unknown


def _value(node: ast.expr) -> str:
    """Return a value as it is typed at the shell; a bare name stands for something."""
    match node:
        case ast.Name():
            return node.id
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return ",".join(f"{_value(a)}={_value(b)}" for a, b in pairs if a)
        case ast.List() | ast.Tuple():
            return ",".join(map(_value, node.elts))
        case ast.Constant(value=bool() as flag):
            return str(flag).lower()
        case ast.Constant() if node.value is ...:
            return "..."
    return shlex.quote(str(ast.literal_eval(node)))


def _chain(call: ast.Call) -> list[ast.Call]:
    """Return `a().b().c()` as calls of a, b and c."""
    inner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return [*(_chain(inner) if isinstance(inner, ast.Call) else []), call]


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else _value(call.func)


def _is_data(node: ast.expr) -> bool:
    """Tell whether code is `data` or a part of it, such as `data.table`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id == "data"


def _parser_of(name: str) -> argparse.ArgumentParser:
    """Return the parser of a command such as `train` or `manifest split`."""
    stage, *words = name.split()
    parser: argparse.ArgumentParser
    parser = importlib.import_module(f"kerasfaces.cli.{stage}").parser()
    for word in words:
        parser = subparsers(parser)[word]
    return parser


def subparsers(
    parser: argparse.ArgumentParser,
) -> Mapping[str, argparse.ArgumentParser]:
    """Return the parsers of a command's subcommands by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def _manifest() -> Path:
    """Return the manifest that the command line reads or else writes, M for none."""
    path = getattr(_arguments, "manifest", None)
    if _parser is not None and _parser.prog.startswith("kerasfaces manifest"):
        path = path or getattr(_arguments, "output", None)
    return Path(path or "M")
