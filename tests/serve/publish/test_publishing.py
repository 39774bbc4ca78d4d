"""What leaves: the files, their card, and nothing of who made them."""

import dataclasses
import json
import os
import re
import zipfile

import pytest

from kerasfaces.cli.publish import main
from kerasfaces.core.errors import InputError, KerasfacesError, RunError
from kerasfaces.core.files import read_json, sha256, write_json
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.publish import contents, privacy
from kerasfaces.serve.publish.upload import publish

REPO = "somebody/face-detector"


@pytest.fixture(autouse=True)
def account(monkeypatch):
    monkeypatch.setattr(privacy.getpass, "getuser", lambda: "bobsmith")
    monkeypatch.setattr(privacy.socket, "gethostname", lambda: "bobs-laptop.lan")


@pytest.fixture
def written(finished, tmp_path):
    target = tmp_path / "out"
    publish(finished, REPO, with_space=True, dry_run=True, target=target)
    return target


def below(folder):
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    )


def test_the_folder_is_a_run_with_card_example_and_exports(written):
    assert below(written / "model") == [
        *("README.md", "config.json", "environment.json", "example.py"),
        *("exports/onnx/export.json", "exports/onnx/model.onnx", "format.json"),
        *("input_spec.json", "metrics.json", "model.keras", "operating_point.json"),
        "published.json",
    ]
    assert below(written / "space") == ["Dockerfile", "README.md"]
    listing = read_json(written / "model" / contents.FILE)
    for name, facts in listing["files"].items():
        assert facts["sha256"] == sha256(written / "model" / name)
    assert listing["trained_on"]["train"] == {
        "fake": {"gan|<b>": 6},
        "real": {"camera": 6},
    }
    run = DetectorRun.open(written / "model")
    assert run.operating_point.threshold == 0.5
    assert "6 real (camera) and 6 fake (gan|<b>) images" in run.trained_on()


def test_nothing_private_leaves(written, finished, tmp_path):
    """A second search, by other means than the product's own."""
    secrets = ["IMG_", "bobs-weights", "bobsmith", "bobs-laptop", "someones-run"]
    secrets += [str(tmp_path), str(finished), "host-7", "data:image", "report.html"]
    secrets += [os.path.expanduser("~"), os.getcwd()]
    for path in written.rglob("*"):
        if not path.is_file():
            continue
        parts = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                parts += map(archive.read, archive.namelist())
        for content in parts:
            for secret in secrets:
                assert secret.encode() not in content, (path.name, secret)
            assert not content.startswith((b"\xff\xd8\xff", b"\x89PNG"))
    everything = finished / "report.html"
    assert b"data:image" in everything.read_bytes()  # the search can find something


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("taken with IMG_train_3.jpg", "training file"),
        ("real/IMG_val_1.jpg", "training file"),
        ("another.png", "name of a picture"),
        ("made by bobsmith", "account or machine"),
        ("on bobs-laptop", "account or machine"),
        ("/home/bob/run", "absolute path"),
        ("C:\\\\Users\\\\bob", "absolute path"),
        ("data:image/png;base64,AA", "a picture"),
    ],
)
def test_what_is_private_is_found(finished, tmp_path, text, what):
    folder = tmp_path / "leaving"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps({"note": text}))
    secrets = privacy.Private.of(DetectorRun(finished), REPO)
    findings = list(secrets.found_below(folder))
    assert any(what in each.what for each in findings), findings
    (folder / "a.json").write_text(json.dumps({"note": f"photo.jpg in {REPO}"}))
    assert list(secrets.found_below(folder)) == []


@pytest.mark.parametrize("is_text", [True, False])
def test_a_folder_is_found_as_a_path_alone(finished, tmp_path, is_text):
    folder = tmp_path / "leaving"
    folder.mkdir()
    secrets = dataclasses.replace(
        privacy.Private.of(DetectorRun(finished), REPO), places=frozenset({"/opt"})
    )
    ending = "" if is_text else "\0"
    (folder / "a").write_text(f'"LX/optuMs+/opt9"{ending}')  # as base64 may have it
    assert list(secrets.found_below(folder)) == []
    (folder / "a").write_text(f'"from": "/opt/photos"{ending}')
    assert [each.text for each in secrets.found_below(folder)] == ["/opt"]
    (folder / "a").write_text(json.dumps(f"a line\n/opt/photos{ending}"))
    assert [each.text for each in secrets.found_below(folder)] == ["/opt"]
    secrets = dataclasses.replace(secrets, places=frozenset({"/opt/photos"}))
    (folder / "a").write_text(f"in/opt/photosets{ending}")  # no chance has so many
    assert [each.text for each in secrets.found_below(folder)] == ["/opt/photos"]


def test_a_picture_in_an_archive_is_found(finished, tmp_path, picture):
    folder = tmp_path / "leaving"
    folder.mkdir()
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("assets/a", picture)
    secrets = privacy.Private.of(DetectorRun(finished), REPO)
    assert [each.what for each in secrets.found_below(folder)] == ["a picture"]


def test_a_run_that_would_tell_is_not_published(finished, tmp_path, hub):
    audit = {"auc": 0.5, "low": 0.4, "high": 0.6, "note": "as bobsmith found"}
    write_json(finished / "audit.json", audit)
    with pytest.raises(InputError, match=r"Not published: .*audit.json holds the name"):
        publish(finished, REPO)
    write_json(finished / "audit.json", audit | {"note": ""})
    metrics = read_json(finished / "metrics.json")
    by = {"attr_gender": {"annotator": "/home/bob/labels.csv"}}
    write_json(finished / "metrics.json", metrics | {"annotators": by})
    with pytest.raises(InputError, match=r"metrics.json holds an absolute path"):
        publish(finished, REPO)
    assert hub.asked == []


def test_the_repository_may_bear_the_name_of_the_account(finished, tmp_path):
    publish(finished, "bobsmith/x", dry_run=True, target=tmp_path / "o")


def test_the_card_has_the_runs_numbers(written):
    card = (written / "model" / "README.md").read_text()
    assert "| train | fake | gan\\|&lt;b> | 6 |" in card
    assert "0.900 (0.850 to 0.950)" in card
    assert "gan\\|&lt;b>: 0.400 (0.350 to 0.450) of its fakes are called real." in card
    assert "Only 20 real images." in card
    assert "bobs-weights" not in card
    assert "has stated no licence" in card
    cards = pytest.importorskip("huggingface_hub")
    data = cards.ModelCard(card).data  # its own reading of the front matter
    assert data.license == "unknown"
    assert data.eval_results[0].metric_value == 0.9


def test_files_and_example_are_named_in_what_the_command_prints(
    finished, tmp_path, capsys
):
    words = ["--repo", REPO, "--dry-run", "-o", str(tmp_path / "out")]
    assert main([str(finished), *words, "--licence", "mit"]) == 0
    told = capsys.readouterr().out
    assert "model.keras" in told
    assert "nothing was uploaded" in told
    assert "license: mit" in (tmp_path / "out/model/README.md").read_text()
    assert main([str(finished), *words]) == 0  # again, over what it wrote itself


def test_exports_of_an_older_network_stay_here(finished, tmp_path):
    with zipfile.ZipFile(finished / "model.keras", "a") as archive:
        archive.writestr("more", b"1")
    publish(finished, REPO, dry_run=True, target=tmp_path / "out")
    assert not (tmp_path / "out/model/exports").exists()


def test_exports_with_another_threshold_stay_here_and_are_named(
    finished, tmp_path, caplog
):
    point = read_json(finished / "operating_point.json")
    write_json(finished / "operating_point.json", point | {"threshold": 0.7})
    publish(finished, REPO, dry_run=True, target=tmp_path / "out")
    model = tmp_path / "out/model"
    assert not (model / "exports").exists()
    why = "it has another threshold or calibration than the run"
    assert f"exports/onnx is left out: {why}" in caplog.text
    card = (model / "README.md").read_text()
    assert f"The onnx export is not published: {why}." in card


def test_a_browser_page_is_published_with_its_runtime(finished, tmp_path):
    page = finished / "exports/browser"
    page.mkdir()
    described = read_json(finished / "exports/onnx/export.json")
    for text in ('{HOME:"/home/web_user"}', '{HOME:"/home/web_user/of/bob"}'):
        (page / "index.html").write_text(f"<script>e={text}</script>")
        files = {"index.html": sha256(page / "index.html")}
        write_json(page / "export.json", described | {"files": files})
        if "bob" in text:
            with pytest.raises(InputError, match="holds an absolute path"):
                publish(finished, REPO, dry_run=True, target=tmp_path / "out")
        else:
            publish(finished, REPO, dry_run=True, target=tmp_path / "out")
            assert (tmp_path / "out/model/exports/browser/index.html").is_file()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"repo": "nobody"}, "expected OWNER/NAME"),
        ({"repo": "a/../b"}, "expected OWNER/NAME"),
        ({"target": None}, "needs a folder"),
        ({"licence": "my own\nlicence"}, "expected a name such as"),
    ],
)
def test_mistakes_are_one_sentence(finished, tmp_path, change, match):
    settings = {"repo": REPO, "target": tmp_path / "out"} | change
    repo = settings.pop("repo")
    with pytest.raises(KerasfacesError, match=match):
        publish(finished, repo, dry_run=True, **settings)


def test_another_folder_is_not_written_over(finished, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match=r"'thesis\.txt', which publish did not write"):
        publish(finished, REPO, dry_run=True, target=mine)
    assert below(mine) == ["thesis.txt"]


def test_an_unfinished_run_is_refused(finished, tmp_path):
    (finished / "operating_point.json").unlink()
    with pytest.raises(KerasfacesError, match="not a finished run"):
        publish(finished, REPO, dry_run=True, target=tmp_path / "out")


def test_a_network_with_code_is_not_published(finished, tmp_path):
    layer = {"module": "keras.layers", "class_name": "Lambda"}
    with zipfile.ZipFile(finished / "model.keras", "a") as archive:
        archive.writestr("config.json", json.dumps({"layers": [layer]}))
    words = ["--repo", REPO, "--dry-run", "-o", str(tmp_path / "out")]
    with pytest.raises(
        RunError, match=r"names .keras\.layers\.Lambda., which could run code"
    ):
        main([str(finished), *words])
    assert not (tmp_path / "out").exists()


def test_upload_goes_through_the_services_own_requests(finished, hub):
    publication = publish(finished, REPO, with_space=True, private=True)
    commit, files = hub.files(REPO)
    assert publication.address == f"hf://{REPO}@{commit}"
    assert sha256(finished / "model.keras") in hub.blobs
    listing = json.loads(files["published.json"])
    assert set(listing["files"]) < set(files)
    _, space = hub.files(REPO, "space")
    assert f'"hf://{REPO}@{commit}"'.encode() in space["Dockerfile"]
    created = [json.loads(b) for m, p, b in hub.asked if p == "/api/repos/create"]
    assert [each.get("type") for each in created] in (
        [None, "space"],
        ["model", "space"],
    )
    for each in created:
        assert each.get("private") or each.get("visibility") == "private", each
    sent = b"".join(body for _, _, body in hub.asked)
    assert b"IMG_" not in sent
    assert not re.search(rb"bobs?-|bobsmith", sent)


@pytest.mark.parametrize(
    ("status", "match"), [(401, "the token may not"), (403, "the token may not")]
)
def test_a_refusal_is_one_sentence(finished, hub, status, match):
    hub.refuse = status
    with pytest.raises(KerasfacesError, match=match):
        publish(finished, REPO)


def test_no_service_is_one_sentence(finished, hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"cannot be published: .*check the network"):
        publish(finished, REPO)
