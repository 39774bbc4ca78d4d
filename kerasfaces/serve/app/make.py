"""The tab that makes a picture through OpenAI's Images API, then judges it.

The key is a password field of the visitor's session: it is in memory, in no log, and not
in what the page remembers.
"""

import base64
from typing import Any

import streamlit as st

from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.core.imports import optional_import
from kerasfaces.core.texts import plain, shortened
from kerasfaces.serve.answer import Options
from kerasfaces.serve.app import one as one_picture
from kerasfaces.serve.app.settings import Settings
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named

MODELS = ("gpt-image-1", "gpt-image-1-mini", "dall-e-3", "dall-e-2")
_PICTURE = "visitor: made"
_TIMEOUT_S = 120.0


def show(loaded: Loaded, options: Options, settings: Settings) -> None:
    """Ask for a key and a description; show the picture that comes, and its answer."""
    st.caption(
        "Makes a picture with OpenAI's Images API, at your own cost, and judges it. The key "
        "stays in this server's memory until you close the page; key and description are sent "
        "to OpenAI and nowhere else."
    )
    with st.form("make", border=False):
        key = st.text_input("Your OpenAI API key", type="password", key="openai-key")
        prompt = st.text_area(
            "Description",
            "A studio portrait of a middle-aged person, looking at the camera",
        )
        model = st.selectbox("Model", MODELS)
        wanted = st.form_submit_button("Make the picture")
    if wanted:
        st.session_state.pop(_PICTURE, None)
        try:
            with st.spinner("OpenAI is at work …"):
                data = generated(
                    key.strip(), prompt.strip(), model, settings.images_api
                )
        except KerasfacesError as error:
            st.error(str(error))
            return
        st.session_state[_PICTURE] = Named(f"made by {model}.png", data)
    if picture := st.session_state.get(_PICTURE):
        one_picture.judge(picture, loaded, options, settings, where="make")


def generated(key: str, prompt: str, model: str, address: str = "") -> bytes:
    """Return the PNG that OpenAI's service, or another at `address`, made with the visitor's key.

    Raises:
        InputError: Something is missing, or the service refuses.
    """
    openai = optional_import("openai", "app")
    for value, name in ((key, "a key"), (prompt, "a description")):
        if not value:
            raise InputError(f"Please give {name}.")
    settings: dict[str, Any] = {"model": model, "prompt": prompt, "size": "1024x1024"}
    if not model.startswith("gpt"):  # which send nothing else
        settings["response_format"] = "b64_json"
    # No second attempt: a request that timed out may have been billed.
    client: Any = openai.OpenAI(
        api_key=key, base_url=address or None, timeout=_TIMEOUT_S, max_retries=0
    )
    try:
        reply = client.images.generate(n=1, **settings)
        data = base64.b64decode(reply.data[0].b64_json, validate=True)
    except openai.AuthenticationError as error:
        raise InputError("OpenAI does not accept this key; check it.") from error
    except openai.APIStatusError as error:
        reason = shortened(plain(error.message).replace(key, "***"), 200)
        raise InputError(f"OpenAI made no picture: {reason}") from error
    except openai.APITimeoutError as error:
        raise InputError(
            f"No answer from OpenAI in {_TIMEOUT_S:g} s; it may be billed all the same."
        ) from error
    except openai.APIConnectionError as error:
        raise InputError(
            "OpenAI cannot be reached from this server; check its network."
        ) from error
    except (
        openai.OpenAIError,
        TypeError,
        IndexError,
        AttributeError,
        ValueError,
    ) as error:
        raise InputError("OpenAI's answer holds no picture; try again.") from error
    if not data:
        raise InputError("OpenAI's answer holds no picture; try again.")
    return data
