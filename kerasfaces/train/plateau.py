"""When to lower the learning rate: torch's `ReduceLROnPlateau` in its default mode.

Keras' callback of that name forgets what it has seen when training is killed; this is
kept in the checkpoint (`loop.py`), the rate itself among the optimizer's variables.
"""

import dataclasses
import math

_THRESHOLD = 1e-4  # torch's: a relative gain below it is none


@dataclasses.dataclass
class Plateau:
    """What the schedule remembers between epochs.

    Attributes:
        factor: What the rate is multiplied by.
        patience: So many epochs without a better loss are forgiven.
        best: The lowest validation loss so far.
        waited: Epochs since.
    """

    factor: float
    patience: int
    best: float = math.inf
    waited: int = 0

    def factor_after(self, val_loss: float) -> float:
        """Return what to multiply the learning rate by after an epoch; mostly 1."""
        if val_loss < self.best * (1 - _THRESHOLD):
            self.best, self.waited = val_loss, 0
            return 1.0
        self.waited += 1
        if self.waited <= self.patience:
            return 1.0
        self.waited = 0
        return self.factor
