"""Files that visitors bring -> pictures within the app's limits, in memory."""

from kerasfaces import images
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.settings import Settings
from kerasfaces.serve.pictures import Named, digest


def refusal(name: str, data: bytes, settings: Settings) -> Answer | None:
    """Return the answer to a file that is not decoded here; None to all others.

    What it is counts by its content; its name and type are not looked at.
    """
    reason = ""
    if len(data) > settings.upload_mb * 2**20:
        reason = f"larger than {settings.upload_mb} MB"
    else:
        width, height = images.stated_size(data) or (0, 0)
        if width * height > settings.megapixels * 10**6:
            reason = (
                f"{width} x {height} px; this app takes at most {settings.megapixels} "
                "megapixels"
            )
    if not reason:
        return None
    return Answer(name=name, sha256=digest(data), reason=reason)


def thumbnail(picture: Named, side_px: int) -> bytes | None:
    """Return a small JPEG of a picture; None where it cannot be decoded."""
    import io

    from kerasfaces.core.errors import ImageError

    try:
        image = picture.image()
    except ImageError:
        return None
    image.thumbnail((side_px, side_px))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
