"""What an estimate cannot measure: prices, other machines, the network."""

import dataclasses
import math

from kerasfaces.core.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What is not measured. Prices are round figures, not quotes: give your own."""

    core_price: float = 0.05  # price of one core for an hour, in any currency
    # Price of one GPU for an hour, on top of its machine's cores.
    gpu_price: float = 2.0
    disk_price: float = 0.08  # price of one GB for a month
    gpu_cores: int = 16  # cores beside the GPU
    # Speed of networks on a GPU, relative to all cores used here.
    gpu_speedup: float = 100.0
    nodes: int = 10  # nodes of the cluster
    node_cores: int = 16  # cores of each node, as fast as this machine's
    efficiency: float = 0.8  # share of a core's rate here that remains when many work
    network: float = 1.25e9  # bytes per second between the nodes and the driver

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InputError: A value is not finite, negative, or zero where that makes no sense.
        """
        for name, value in vars(self).items():
            if name == "efficiency" and value > 1:
                raise InputError(
                    f"`{name}`: expected a share, at most 1, got {value}, e.g. 0.8."
                )
            free = name.endswith("_price")  # may cost nothing
            if not (math.isfinite(value) and (value > 0 or (free and value == 0))):
                raise InputError(
                    f"`{name}`: expected {'at least' if free else 'more than'} 0, got {value}."
                )
