"""What the app is told when it starts."""

import dataclasses
import json
from typing import Self


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What the app offers, and its limits.

    Attributes:
        runs: Run folders, the first of which is shown; empty is the sample's detector.
        upload_mb: Upper limit of a file, MB of 2**20 bytes.
        megapixels: Upper limit of a picture, 10**6 pixels.
        files: Upper limit of pictures judged at a time.
        images_api: Address of the service that makes pictures; empty is OpenAI's.
    """

    runs: tuple[str, ...] = ()
    upload_mb: int = 20
    megapixels: int = 50
    files: int = 200
    images_api: str = ""

    def to_text(self) -> str:
        """Return the settings as one word of a command line."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote."""
        values = json.loads(text)
        return cls(**values | {"runs": tuple(values["runs"])})
