"""Settings of a service: its run, what an answer has, and every limit."""

import dataclasses
from pathlib import Path

from kerasfaces.core import machine
from kerasfaces.core.errors import InputError
from kerasfaces.serve.answer import Options
from kerasfaces.serve.face_policy import Policy


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a service.

    Attributes:
        run: The run folder.
        runtime: See `ExportedDetector.open`.
        keras: Whether Keras, where it is installed, decides near the threshold; it is then
            loaded at the start.
        faces: What of a picture is judged, unless a request says otherwise.
        stability: Whether laundered versions are judged, too, unless a request says
            otherwise.
        token: What requests must bear (`Authorization: Bearer ...`); empty is open to all.
        body_mb: Upper limit of a request's body, MB of 2**20 bytes.
        files: Upper limit of pictures in one request.
        megapixels: Upper limit of a picture, 10**6 pixels.
        queue: Upper limit of pictures that are accepted and not yet answered.
        workers: Threads that decode and examine; None is two per core.
        connections: Upper limit of open connections.
        head_s: Seconds within which the head of a request must come.
        body_s: Seconds within which its body must come.
        answer_s: Seconds within which its answer must be ready.
    """

    run: Path
    runtime: str = "auto"
    keras: bool = True
    faces: Policy = "image"
    stability: bool = True
    token: str = dataclasses.field(default="", repr=False)
    body_mb: int = 20
    files: int = 32
    megapixels: int = 50
    queue: int = 64
    workers: int | None = None
    connections: int = 256
    head_s: float = 10
    body_s: float = 30
    answer_s: float = 60

    def __post_init__(self) -> None:
        """Check the ranges."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if number and value <= 0:
                raise InputError(f"{field.name}: expected more than 0, got {value:g}.")
        if self.queue < self.files:
            raise InputError(
                f"queue: {self.queue} pictures are fewer than one request may have (files: "
                f"{self.files}); raise queue or lower files."
            )

    @property
    def n_workers(self) -> int:
        """Threads that decode and examine."""
        return self.workers or 2 * machine.usable_cores()

    @property
    def body_bytes(self) -> int:
        """Upper limit of a request's body."""
        return self.body_mb * 2**20

    @property
    def bytes_in_flight(self) -> int:
        """Upper limit of all bodies together that are being read or judged."""
        return 8 * self.body_bytes

    def options(
        self,
        faces: Policy | None = None,
        stability: bool | None = None,
        provenance: bool | None = None,
        quick: bool = False,
    ) -> Options:
        """Return what belongs to an answer, given what a request asks for."""
        judged = faces or self.faces
        if quick:
            return Options.quick(judged)
        return Options(
            faces=judged,
            stability=self.stability if stability is None else stability,
            provenance=provenance is not False,
        )
