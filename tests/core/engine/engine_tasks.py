"""Tasks for the engine's tests, where a fresh process can import them."""

import logging
import os
import sys
import time
from pathlib import Path

from kerasfaces.core.errors import InputError


def double(item):
    return 2 * item


def pid(item):
    return os.getpid()


def threads(item):
    return os.environ["OMP_NUM_THREADS"]


def printing(item):
    sys.stdout.write("a library's chatter\n")
    return item


def wait(item):
    time.sleep(item)
    return item


def die_of_7(item):
    if item == 7:
        os._exit(11)
    return 2 * item


def die_once(path):
    """Die at the first attempt, which leaves a file."""
    if not Path(path).exists():
        Path(path).touch()
        os._exit(1)
    return path


def mistake(item):
    raise InputError(f"item {item} is wrong.")


class OddError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def odd(item):
    raise OddError("one", "two")


def add_text(item):
    return item + "text"


def unpicklable(item):
    return lambda: item


def main_name(item):
    return sys.modules["__main__"].__dict__.get("MARK", "")


class Counting:
    """Loads once, counts its items, says when it is closed."""

    def __init__(self, folder):
        self.folder = folder
        self.n = 0

    def __reduce__(self):
        return Counting, (self.folder,)

    def __call__(self, item):
        self.n += 1
        return self.n

    def close(self):
        (self.folder / f"closed-{os.getpid()}").touch()


class Broken:
    def __reduce__(self):
        return fail, ()

    def __call__(self, item):
        return item


def fail():
    raise InputError("the weights are not here.")


def slowly_double(item):
    time.sleep(0.1)
    return 2 * item


def surroundings(item):
    """Return what depends on where the driver is now."""
    return os.getpid(), str(Path.cwd()), os.environ.get("MARK"), sys.argv[-1]


def warn(item):
    logging.getLogger("kerasfaces.stage").warning("%s of `weights`", item)
    return item


class Computing:
    """Imports Keras where it is loaded, as trainings do."""

    def __reduce__(self):
        return load_computing, ()

    def __call__(self, item):
        import keras

        return float(keras.ops.sum(keras.ops.ones((item,))))


def load_computing():
    import keras  # noqa: F401

    return Computing()
