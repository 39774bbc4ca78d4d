"""A detector that needs no network: the brighter a picture, the more it is called fake."""

import dataclasses

from kerasfaces import images
from kerasfaces.metrics import Platt
from kerasfaces.run.operating_point import OperatingPoint

POINT = OperatingPoint(
    calibrator=Platt(1.0, 0.0),
    threshold=0.5,
    rule="made up",
    threshold_fpr_1pct=0.9,
    rule_fpr_1pct="made up",
    abstain=(0.4, 0.6),
    false_alarm_rate=0.0,
    miss_rate=0.0,
    n_real=10,
    n_fake=10,
)
SPEC = images.InputSpec(size_px=32)


@dataclasses.dataclass
class Stub:
    """Logit = (mean - 127.5) / 10."""

    name: str = "stub"
    version: str = "1"
    engine: str = "numpy"
    operating_point: OperatingPoint = POINT
    input_spec: images.InputSpec = SPEC
    largest_batch: int = 0

    def prepare(self, image):
        return images.to_array(image, self.input_spec)

    def logits(self, pixels):
        self.largest_batch = max(self.largest_batch, len(pixels))
        return (pixels.mean(axis=(1, 2, 3)) - 127.5) / 10

    def decide(self, logits):
        return self.operating_point.verdicts(self.operating_point.apply(logits))


@dataclasses.dataclass(frozen=True)
class FoundFace:
    """A face as a detector of faces returns it."""

    box: tuple
    score: float = 0.9
    landmarks: tuple = ()
