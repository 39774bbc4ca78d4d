"""Configurations: frozen keyword-only dataclasses, JSON in and out, typed overrides."""

import dataclasses
import hashlib
import json
import math
import reprlib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import near_hint, quoted

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def defaults_of(field: str, make: "Callable[[Any], DataclassInstance]") -> Json:
    """Return the metadata of a field whose dataclass another field decides.

    Args:
        field: Name of the field that decides.
        make: That field's value -> an instance at its defaults, of the type that values
            of the marked field must have.
    """
    return {"defaults_of": (field, make)}


def to_dict(config: "DataclassInstance") -> Json:
    """Return a dataclass as nested dictionaries of JSON types (tuples become lists)."""
    values: Json = json.loads(json.dumps(dataclasses.asdict(config)))
    return values


def from_dict(cls: type[T], values: Mapping[str, object], where: str = "config") -> T:
    """Build the dataclass `cls` from nested dictionaries, strictly.

    Args:
        cls: A dataclass type; fields may be dataclasses, tuples, scalars or None.
        values: As written by `to_dict`.
        where: Prefix for error messages, e.g. the file's name.

    Raises:
        InputError: An unknown key or a value of the wrong type.
    """
    values = mapping(values, where)
    hints = typing.get_type_hints(cls)
    known = [field.name for field in dataclasses.fields(cls)]
    for key in values:
        if key not in known:
            raise InputError(_unknown_key(f"{where}.{key}", key, known))
    plain: Json = {}
    for field in dataclasses.fields(cls):
        if field.name not in values:
            continue
        value, place = values[field.name], f"{where}.{field.name}"
        start = _defaults(cls, field.name, plain.get) if value != {} else None
        plain[field.name] = (
            _coerce(hints[field.name], value, place)
            if start is None
            else updated(start, mapping(value, place), f"{place}.")
        )
    return cls(**plain)


def mapping(value: object, where: str) -> Mapping[str, Any]:
    """Return `value` if it has keys and values, as an object of JSON.

    Raises:
        InputError: It is something else; the message starts with `where`.
    """
    if not isinstance(value, Mapping):
        raise InputError(
            f"{where}: expected keys and values, got {reprlib.repr(value)}."
        )
    return value


def override(config: T, assignments: Iterable[str]) -> T:
    """Return `config` with `a.b=value` assignments applied, each typed by its field.

    Args:
        config: A frozen dataclass instance.
        assignments: Texts like `head.dropout=0.1`, `taps=block_6_expand_relu,out_relu`
            or `limit=none`.

    Raises:
        InputError: An unknown key, a missing `=`, or a value of the wrong type.
    """
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(
                f"`assignments` {quoted(assignment)}: expected KEY=VALUE, e.g. head.dropout=0.1."
            )
        config = _set(config, key.strip().split("."), value.strip(), key.strip())
    return config


def updated(config: T, changes: Mapping[str, object], where: str = "") -> T:
    """Return `config` with some fields changed, each value checked by its field's type.

    Args:
        config: A frozen dataclass instance.
        changes: Field -> value; a mapping changes single fields of a field that is a
            dataclass itself, and so does a name such as `model__size_px`.
        where: Prefix for error messages.

    Raises:
        InputError: An unknown field, or a value of the wrong type.
    """
    hints = typing.get_type_hints(type(config))
    for key, value in changes.items():
        name, part, inner_name = key.partition("__")
        if name not in hints:
            raise InputError(_unknown_key(f"{where}{key}", name, list(hints)))
        before = _part(config, name)
        inner = {inner_name: value} if part else value
        if isinstance(inner, Mapping) and _is_config(before):
            after: object = updated(before, inner, f"{where}{name}.")
        elif part:
            raise InputError(f"{where}{key}: {quoted(name)} has no parts.")
        else:
            same = isinstance(value, type(before)) and dataclasses.is_dataclass(value)
            after = value if same else _coerce(hints[name], value, f"{where}{name}")
        config = dataclasses.replace(config, **{name: after})
    return config


def changes(
    old: Mapping[str, object], new: Mapping[str, object], prefix: str = ""
) -> Iterator[tuple[str, object, object]]:
    """Yield the differing keys of two nested dictionaries as `a.b`, old and new value."""
    for key in sorted({*old, *new}):
        before, after = old.get(key, "(absent)"), new.get(key, "(absent)")
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from changes(before, after, f"{prefix}{key}.")
        elif before != after:
            yield f"{prefix}{key}", before, after


def diff(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Return the differing keys of two nested dictionaries as `a.b: old -> new` lines."""
    return [f"{key}: {before} -> {after}" for key, before, after in changes(old, new)]


def digest(value: object, length: int = 12) -> str:
    """Return the first `length` hex digits of the SHA-256 of a JSON-like value.

    Example:
        >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
        True
    """
    if _is_config(value):
        value = to_dict(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _is_config(value: object) -> TypeGuard["DataclassInstance"]:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _defaults(
    cls: "type[DataclassInstance]", name: str, value_of: Callable[[str], object]
) -> "DataclassInstance | None":
    """Return what a field marked by `defaults_of` starts from; None for other fields."""
    fields = {field.name: field for field in dataclasses.fields(cls)}
    deciding, make = fields[name].metadata.get("defaults_of", ("", None))
    if make is None:
        return None
    start: DataclassInstance = make(value_of(deciding) or fields[deciding].default)
    return start


def _part(config: "DataclassInstance", name: str) -> object:
    """Return a field's value; of the type that another field decides, where one does."""
    value = getattr(config, name)
    start = _defaults(type(config), name, lambda other: getattr(config, other))
    return value if start is None or type(value) is type(start) else start


def _set(config: T, path: list[str], value: str, where: str) -> T:
    hints = typing.get_type_hints(type(config))
    name = path[0]
    if name not in hints:
        raise InputError(_unknown_key(where, name, list(hints)))
    if len(path) > 1:
        inner = _part(config, name)
        if not _is_config(inner):
            raise InputError(f"{where}: {quoted(name)} has no parts.")
        parsed: object = _set(inner, path[1:], value, where)
    else:
        parsed = _coerce(hints[name], _parse(hints[name], value), where)
    return dataclasses.replace(config, **{name: parsed})


def _parse(hint: object, text: str) -> object:
    """Turn command-line text into a JSON-like value; `_coerce` checks its type."""
    if text.lower() in ("none", "null") and type(None) in typing.get_args(hint):
        return None
    if _origin(hint) is tuple:
        return [_scalar(part) for part in text.split(",") if part.strip()]
    return text if _base(hint) is str else _scalar(text)


def _scalar(text: str) -> object:
    try:
        return json.loads(text.strip())
    except json.JSONDecodeError:
        return text.strip()


def _base(hint: object) -> object:
    """Strip `| None` from a type hint."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else hint
    return hint


def _origin(hint: object) -> object:
    return typing.get_origin(_base(hint))


def _coerce(hint: object, value: object, where: str) -> object:
    base = _base(hint)
    if value is None and base is not hint:
        return None
    if dataclasses.is_dataclass(base) and isinstance(value, Mapping):
        return from_dict(typing.cast("type[Any]", base), value, where)
    if typing.get_origin(base) is tuple and isinstance(value, list | tuple):
        item = typing.get_args(base)[0]
        return tuple(_coerce(item, part, where) for part in value)
    if base is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise InputError(f"{where}: expected a finite number, got {value}.")
        return float(value)
    if base in (bool, int, str) and type(value) is base:
        return value
    if typing.get_origin(base) is typing.Literal and value in typing.get_args(base):
        return value
    none = "" if base is hint else " or none"
    raise InputError(f"{where}: expected {_in_words(base)}{none}, got {quoted(value)}.")


def _in_words(hint: object) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(map(str, typing.get_args(hint)))
    return hint.__name__ if isinstance(hint, type) else str(hint)


def _unknown_key(where: str, key: str, known: list[str]) -> str:
    names = ", ".join(known) or "none"
    hint = near_hint(key, known)
    return f"{where}: unknown key {quoted(key)}; known: {names}.{hint}"
