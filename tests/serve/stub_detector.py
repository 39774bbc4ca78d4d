"""A detector that needs no network: the brighter a picture, the more it is called fake."""

import dataclasses

from tiny_runs import operating_point

from kerasfaces import images

POINT = operating_point()
SPEC = images.InputSpec(size_px=32)


@dataclasses.dataclass
class Stub:
    """Logit = (mean - 127.5) / 10."""

    name: str = "stub"
    version: str = "1"
    engine: str = "numpy"
    operating_point: object = POINT
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
