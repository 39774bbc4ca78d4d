"""Work that a process of its own does without a framework, and ends in a bad way."""

import os

from kerasfaces.core.errors import InputError


def mistaken(job):
    """Raise an error that names the job."""
    raise InputError(f"{job.name}: a mistake")


def killed(job):
    """Die without a word."""
    os._exit(9)


# Keras as far as a process that starts looks at it; see `core.numerics.refuse_changed`.
NO_KERAS = """
class backend:
    backend = staticmethod(lambda: "jax")


class config:
    floatx = staticmethod(lambda: "float32")
    epsilon = staticmethod(lambda: 1e-7)
    image_data_format = staticmethod(lambda: "channels_last")

    class dtype_policy:
        name = "float32"
"""
