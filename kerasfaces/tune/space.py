"""The search space: declared by asking, checked, enumerated."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from keras_tuner import HyperParameters

from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.core.texts import quoted
from kerasfaces.models import catalogue
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.blame import study_code
from kerasfaces.tune.offer import Offer
from kerasfaces.tune.study import Study

RESERVED = "tuner/"  # names KerasTuner's Hyperband puts among the values


class _Declaring(HyperParameters):
    """Refuses a name asked for twice, which KerasTuner silently shares."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def _retrieve(self, hp: Any) -> Any:
        key = f"{hp.name} under {[each.get_config() for each in hp.conditions]}"
        keys = {key} | ({hp.name} if self.is_active(hp) else set())
        if keys & self.asked:
            raise InputError(
                f"the name {quoted(hp.name)} is asked for twice; give each choice a name of its own."
            )
        if hp.name.startswith(RESERVED):
            raise InputError(
                f"the name {quoted(hp.name)} begins with {quoted(RESERVED)}, which KerasTuner keeps for "
                "itself; choose another."
            )
        given = list(getattr(hp, "_values", []))
        twice = [value for i, value in enumerate(given) if value in given[:i]]
        if twice:
            raise InputError(
                f"{hp.name}: the value {quoted(twice[0])} is there twice, so trials would be "
                "repeated; leave one out."
            )
        self.asked |= keys
        return super()._retrieve(hp)


def declare(study: Study, offer: Offer) -> Any:
    """Return the whole space as `HyperParameters` with the default values.

    Every conditional part is visited, as KerasTuner does it.

    Raises:
        InputError: An empty space, a name used twice, or a default that cannot be built.
    """
    space = HyperParameters()
    wanted: list[Any] = []
    seen: list[Any] = []
    values: dict[str, Any] = {}
    while True:
        asking = _Declaring()
        asking.values = dict(values)
        _ask(study, asking, offer)
        for hp in asking.space:
            if not space._exists(hp.name, hp.conditions):
                space.merge([hp])
        seen += [scope for scope in asking.active_scopes if scope not in seen]
        wanted += [scope for scope in asking.inactive_scopes if scope not in wanted]
        wanted = [scope for scope in wanted if scope not in seen]
        if not wanted:
            break
        seen.append(wanted[0])  # tried once, whether or not it can be reached
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


def with_values(space: Any, values: dict[str, Any]) -> Any:
    """Return the space with other values."""
    copy = space.copy()
    copy.values = dict(values)
    return copy


def configuration(study: Study, offer: Offer, hyperparameters: Any) -> TrainConfig:
    """Return the run that some values stand for, the width read from the weights.

    Raises:
        InputError: They stand for none.
    """
    with study_code():
        config = study.configure(hyperparameters.copy(), offer)
    if not isinstance(config, TrainConfig):
        raise InputError(
            f"configure returned {type(config).__name__}, expected a TrainConfig."
        )
    name = config.model.name
    if name not in offer.found:
        raise InputError(
            f"the study chose the base {quoted(name)}, which is not among those it declares: "
            f"{', '.join(study.bases)}."
        )
    if config.unfreeze:
        raise InputError(f"unfreeze: studies train heads only, got {config.unfreeze}.")
    completed = catalogue.load(name).completed(config.model, offer.found[name])
    return dataclasses.replace(config, model=completed)


def probes(study: Study, offer: Offer, space: Any) -> list[TrainConfig]:
    """Return the default run and those that differ from it in one value.

    Raises:
        InputError: The default cannot be built.
    """
    found = [configuration(study, offer, space)]
    for hp in space.space:
        for value in hp.values:
            changed = with_values(space, {**space.values, hp.name: value})
            changed.ensure_active_values()
            try:
                found.append(configuration(study, offer, changed))
            except InputError:
                continue  # a candidate that cannot be built fails when it is tried
    return found


def points(space: Any) -> Iterator[dict[str, Any]]:
    """Yield every combination of active values, the last declared varying fastest."""

    def extend(values: dict[str, Any], rest: list[Any]) -> Iterator[dict[str, Any]]:
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


def description(space: Any) -> dict[str, Any]:
    """Return the space as JSON, by name, for comparison with an interrupted study's."""
    described: dict[str, Any] = {}
    for hp in space.space:
        config = dict(hp.get_config())
        conditions = [f"{each.name} in {each.values}" for each in hp.conditions]
        config["conditions"] = conditions
        name = config.pop("name") + "".join(f" if {each}" for each in conditions)
        described[name] = {"kind": type(hp).__name__, **config}
    return described


def _ask(study: Study, asking: Any, offer: Offer) -> None:
    try:
        with study_code():
            study.configure(asking, offer)
    except KerasfacesError:
        raise
    except (ValueError, TypeError) as error:
        # KerasTuner's complaints about a choice without values and the like.
        raise InputError(f"the search space cannot be declared: {error}") from error
