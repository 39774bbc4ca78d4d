"""What `--seeds` and `--weights` say."""

from collections.abc import Callable, Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.models import catalogue

KEYWORDS = ("forensic", "imagenet", "none")  # what --weights may say besides a file


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds of `0-4` or `0,2,5`.

    Raises:
        InputError: Anything else.
    """
    seeds: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            seeds += range(int(first), int(last if dash else first) + 1)
    except ValueError:
        seeds = []
    if not seeds or len(set(seeds)) < len(seeds):
        raise InputError(f"--seeds {text}: expected e.g. 0-4 or 0,2,5, each once.")
    return tuple(seeds)


def parse_weights(
    given: Sequence[str], models: Sequence[str], default: Callable[[str], str]
) -> dict[str, str]:
    """Return model -> weights of `MODEL=W` texts; a bare W is for every model.

    Raises:
        InputError: An unknown model, or one file for several architectures.
    """
    found = {model: default(model) for model in models}
    known = catalogue.names()
    for text in given:
        model, equals, value = text.partition("=")
        if equals and model in known:
            if model in found:
                found[model] = value
        elif len(models) > 1 and text not in KEYWORDS:
            raise InputError(
                f"--weights {text}: say which of {', '.join(models)} it is for, e.g. "
                f"--weights {models[0]}=FILE."
            )
        else:
            found = dict.fromkeys(models, text)
    return found
