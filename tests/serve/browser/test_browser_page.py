"""The page: what it holds, where its runtime comes from, and its answers in Chromium."""

import base64
import contextlib
import hashlib
import html
import json
import re
import shutil
import socket
import tarfile

import numpy as np
import pytest
from PIL import Image

from kerasfaces.cli.export import main
from kerasfaces.core.errors import InputError, MissingExtraError, MissingFileError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.serve import browser
from kerasfaces.serve.browser import runtime as runtimes


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A folder with a runtime that is none, and its hashes as the expected ones."""
    folder = tmp_path / "ort"
    folder.mkdir()
    script = b"var a=1;export{a as InferenceSession,a as env};\n//# sourceMappingURL=x"
    for name, data in ((runtimes.SCRIPT, script), (runtimes.WASM, b"wasm")):
        (folder / name).write_bytes(data)
        monkeypatch.setitem(runtimes.SHA256, name, hashlib.sha256(data).hexdigest())
    return folder


@pytest.mark.tf
def test_the_page_carries_everything_and_may_connect_to_nothing(
    run, stand_in, tmp_path, capsys
):
    pytest.importorskip("tf2onnx")
    target = tmp_path / "page"
    words = [str(run), "--format", "browser", "--runtime", str(stand_in)]
    assert main([*words, "-o", str(target)]) == 0
    page = target / "index.html"
    assert capsys.readouterr().out.startswith(f"{page}\none page of ")
    assert {file.name for file in target.iterdir()} == {
        "index.html",
        "export.json",
        "onnxruntime-web-LICENSE.txt",
    }
    text = page.read_text(encoding="utf-8")
    policy = html.unescape(re.search(r'Policy" content="([^"]*)"', text)[1])
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules) == {
        *("default-src", "script-src", "style-src", "base-uri", "form-action")
    }
    for rule, tag in (("script-src", 'script type="module"'), ("style-src", "style")):
        inline = re.search(rf"<{tag}>(.*?)</", text, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules[rule]
        assert "unsafe-inline" not in rules[rule]
    assert not re.search(r'\b(src|href)="', text)
    about = json.loads(re.search(r'id="about">(.*?)</script>', text, re.S)[1])
    note = read_json(run / "exports" / "onnx" / "export.json")
    assert about["operating_point"] == note["operating_point"]
    assert len(about["golden"]["logits"]) == 3
    assert str(run.parent) not in text
    before = page.stat().st_mtime_ns
    assert main([*words, "-o", str(target)]) == 0
    assert page.stat().st_mtime_ns == before
    page.write_text(text[:-10])
    assert main([*words, "-o", str(target)]) == 0
    assert page.read_text(encoding="utf-8") == text


def test_a_browser_makes_no_mask_and_knows_no_other_policy(channel_run, run):
    with pytest.raises(InputError, match=r"has no page: it judges .* mask 'ellipse'"):
        browser.write_page(channel_run)
    spec = read_json(run / "input_spec.json")
    write_json(run / "input_spec.json", spec | {"faces": "each"})
    with pytest.raises(InputError, match=r"input_spec\.json asks for \(faces\)"):
        browser.write_page(run)


def test_the_runtime_is_fetched_once(stand_in, tmp_path, monkeypatch):
    archive = tmp_path / "made.tgz"
    with tarfile.open(archive, "w:gz") as made:
        for name in runtimes.SHA256:
            made.add(stand_in / name, f"package/dist/{name}")
    npm, calls = tmp_path / "bin" / "npm", tmp_path / "calls"
    npm.parent.mkdir()
    npm.write_text(
        f'#!/bin/sh\necho "$@" >> {calls}\n'
        f"cp {archive} onnxruntime-web-{runtimes.VERSION}.tgz\n"
    )
    npm.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(npm))
    first = runtimes.files()
    assert first == runtimes.files() == runtimes.files(archive)
    (line,) = calls.read_text().splitlines()
    assert line.startswith(f"pack onnxruntime-web@{runtimes.VERSION} ")
    npm.write_text("#!/bin/sh\necho 'npm error network' >&2\nexit 1\n")
    monkeypatch.setenv("KERASFACES_CACHE", str(tmp_path / "empty"))
    with pytest.raises(
        MissingExtraError, match=r"fails \(npm error network\).*runtime"
    ):
        runtimes.files()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"npm.* is not installed.*--runtime"):
        runtimes.files()
    assert not (tmp_path / "empty").exists()


def test_another_runtime_is_refused(stand_in, tmp_path):
    (stand_in / runtimes.WASM).write_bytes(b"other")
    with pytest.raises(InputError, match=r"wasm of .* is not that of onnxruntime-web"):
        runtimes.files(stand_in)
    with pytest.raises(MissingFileError, match="does not hold ort"):
        runtimes.files(tmp_path)
    (tmp_path / "x.tgz").write_bytes(b"no archive")
    for path in (tmp_path / "x.tgz", tmp_path / "none"):
        with pytest.raises(MissingFileError, match="is no archive of onnxruntime-web"):
            runtimes.files(path)


def test_runtime_is_the_page_s_alone(run):
    with pytest.raises(InputError, match="--runtime goes with --format browser only"):
        main([str(run), "--format", "onnx", "--runtime", "x"])


@pytest.fixture
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright here")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium here")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def onnxruntime_web(tmp_path_factory):
    """A folder with the real runtime, by npm."""
    folder = tmp_path_factory.mktemp("runtime")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERASFACES_CACHE", str(folder))
        try:
            runtimes.files()
        except MissingExtraError as error:
            pytest.skip(str(error))
    return next(folder.iterdir())


@pytest.fixture
def page_of(tmp_path, onnxruntime_web):
    """Return a function that writes a run's page."""
    pytest.importorskip("tf2onnx")
    return lambda run: browser.write_page(run, tmp_path / "page", onnxruntime_web)[0]


@pytest.fixture
def page_file(run, page_of):
    return page_of(run)


def answers(page, files):
    """Return the page's rows for files: verdict, logit (None without), reason."""
    page.set_input_files("#files", files)
    rows = page.locator("#answers tr[data-verdict]")
    rows.nth(len(files) - 1).wait_for(timeout=60_000)
    found = {}
    for at in range(len(files)):
        cells = rows.nth(at).locator("td").all_inner_texts()
        logit = rows.nth(at).get_attribute("data-logit")
        found[cells[0]] = cells[1], logit and float(logit), cells[4]
    return found


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize(
    ("kind", "limit", "black_px", "reason"),
    [
        ("run", 1e-4, 9, "too small to judge"),
        ("carried_run", 1e-3, 90, "the detector gives no finite logit"),
    ],
)
def test_chromium_answers_as_predict(
    kind, limit, black_px, reason, request, chromium, page_of, tmp_path
):
    from kerasfaces.run.predictor import Predictor

    run = request.getfixturevalue(kind)
    page_file = page_of(run)
    random = np.random.default_rng(0)
    files = []
    for number, (width, height) in enumerate(
        [(90, 70), (40, 61), (200, 200), (33, 80)]
    ):
        pixels = random.integers(0, 256, (height, width, 3), np.uint8)
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels).save(files[-1])
    bad = tmp_path / "bad.png"
    bad.write_bytes(files[0].read_bytes()[:500])
    black, text = tmp_path / "black.png", tmp_path / "text.jpg"
    Image.new("RGB", (black_px, black_px)).save(black)
    text.write_text("<svg onload=alert(1)>")
    others = [bad, black, text]
    expected, reasons = Predictor(run).logits([*files, *others])
    page = chromium.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(page_file.as_uri())
    page.wait_for_selector("body[data-state=ready]", timeout=60_000)
    got = answers(page, [str(file) for file in [*files, *others]])
    logits = [got[file.name][1] for file in files]
    assert np.ptp(logits) > 10 * limit  # it tells pictures apart
    np.testing.assert_allclose(logits, expected[: len(files)], atol=limit)
    assert got["black.png"][2].startswith(reason)
    assert kind == "carried_run" or got["black.png"][2] == reasons[-2]
    assert "not an image, damaged" in got["text.jpg"][2]
    assert {got[file.name][0] for file in others} == {"unreadable"}
    assert asked == [page_file.as_uri()]
    assert complaints == []
    page.close()


@pytest.mark.slow
@pytest.mark.tf
def test_chromium_lets_nothing_out(chromium, page_file):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = []
    for each in listeners:
        each.settimeout(0.5)
        addresses.append(f"http://127.0.0.1:{each.getsockname()[1]}")
    page = chromium.new_page()
    page.goto(page_file.as_uri())
    page.wait_for_selector("body[data-state=ready]", timeout=60_000)
    refused = page.evaluate(
        """async ([address, other]) => {
          const seen = [];
          document.addEventListener("securitypolicyviolation",
            (event) => seen.push(event.effectiveDirective));
          await fetch(address + "/fetch", {method: "POST"}).catch(() => null);
          navigator.sendBeacon(address + "/beacon", "x");
          new Image().src = address + "/image";
          const form = document.body.appendChild(document.createElement("form"));
          form.action = other + "/form";
          form.submit();
          await new Promise((done) => setTimeout(done, 500));
          return seen;
        }""",
        addresses,
    )
    assert {"connect-src", "img-src", "form-action"} <= set(refused)
    with listeners[0], pytest.raises(TimeoutError):
        listeners[0].accept()  # not even a connection
    # For a form Chromium opens one before it refuses it: no byte goes over it.
    with (
        listeners[1],
        contextlib.suppress(TimeoutError),
        listeners[1].accept()[0] as one,
    ):
        one.settimeout(0.5)
        assert one.recv(1) == b""
    assert page.url == page_file.as_uri()
    page.close()


@pytest.mark.slow
@pytest.mark.tf
def test_chromium_refuses_a_page_whose_golden_logits_differ(chromium, page_file):
    text = page_file.read_text(encoding="utf-8")
    changed = re.sub(r'"logits": \[[-0-9.e]+', '"logits": [7.5', text)
    assert changed != text
    page_file.write_text(changed, encoding="utf-8")
    page = chromium.new_page()
    page.goto(page_file.as_uri())
    page.wait_for_selector("body[data-state=failed]", timeout=60_000)
    said = page.locator("#state").inner_text()
    assert "cannot judge pictures here: this browser gives" in said
    assert page.locator("#files").is_disabled()
    page.close()
