"""Files that visitors bring -> pictures within the app's limits, in memory."""

import io

from kerasfaces.core.errors import ImageError
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.settings import Settings
from kerasfaces.serve.pictures import Named, digest, too_many_pixels


def refusal(name: str, data: bytes, settings: Settings) -> Answer | None:
    """Return the answer to a file that is not decoded here; None to all others.

    What it is counts by its content; its name and type are not looked at.
    """
    if len(data) > settings.upload_mb * 2**20:
        reason = f"larger than {settings.upload_mb} MB"
    else:
        reason = too_many_pixels(data, settings.megapixels)
    if not reason:
        return None
    return Answer(name=name, sha256=digest(data), reason=reason)


def thumbnail(picture: Named, side_px: int) -> bytes | None:
    """Return a small JPEG of a picture; None where it cannot be decoded."""
    try:
        image = picture.image()
    except ImageError:
        return None
    image.thumbnail((side_px, side_px))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
