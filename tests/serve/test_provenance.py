"""What files say of their origin: signed, unsigned, tampered with, damaged."""

import io
import json
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from signed_files import CAPTURED, certificates, signed
from stub_detector import Stub

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.serve import provenance
from kerasfaces.serve.answer import answer_all

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 {attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"""


def saved(form="JPEG", **options):
    file = io.BytesIO()
    Image.effect_noise((64, 64), 40).convert("RGB").save(file, form, **options)
    return file.getvalue()


def with_xmp(attributes="", inside="", form="JPEG"):
    text = XMP.format(attributes=attributes, inside=inside)
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", text)
        return saved("PNG", pnginfo=info)
    if form == "TIFF":
        return saved("TIFF", tiffinfo={700: text.encode()})
    return saved(form, xmp=text.encode())


def with_texts(**texts):
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name.replace("__", "-"), text)
    return saved("PNG", pnginfo=info)


def with_exif(fields=(), camera=()):
    exif = Image.Exif()
    exif.update(dict(fields))
    exif.get_ifd(0x8769).update(dict(camera))
    return saved(exif=exif)


CAMERA = {0x9003: "2024:05:01 10:00:00", 0x8827: 200, 0x829A: 0.01}


def one(data, **options):
    found = provenance.read(data, **options)
    assert found["unread"] == []
    (evidence,) = found["evidence"]
    return found, evidence


@pytest.fixture
def c2pa():
    return pytest.importorskip("c2pa")


def test_a_signer_is_trusted_by_the_user_s_list_alone(c2pa):
    data = signed()
    found, evidence = one(data)
    assert (found["finding"], evidence["state"]) == ("generated", "untrusted")
    assert "no list of yours vouches" in evidence["sentence"]
    assert "made by a trained generator" in evidence["sentence"]
    assert evidence["details"]["signer"] == "Test signer"
    assert evidence["details"]["organisation"] == "Test organisation"
    assert "Some maker" in evidence["details"]["software"]
    _, evidence = one(data, trust=certificates()[2].decode())
    assert evidence["state"] == "trusted"
    found, _ = one(signed(CAPTURED))
    assert found["finding"] == "captured"


def test_a_record_without_a_source_type_is_its_parent_s(c2pa):
    found, evidence = one(signed(parent=signed()))
    assert found["finding"] == "generated"
    assert evidence["details"]["source types"] == "trainedAlgorithmicMedia"
    found, _ = one(signed(source_type="http://example.org/other"))
    assert found["finding"] == "unknown"


@pytest.mark.parametrize("at", ["pixels", "record"])
def test_a_change_after_signing_voids_what_is_said(c2pa, at):
    data = bytearray(signed())
    data[data.find(b"Some maker") if at == "record" else len(data) - 60] ^= 1
    found, evidence = one(bytes(data))
    assert evidence["state"] == "tampered"
    assert found["finding"] == evidence["finding"] == "unknown"
    assert "changed after signing" in found["sentence"]
    assert ".mismatch" in evidence["sentence"]


def test_nothing_is_fetched(c2pa, monkeypatch):
    seen = []
    real = c2pa.Context.from_dict

    def kept(given, **more):
        seen.append(given)
        return real(given, **more)

    monkeypatch.setattr(c2pa.Context, "from_dict", kept)
    provenance.read(saved())
    assert seen[0]["verify"]["remote_manifest_fetch"] is False
    assert seen[0]["verify"]["ocsp_fetch"] is False


def test_silence_means_nothing():
    for form in ("JPEG", "PNG", "WEBP", "TIFF", "GIF"):
        found = provenance.read(saved(form))
        assert found["evidence"] == found["unread"] == []
        assert found["sentence"] == provenance.NOTHING
    assert "means nothing" in provenance.NOTHING


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("trainedAlgorithmicMedia", "generated"),
        ("compositeWithTrainedAlgorithmicMedia", "edited"),
        ("digitalCapture", "captured"),
        ("somethingNew", "unknown"),
    ],
)
def test_iptc_s_source_type(form, name, finding):
    value = f"http://cv.iptc.org/newscodes/digitalsourcetype/{name}"
    for words in (
        {"attributes": f'e:DigitalSourceType="{value}"'},
        {"inside": f'<e:DigitalSourceType rdf:resource="{value}"/>'},
        {"inside": f"<e:DigitalSourceType>{value}</e:DigitalSourceType>"},
    ):
        found, evidence = one(with_xmp(form=form, **words))
        assert (evidence["kind"], found["finding"]) == ("source_type", finding)
        assert "unsigned: anyone can write it" in evidence["sentence"]


def test_iptc_s_fields_on_generators():
    found, evidence = one(with_xmp('e:AISystemUsed="Maker 3"'))
    assert found["finding"] == "generated"
    assert "Maker 3" in evidence["sentence"]


@pytest.mark.parametrize(
    ("texts", "tool"),
    [
        ({"parameters": "a face\nSteps: 20, Sampler: Euler, Seed: 1"}, "web UI"),
        ({"prompt": '{"3": {"class_type": "KSampler"}}'}, "ComfyUI"),
        ({"workflow": '{"nodes": []}'}, "ComfyUI"),
        ({"invokeai_metadata": "{}"}, "InvokeAI"),
        ({"sd__metadata": "{}"}, "InvokeAI"),
        ({"fooocus_scheme": "fooocus"}, "Fooocus"),
    ],
)
def test_generators_settings_in_png(texts, tool):
    found, evidence = one(with_texts(**texts))
    assert found["finding"] == "generated"
    assert tool in evidence["sentence"]


def test_generators_settings_in_exif():
    text = "a face\nSteps: 20, Sampler: Euler, CFG scale: 7"
    for coded in (
        b"UNICODE\0" + text.encode("utf-16-be"),
        b"UNICODE\0" + text.encode("utf-16-le"),
        b"ASCII\0\0\0" + text.encode(),
    ):
        found, evidence = one(with_exif(camera={0x9286: coded}))
        assert (found["finding"], evidence["kind"]) == ("generated", "generator_texts")
    assert provenance.read(with_texts(prompt="say cheese"))["evidence"] == []


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (lambda: with_exif({0x0131: "Adobe Photoshop 25.1"}), "edited"),
        (lambda: with_exif({0x0131: "Stable Diffusion XL"}), "generated"),
        (lambda: with_texts(Software="NovelAI"), "generated"),
        (lambda: with_xmp('xmp:CreatorTool="Midjourney"'), "generated"),
        (lambda: saved(comment=b"made with DALL-E 3"), "generated"),
    ],
)
def test_software(data, finding):
    found, evidence = one(data())
    assert (evidence["kind"], found["finding"]) == ("software", finding)


def test_a_camera_is_its_maker_and_an_exposure_and_never_a_place():
    maker = {0x010F: "Canon", 0x0110: "EOS R5"}
    found, evidence = one(
        with_exif({**maker, 0x8825: {1: "N", 2: (52.0, 30.0, 1.0)}}, CAMERA)
    )
    assert found["finding"] == "captured"
    assert "Canon EOS R5" in evidence["sentence"]
    assert evidence["details"]["ISO"] == "200"
    assert "52" not in json.dumps(evidence["details"])
    assert provenance.read(with_exif(maker))["evidence"] == []
    data = with_exif({**maker, 0x0131: "Midjourney"}, CAMERA)
    found = provenance.read(data)
    assert found["finding"] == "generated"
    assert "contradicts itself" in found["sentence"]


def test_it_is_never_mixed_into_the_score(c2pa):
    picture = Image.new("RGB", (96, 96), (20, 20, 20))
    plain = io.BytesIO()
    picture.save(plain, "JPEG")
    none, all_ = answer_all(
        [plain.getvalue(), signed(picture=picture)], Stub(), find_faces=lambda _: ()
    )
    assert none.provenance["finding"] == "nothing"
    assert all_.provenance["finding"] == "generated"
    assert (none.logit, none.verdict) == (all_.logit, all_.verdict)
    assert none.verdict == "real"


def test_what_is_missing_is_said_only_where_it_would_help(monkeypatch):
    pytest.importorskip("c2pa")
    data, marked = with_xmp('xmp:CreatorTool="Midjourney"'), signed()
    for module in ("c2pa", "defusedxml"):
        monkeypatch.setitem(sys.modules, module, None)
    assert provenance.read(saved())["unread"] == []
    (reason,) = provenance.read(data)["unread"]
    assert reason.startswith("XMP: defusedxml")
    (reason,) = provenance.read(marked)["unread"]
    assert "pip install 'kerasfaces[provenance]'" in reason


def test_long_and_strange_texts_are_shown_short():
    text = "x\n\x1b[31m" * 5000 + "Steps: 1, Seed: 2"
    _, evidence = one(with_texts(parameters=text))
    (value,) = evidence["details"].values()
    assert len(value) <= 160
    assert value.isprintable()


def test_entities_in_xmp_are_not_expanded():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    found = provenance.read(saved(xmp=bomb))
    assert found["evidence"] == []
    assert "damaged" in found["unread"][0]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_damaged_files_raise_nothing(c2pa, draw):
    start = draw.draw(st.sampled_from(sorted(_files())))
    data = bytearray(_files()[start])
    for _ in range(draw.draw(st.integers(1, 20))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(data)))
    for part in (bytes(data), bytes(data[:cut])):
        json.dumps(provenance.read(part), allow_nan=False)


def _files(files={}):  # noqa: B006 - made once
    if not files:
        files["c2pa"] = signed()
        files["xmp"] = with_xmp('xmp:CreatorTool="Midjourney"')
        files["png"] = with_texts(parameters="Steps: 1, Seed: 2", prompt="{}")
        files["exif"] = with_exif({0x010F: "Canon", 0x0131: "x"}, CAMERA)
    return files


def test_trust_lists(tmp_path):
    path = tmp_path / "roots.pem"
    with pytest.raises(MissingFileError, match=r"roots\.pem does not exist"):
        provenance.read_trust(path)
    for text in (
        "",
        "junk",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ):
        path.write_text(text)
        with pytest.raises(InputError, match="holds no certificates"):
            provenance.read_trust(path)
    pytest.importorskip("cryptography")
    path.write_bytes(certificates()[2])
    assert provenance.read_trust(path) == certificates()[2].decode()
