"""Random numbers without global state.

Every random choice is keyed by a seed and by what it is for, so neither the order in
which workers run nor what else was drawn before can change it.
"""

import hashlib

import numpy as np


def seed_sequence(seed: int, *keys: str | int) -> np.random.SeedSequence:
    """Return the seed sequence for one purpose.

    Args:
        seed: The user's seed.
        *keys: What the numbers are for, e.g. `"bootstrap", "auc"` or an image's sha256.
    """
    text = "\x1f".join(f"{type(key).__name__}:{key}" for key in keys)
    data = text.encode(errors="surrogatepass")  # file names need not be UTF-8
    words = np.frombuffer(hashlib.sha256(data).digest(), dtype=np.uint32)
    return np.random.SeedSequence([seed & (2**64 - 1), *(int(word) for word in words)])


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """Return a generator keyed by `seed` and `keys` (see `seed_sequence`).

    Example:
        >>> float(generator(0, "a").random()) == float(generator(0, "a").random())
        True
    """
    return np.random.default_rng(seed_sequence(seed, *keys))


def integer_seed(seed: int, *keys: str | int) -> int:
    """Return a 31-bit integer seed, for libraries that take nothing else."""
    return int(seed_sequence(seed, *keys).generate_state(1)[0] & 0x7FFFFFFF)
