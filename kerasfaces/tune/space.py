"""The search space: declared by asking, checked, enumerated."""

import dataclasses
import functools
from collections.abc import Iterator
from contextlib import suppress
from functools import partialmethod
from typing import Any

from keras_tuner import HyperParameters
from keras_tuner.engine.hyperparameters import HyperParameter

from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.models import catalogue
from kerasfaces.run.trials import RESERVED, Values
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.components import Components
from kerasfaces.tune.study import Study
from kerasfaces.tune.user_code import place_of, study_code


class _Declaration(HyperParameters):
    """Refuses a name asked for twice, which KerasTuner silently shares."""

    def __init__(self) -> None:
        super().__init__()
        self._active_names: set[str] = set()

    def _ask(self, kind: str, name: str, *arguments: Any, **options: Any) -> Any:
        before = len(self.space)
        value = getattr(super(), kind)(name, *arguments, **options)
        new = self.space[before:]
        active = bool(new) and self.is_active(new[0])
        name = new[0].name if new else name  # with the scopes it is in
        mistake = ""
        if not new or (active and name in self._active_names):
            mistake = "is asked for twice; give each choice a name of its own"
        elif name.startswith(RESERVED):
            mistake = (
                f"begins with {quoted(RESERVED)}, KerasTuner's own; choose another"
            )
        if mistake:
            raise InputError(f"the name {quoted(name)} {mistake}.")
        if active:
            self._active_names.add(name)
        return value

    def Choice(self, name: str, values: Any, *arguments: Any, **options: Any) -> Any:
        listed = list(values)
        for i, value in enumerate(listed):
            if value in listed[:i]:
                raise InputError(
                    f"{name}: the value {quoted(value)} is there twice; leave one out."
                )
        return self._ask("Choice", name, listed, *arguments, **options)

    Int = partialmethod(_ask, "Int")
    Float = partialmethod(_ask, "Float")
    Boolean = partialmethod(_ask, "Boolean")
    Fixed = partialmethod(_ask, "Fixed")


def declare(study: Study, components: Components) -> HyperParameters:
    """Return the whole space as `HyperParameters` with the default values.

    Every conditional part is visited, as KerasTuner does it.

    Raises:
        InputError: An empty space, a name used twice, or a default that cannot be built.
    """
    space = HyperParameters()
    visited: list[Any] = []
    pending: list[Any] = [[]]  # scopes, each a list of conditions
    while pending:
        visited.append(pending[0])  # tried once, whether or not it can be reached
        declaration = _Declaration()
        declaration.values = {each.name: each.values[0] for each in pending[0]}
        try:
            with study_code():
                study.configure(declaration, components)
        except KerasfacesError:
            raise
        except (ValueError, TypeError) as error:
            # KerasTuner's complaints about a choice without values and the like.
            raise InputError(
                f"{place_of(study.configure)}the search space cannot be declared: {error}"
            ) from error
        space.merge(declaration, overwrite=False)
        visited += declaration.active_scopes
        pending += declaration.inactive_scopes
        pending = [scope for scope in pending if scope not in visited]
    if not space.space:
        raise InputError(
            f"{place_of(study.configure)}the search space is empty; use hp.Choice(...), "
            "hp.Float(...) or hp.Int(...) in configure."
        )
    return with_values(
        space, {hp.name: hp.default for hp in space.space if space.is_active(hp)}
    )


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
    place = place_of(study.configure)
    if not isinstance(config, TrainConfig):
        raise InputError(
            f"{place}configure returned {type(config).__name__}, expected a TrainConfig."
        )
    name = config.model.name
    if name not in components.loaded:
        raise InputError(
            f"{place}the study chose the base {quoted(name)}, which is not among those it declares: "
            f"{', '.join(study.bases)}."
        )
    if config.unfreeze:
        raise InputError(
            f"{place}unfreeze: studies train heads only, got {config.unfreeze}."
        )
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
            # A candidate that cannot be built fails when it is tried.
            with suppress(InputError):
                configs.append(configuration(study, components, changed))
    return configs


def points(space: HyperParameters) -> Iterator[Values]:
    """Yield every combination of active values, the last declared varying fastest."""

    def extended(partial: Iterator[Values], hp: HyperParameter) -> Iterator[Values]:
        for values in partial:
            active = with_values(space, values).is_active(hp)
            for choice in [{hp.name: one} for one in hp.values] if active else [{}]:
                yield values | choice

    return functools.reduce(extended, space.space, iter([{}]))


def description(space: HyperParameters) -> Json:
    """Return the space as JSON, by name, for comparison with an interrupted study's."""
    described: Json = {}
    for hp in space.space:
        conditions = [f"{each.name} in {each.values}" for each in hp.conditions]
        config = {**hp.get_config(), "conditions": conditions}
        name = config.pop("name") + "".join(f" if {each}" for each in conditions)
        described[name] = {"kind": type(hp).__name__, **config}
    return described
