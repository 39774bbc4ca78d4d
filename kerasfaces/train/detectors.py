"""Everything that can be trained, by name: networks and baselines. Imports neither."""

from kerasfaces import baselines
from kerasfaces.core import registry
from kerasfaces.models import catalogue


def names() -> list[str]:
    """Return the name of every model and every baseline."""
    return [*catalogue.names(), *registry.names(baselines.ZOO)]


def is_baseline(model: str) -> bool:
    """Tell whether `model` is a baseline, which has no network.

    Raises:
        InputError: There is no such model.
    """
    registry.check("model", model, names())
    return model in registry.names(baselines.ZOO)


def summary(model: str) -> str:
    """Return one line about a model or a baseline."""
    if is_baseline(model):
        return registry.summary(baselines.ZOO, model)
    return catalogue.summary(model)
