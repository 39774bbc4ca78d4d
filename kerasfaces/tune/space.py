"""The search space: declared by asking, checked, enumerated."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from keras_tuner import HyperParameters

from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.models import catalogue
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.components import Components
from kerasfaces.tune.study import Study, study_code
from kerasfaces.tune.trial_results import RESERVED, Values


def _once(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of `HyperParameters` that refuses a name asked for twice."""

    def asked(self: "_Declaration", *arguments: Any, **options: Any) -> Any:
        before = len(self.space)
        value = ask(self, *arguments, **options)
        new = self.space[before:]
        name = new[0].name if new else arguments[0] if arguments else options["name"]
        active = bool(new) and self.is_active(new[0])
        if not new or (active and name in self.names):
            raise InputError(
                f"the name {quoted(name)} is asked for twice; give each choice a name of its own."
            )
        if name.startswith(RESERVED):
            raise InputError(
                f"the name {quoted(name)} begins with {quoted(RESERVED)}, which KerasTuner keeps for "
                "itself; choose another."
            )
        if active:
            self.names.add(name)
        return value

    return asked


class _Declaration(HyperParameters):
    """Refuses a name asked for twice, which KerasTuner silently shares."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()  # of the active choices

    def Choice(self, name: str, values: Any, *arguments: Any, **options: Any) -> Any:
        listed = list(values)
        twice = [value for i, value in enumerate(listed) if value in listed[:i]]
        if twice:
            raise InputError(
                f"{name}: the value {quoted(twice[0])} is there twice, so trials would be "
                "repeated; leave one out."
            )
        return _once(HyperParameters.Choice)(self, name, listed, *arguments, **options)

    Int = _once(HyperParameters.Int)
    Float = _once(HyperParameters.Float)
    Boolean = _once(HyperParameters.Boolean)
    Fixed = _once(HyperParameters.Fixed)


def declare(study: Study, components: Components) -> HyperParameters:
    """Return the whole space as `HyperParameters` with the default values.

    Every conditional part is visited, as KerasTuner does it.

    Raises:
        InputError: An empty space, a name used twice, or a default that cannot be built.
    """
    space = HyperParameters()
    visited: list[Any] = []
    wanted: list[Any] = []
    values: Values = {}
    while True:
        declaration = _Declaration()
        declaration.values = values
        try:
            with study_code():
                study.configure(declaration, components)
        except KerasfacesError:
            raise
        except (ValueError, TypeError) as error:
            # KerasTuner's complaints about a choice without values and the like.
            raise InputError(f"the search space cannot be declared: {error}") from error
        space.merge(declaration, overwrite=False)
        visited += declaration.active_scopes
        wanted += declaration.inactive_scopes
        wanted = [scope for scope in wanted if scope not in visited]
        if not wanted:
            break
        visited.append(wanted[0])  # tried once, whether or not it can be reached
        values = {each.name: each.values[0] for each in wanted[0]}
    if not space.space:
        raise InputError(
            "the study asks for nothing: its search space is empty; use hp.Choice(...), "
            "hp.Float(...) or hp.Int(...) in configure."
        )
    space.values = {}
    for hp in space.space:
        if space.is_active(hp):
            space.values[hp.name] = hp.default
    return space


def with_values(space: HyperParameters, values: Values) -> HyperParameters:
    """Return the space with other values."""
    copy = space.copy()
    copy.values = dict(values)
    return copy


def configuration(
    study: Study, components: Components, values: HyperParameters
) -> TrainConfig:
    """Return the run that `HyperParameters` with values stand for.

    The width of its base is read from the weights.

    Raises:
        InputError: They stand for no run.
    """
    with study_code():
        config = study.configure(values.copy(), components)
    if not isinstance(config, TrainConfig):
        raise InputError(
            f"configure returned {type(config).__name__}, expected a TrainConfig."
        )
    name = config.model.name
    if name not in components.loaded:
        raise InputError(
            f"the study chose the base {quoted(name)}, which is not among those it declares: "
            f"{', '.join(study.bases)}."
        )
    if config.unfreeze:
        raise InputError(f"unfreeze: studies train heads only, got {config.unfreeze}.")
    completed = catalogue.load(name).completed(config.model, components.loaded[name])
    return dataclasses.replace(config, model=completed)


def probes(
    study: Study, components: Components, space: HyperParameters
) -> list[TrainConfig]:
    """Return the default run and those that differ from it in one value.

    Raises:
        InputError: The default cannot be built.
    """
    configs = [configuration(study, components, space)]
    for hp in space.space:
        for value in hp.values:
            changed = with_values(space, {**space.values, hp.name: value})
            changed.ensure_active_values()
            try:
                configs.append(configuration(study, components, changed))
            except InputError:
                continue  # a candidate that cannot be built fails when it is tried
    return configs


def points(space: HyperParameters) -> Iterator[Values]:
    """Yield every combination of active values, the last declared varying fastest."""

    def extend(values: Values, rest: list[Any]) -> Iterator[Values]:
        if not rest:
            yield values
            return
        hp, *others = rest
        if not with_values(space, values).is_active(hp):
            yield from extend(values, others)
            return
        for value in hp.values:
            yield from extend({**values, hp.name: value}, others)

    yield from extend({}, list(space.space))


def description(space: HyperParameters) -> Json:
    """Return the space as JSON, by name, for comparison with an interrupted study's."""
    described: Json = {}
    for hp in space.space:
        config = dict(hp.get_config())
        conditions = [f"{each.name} in {each.values}" for each in hp.conditions]
        config["conditions"] = conditions
        name = config.pop("name") + "".join(f" if {each}" for each in conditions)
        described[name] = {"kind": type(hp).__name__, **config}
    return described
