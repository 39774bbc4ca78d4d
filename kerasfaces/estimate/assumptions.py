"""What an estimate cannot measure: prices, other machines, the network."""

import dataclasses
import math

from kerasfaces.core.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What is not measured. Prices are round figures, not quotes: give your own.

    Attributes:
        core_price: Price of one core for an hour, in any currency.
        gpu_price: Price of one GPU for an hour, on top of its machine's cores.
        disk_price: Price of one GB for a month.
        gpu_cores: Cores beside the GPU.
        gpu_speedup: Speed of networks on a GPU, relative to all cores used here.
        nodes: Nodes of the cluster.
        node_cores: Cores of each node, as fast as this machine's.
        efficiency: Share of a core's rate here that remains when many work.
        network: Bytes per second between the nodes and the driver.
    """

    core_price: float = 0.05
    gpu_price: float = 2.0
    disk_price: float = 0.08
    gpu_cores: int = 16
    gpu_speedup: float = 100.0
    nodes: int = 10
    node_cores: int = 16
    efficiency: float = 0.8
    network: float = 1.25e9

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InputError: A value is not finite, negative, or zero where that makes no sense.
        """
        for name, value in vars(self).items():
            free = name.endswith("_price")  # may cost nothing
            if not (math.isfinite(value) and (value > 0 or (free and value == 0))):
                raise InputError(
                    f"`{name}`: expected {'at least' if free else 'more than'} 0, got {value}."
                )
