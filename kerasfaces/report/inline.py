"""A picture inside a page, as a data URI."""

import base64
import io
from typing import TYPE_CHECKING

from markupsafe import Markup

from kerasfaces.core.texts import plain

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 85


def inline(picture: "Image", description: str, width_px: int) -> Markup:
    """Return an RGB or grey picture as part of a page, JPEG, resized to a width."""
    from PIL import Image

    height_px = round(picture.height * width_px / picture.width)
    small = picture.resize((width_px, height_px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY)
    data = base64.b64encode(buffer.getvalue()).decode()
    return Markup(
        '<img src="data:image/jpeg;base64,{}" alt="{}" width="{}" height="{}">'
    ).format(data, plain(description), width_px, height_px)
