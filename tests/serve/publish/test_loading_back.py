"""`hf://OWNER/NAME@REVISION` -> a run folder, by hash, with nothing executed."""

import json

import pytest

from kerasfaces.core.errors import InputError, KerasfacesError, RunError
from kerasfaces.core.files import sha256
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.publish import address, fetch
from kerasfaces.serve.publish.upload import publish

REPO = "somebody/face-detector"


@pytest.fixture
def published(finished, hub):
    return publish(finished, REPO)


def change(hub, name, content):
    """Put another file into the repository without a word in published.json."""
    _, files = hub.files(REPO)
    hub.commits["model", REPO].append(("f" * 40, {**files, name: content}))


def test_addresses():
    assert address.parse("hf://a/b") == address.Address("a/b")
    assert address.parse("hf://a/b@v1.0").revision == "v1.0"
    assert address.parse(f"hf://a/b@{'0' * 40}").is_pinned
    assert not address.parse("hf://a/b@main").is_pinned
    assert fetch.local("runs/x").name == "x"
    for text in ("hf://a", "hf://a/b/c", "hf://a/b@", "hf://a/../b", "hf://a/b@x/../y"):
        with pytest.raises(InputError, match="no address of a published run"):
            address.parse(text)


def test_what_was_published_comes_back(published, finished, hub):
    folder = fetch.local(f"hf://{REPO}")
    assert sha256(folder / "model.keras") == sha256(finished / "model.keras")
    run = DetectorRun.open(folder)
    assert run.network.model.name == "mobilenetv2"
    assert (run.name, run.path.parent.name) == ("face-detector", hub.files(REPO)[0])
    assert (folder / "exports/onnx/model.onnx").is_file()
    assert not (folder / "example.py").exists()  # nothing that could be executed


def test_a_pinned_revision_needs_no_network(published, hub, monkeypatch):
    first = fetch.local(published.address)
    change(hub, "README.md", b"edited on the site")
    n_asked = len(hub.asked)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert fetch.local(published.address) == first
    assert len(hub.asked) == n_asked


def test_without_a_network_the_newest_known_is_used(published, hub, monkeypatch):
    first = fetch.local(f"hf://{REPO}")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert fetch.local(f"hf://{REPO}") == first


def test_an_edited_card_is_no_damage(published, hub):
    change(hub, "README.md", b"edited on the site")
    assert fetch.local(f"hf://{REPO}").parent.name == "f" * 40


@pytest.mark.parametrize("name", ["model.keras", "operating_point.json"])
def test_a_wrong_hash_is_refused(published, hub, name):
    change(hub, name, b"other weights")
    with pytest.raises(RunError, match=f"{name} is not the file that was published"):
        fetch.local(f"hf://{REPO}")


def test_a_copy_that_was_changed_here_is_refused(published):
    folder = fetch.local(published.address)
    (folder / "model.keras").write_bytes(b"changed")
    with pytest.raises(RunError, match=r"model\.keras is not the file"):
        fetch.local(published.address)


def listing(hub, **changes):
    content = json.loads(hub.files(REPO)[1]["published.json"])
    change(hub, "published.json", json.dumps(content | changes).encode())


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"format": 2, "kerasfaces": "9.0"}, "install the newer version"),
        ({"files": {}}, "is damaged"),
        ({"files": {"../../.bashrc": {"sha256": "0"}}}, "is no file of a run"),
        ({"files": {"setup.py": {"sha256": "0"}}}, "is no file of a run"),
        ({"files": {"exports/a/../../../x": {"sha256": "0"}}}, "is no file of a run"),
        ({"files": {"config.json": "0"}}, "is no file of a run"),
        ({"files": {"config.json": {"sha256": 5}}}, "is not the file"),
        (
            {"trained_on": {"train": {"real": "all of them"}}},
            "trained_on .* is damaged",
        ),
    ],
)
def test_a_hostile_listing_is_one_sentence(published, hub, changes, match):
    listing(hub, **changes)
    with pytest.raises(KerasfacesError, match=match):
        fetch.local(f"hf://{REPO}")


def test_what_is_not_there_is_one_sentence(published, hub):
    with pytest.raises(KerasfacesError, match="no such repository"):
        fetch.local("hf://somebody/else")
    with pytest.raises(KerasfacesError, match="no such revision"):
        fetch.local(f"hf://{REPO}@v2")
    hub.commits["model", "some/model"] = [("e" * 40, {"model.safetensors": b"1"})]
    with pytest.raises(
        KerasfacesError, match="expected what kerasfaces publish uploads"
    ):
        fetch.local("hf://some/model")


@pytest.mark.slow
@pytest.mark.tf
def test_a_published_detector_answers_as_it_did(trained, hub, tmp_path):
    import runpy
    import sys

    import pandas as pd

    import kerasfaces as kf
    from kerasfaces import manifest as manifests

    files = manifests.read(trained / "manifest.csv").files()[:3]
    own = kf.load_run(trained)
    where = own.publish(REPO, output=tmp_path / "kept")
    there = kf.load_run(where)
    expected = own.predict(files)
    pd.testing.assert_frame_equal(there.predict(files), expected)
    assert there.name == own.name
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["example.py", str(files[0])])
        runpy.run_path(str(tmp_path / "kept/model/example.py"), run_name="__main__")
