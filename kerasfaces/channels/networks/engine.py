"""Run a torch network on a CPU, image by image, with an engine that agrees with torch.

uint8 images enter, float32 arrays leave. OpenVINO runs convolutions faster than torch;
it must agree with torch on the first image to `LIMITS`, or the network is not run. One
image is computed at a time: a batch is no faster here, and the same image gives the same
values in any batch.

The engine is chosen before any image is seen, and its name belongs in the recipe: at full
precision engines differ by a thousandth of a grey level at most, which can move the last
digit of a stored float16.
"""

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kerasfaces.channels import engines
from kerasfaces.channels.contract import Arrays, Images
from kerasfaces.core.errors import InputError

logger = logging.getLogger(__name__)

Engine = Literal["auto", "torch", "openvino"]
Precision = Literal["f32", "bf16"]
# Greatest difference from torch at f32, in the network's own output units (grey levels).
# bfloat16 has 8 bits: it is only kept from being nonsense.
LIMITS = {"f32": 1e-3, "bf16": 16.0}
One = Callable[[Images], Arrays]


class Runner:
    """A network ready to run.

    Attributes:
        name: The engine, with its version.
    """

    def __init__(
        self,
        network: nn.Module,
        engine: Engine = "auto",
        precision: Precision = "f32",
        option: str = "engine",
        limit: float | None = None,
    ) -> None:
        """Prepare a network.

        Args:
            network: `(1, h, w, 3)` uint8 -> `(1, h, w, c)` float32.
            engine: `auto` takes OpenVINO where it is installed.
            precision: `bf16` is faster where the processor has it, and coarse.
            option: The user's name of the engine's choice, for messages.
            limit: Greatest difference from torch; by default that of `LIMITS`.

        Raises:
            MissingExtraError: `openvino` was asked for and is not installed.
        """
        self._limit = LIMITS[precision] if limit is None else limit
        self._engine = engines.chosen(engine, option)
        self.name = engines.full_name(self._engine)
        layout: Any = {"memory_format": torch.channels_last}  # torch's faster one
        self._network = network.eval().to(**layout)
        self._precision, self._option = precision, option
        self._of_shape: dict[tuple[int, ...], One] = {}

    def __call__(self, images: Images) -> Arrays:
        """Compute a batch: `(n, h, w, 3)` uint8 -> `(n, h, w, c)` float32.

        Raises:
            InputError: OpenVINO cannot run the network, or differs from torch.
        """
        if len(images) == 0:
            return self._torch(np.zeros((1, *images.shape[1:]), np.uint8))[:0]
        shape = images.shape[1:]
        if shape not in self._of_shape:
            self._of_shape[shape] = self._choose(images[:1])
        one = self._of_shape[shape]
        return np.concatenate([one(images[at : at + 1]) for at in range(len(images))])

    def _choose(self, image: Images) -> One:
        if self._engine == "torch":
            logger.info("%s at %s", self.name, self._precision)
            return self._torch
        expected = self._torch(image, precise=True)
        try:
            compiled = compile_openvino(self._network, image.shape, self._precision)
            worst = difference(compiled(image), expected)
        except (RuntimeError, ValueError, TypeError) as error:
            raise self._unusable(f"cannot run the network ({error})") from error
        if worst > self._limit:
            raise self._unusable(
                f"differs from torch by {worst:.1e} (limit {self._limit:.0e})"
            )
        logger.info(
            "%s at %s (differs from torch by %.1e at most)",
            self.name,
            self._precision,
            worst,
        )
        return compiled

    def _unusable(self, why: str) -> InputError:
        return InputError(
            f"{self.name} {why} on this machine; torch can, more slowly: "
            f"`options={{{self._option!r}: 'torch'}}`."
        )

    def _torch(self, image: Images, precise: bool = False) -> Arrays:
        reduced = self._precision == "bf16" and not precise
        with (
            torch.inference_mode(),
            torch.autocast("cpu", torch.bfloat16, enabled=reduced),
        ):
            # A copy: torch wants memory it may write to, and pixels may be mapped.
            result: Tensor = self._network(torch.from_numpy(image.copy()))
        return result.float().contiguous().numpy()


def compile_openvino(
    network: nn.Module, shape: tuple[int, ...], precision: Precision
) -> One:
    """Compile a network for one shape `(1, h, w, 3)`, on as many threads as torch has."""
    example = torch.zeros(shape, dtype=torch.uint8)
    with _quiet_tracer():
        import openvino

        model = openvino.convert_model(network, example_input=example)
    model.reshape(list(shape))
    settings = {
        "INFERENCE_PRECISION_HINT": precision,  # else bfloat16 where it is faster
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
    }
    compiled = openvino.compile_model(model, "CPU", settings)
    return lambda image: np.array(compiled(np.ascontiguousarray(image))[0], np.float32)


def difference(got: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return the greatest absolute difference; where both are NaN there is none."""
    both = np.isnan(got) & np.isnan(expected)
    apart = np.abs(np.where(both, 0, got) - np.where(both, 0, expected))
    return float("inf") if np.isnan(apart).any() else float(apart.max(initial=0))


@contextlib.contextmanager
def _quiet_tracer() -> Iterator[None]:
    """Hide what torch's tracer and OpenVINO's telemetry say; the agreement check decides.

    The latter logs by the root logger, which would get a handler of its own by it.
    """
    root, handler = logging.getLogger(), logging.NullHandler()
    root.addHandler(handler)
    root.addFilter(_drop)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeFilter(_drop)
        root.removeHandler(handler)


def _drop(record: logging.LogRecord) -> bool:
    return False
