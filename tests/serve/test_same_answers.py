"""Shell, service and app answer the same to every file that people, or worse, bring."""

import io

import numpy as np
import pytest
from PIL import Image
from stub_service import Stub, form, served

from kerasfaces.serve.answer import Options, answer_all
from kerasfaces.serve.background import Background
from kerasfaces.serve.pictures import Named

NOISE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
IMAGE = Image.fromarray(NOISE)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(IMAGE, "JPEG", exif=exif)


def mutated(data, seed):
    """A file in which some bytes are others."""
    draw = np.random.default_rng(seed)
    array = np.frombuffer(data, np.uint8).copy()
    at = draw.integers(0, len(array), 1 + seed)
    array[at] = draw.integers(0, 256, len(at))
    return array.tobytes()


JPEG, PNG = encoded(IMAGE, "JPEG"), encoded(IMAGE, "PNG")
WIDE = NOISE[..., 0].astype(np.uint16) * 257
FILES = {
    "jpeg": JPEG,
    "png": PNG,
    "turned": turned(),
    "grey": encoded(IMAGE.convert("L"), "PNG"),
    "cmyk": encoded(IMAGE.convert("CMYK"), "JPEG"),
    "palette": encoded(IMAGE.convert("P"), "GIF", transparency=0),
    "alpha": encoded(IMAGE.convert("RGBA"), "WEBP", lossless=True),
    "animated": encoded(IMAGE, "GIF", save_all=True, append_images=[IMAGE] * 2),
    "16 bits": encoded(Image.fromarray(WIDE), "PNG"),
    "float": encoded(Image.fromarray(NOISE[..., 0].astype(np.float32)), "TIFF"),
    "dot": encoded(IMAGE.crop((0, 0, 1, 1)), "PNG"),
    "strip": encoded(IMAGE.crop((0, 0, 64, 1)), "PNG"),
    "behind the end": JPEG + b"more" * 100,
    "empty": b"",
    "text": b"these are notes",
    "svg": b"<svg onload=alert(1)>",
    "pdf": b"%PDF-1.7 something",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "jxl": b"\0\0\0\x0cJXL \r\n\x87\n",
    "raw": b"II*\0\x10\0\0\0CR\2\0",
    "video": b"\0\0\0\x18ftypisom",
    "zip": b"PK\3\4" + bytes(60),
    **{f"jpeg, {n} bytes": JPEG[:n] for n in (2, 20, 400, len(JPEG) - 2)},
    **{f"png, {n} bytes": PNG[:n] for n in (8, 20, 60, len(PNG) - 12)},
    **{f"jpeg, mutation {n}": mutated(JPEG, n) for n in range(12)},
    **{f"png, mutation {n}": mutated(PNG, n) for n in range(12)},
}


def facts(answer):
    """What decides: verdict, reason, logit, size, hash and origin."""
    names = ("verdict", "reason", "logit", "width_px", "height_px", "sha256", "origin")
    values = answer | {"origin": (answer["provenance"] or {}).get("sentence")}
    return {name: values[name] for name in names}


@pytest.fixture(scope="module")
def expected():
    """The shell's answers, from files' bytes."""
    named = [Named(name, data) for name, data in FILES.items()]
    answers = answer_all(named, Stub(), Options(), background=Background())
    return {each.name: facts(each.to_dict()) for each in answers}


def test_there_is_something_to_compare(expected):
    verdicts = [each["verdict"] for each in expected.values()]
    assert verdicts.count("unreadable") >= 15
    assert len(verdicts) - verdicts.count("unreadable") >= 12
    assert all(
        bool(each["reason"]) == (each["verdict"] == "unreadable")
        for each in expected.values()
    )


def test_the_service_gives_them(expected):
    with served(files=len(FILES), queue=len(FILES), stability=True) as client:
        status, _, reply = client.predict(*form(*FILES.items()), query="")
        alone = client.predict(FILES["jpeg"], {"Content-Type": "image/png"}, query="")
    assert status == 200
    assert {each["name"]: facts(each) for each in reply["answers"]} == expected
    assert facts(alone[2]["answers"][0]) == expected["jpeg"]


def test_the_app_gives_them(expected):
    pytest.importorskip("streamlit")
    from kerasfaces.serve.app import shared, uploads
    from kerasfaces.serve.app.settings import Settings

    one = shared.Loaded(Stub(), Background())
    given = {}
    for name, data in FILES.items():
        answer = uploads.refusal(name, data, Settings())
        answer = answer or one.answer(Named(name, data), Options())
        uploads.thumbnail(Named(name, data), 900)
        given[name] = facts(answer.to_dict())
    assert given == expected
