"""What a file says of its origin: evidence of its own, never mixed into a score."""

from kerasfaces.core.files import Json

NOTHING = "The file says nothing of its origin, which means nothing: most do not."


def read(data: bytes, trust: str | None = None) -> Json:
    """Return what a file says of its origin, in JSON types.

    Args:
        data: The file.
        trust: Certificates (PEM) of signers that count as trusted.
    """
    return {"sentence": NOTHING, "evidence": []}
