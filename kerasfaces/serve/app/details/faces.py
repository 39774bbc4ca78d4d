"""The faces that were found, with their boxes."""

import streamlit as st
from PIL import ImageDraw

from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named

TITLE, ORDER = "Faces", 2
_SIDE_PX = 900
_COLOUR = {"fake": "#e25808", "real": "#1668d6"}


def applies(answer: Answer, one: Loaded) -> bool:
    """Tell whether faces were looked for."""
    return answer.faces is not None


def show(answer: Answer, picture: Named, one: Loaded) -> None:
    """Show the picture with numbered boxes, and a table of them."""
    faces = answer.faces or ()
    if not faces:
        st.text("No face was found.")
        return
    image = picture.image()
    scale = min(1.0, _SIDE_PX / max(image.size))
    image = image.resize([max(1, round(side * scale)) for side in image.size])
    draw = ImageDraw.Draw(image)
    for number, face in enumerate(faces, 1):
        box = [edge * scale for edge in face.box]
        draw.rectangle(box, outline="white", width=5)
        draw.rectangle(box, outline=_COLOUR.get(face.verdict, "black"), width=3)
        draw.text(
            (box[0] + 6, box[1] + 3),
            str(number),
            "white",
            stroke_width=2,
            stroke_fill="black",
            font_size=20,
        )
    st.image(image, width="stretch", alt="the picture with a box round each face")
    st.table(
        [
            {
                "face": str(number),
                "size": f"{face.size_px} px",
                "verdict": face.verdict or "not judged by itself",
                "probability": "" if face.score is None else f"{face.score:.1%}",
            }
            for number, face in enumerate(faces, 1)
        ]
    )
