"""The app in Chromium, as people use it: the server may write no file above 2 MB.

`KERASFACES_SCREENSHOTS=DIR` keeps the pictures that the documentation shows.
"""

import contextlib
import csv
import functools
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from drawn_files import drawn_face, jpeg, noisy
from PIL import Image

from kerasfaces.serve.app import launch, settings

pytest.importorskip("streamlit")
resource = pytest.importorskip("resource", reason="limits on files are Unix's")
sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.tf,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (apt install chromium)"),
]
MOST_BYTES = 2**21  # of a file: Keras unpacks the small network into one
DESKTOP, PHONE = {"width": 1000, "height": 1150}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache with the sample's detector and its export."""
    folder = tmp_path_factory.mktemp("app-cache")
    code = (
        "from kerasfaces.serve.app import launch, settings;"
        "launch.prepare(settings.Settings())"
    )
    environment = os.environ | {"KERASFACES_CACHE": str(folder)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    return folder


@pytest.fixture(scope="module")
def address(cache):
    """A running app without a run, which cannot write an upload to disk."""
    limits = settings.Settings(upload_mb=8, megapixels=30, files=5)
    with served(limits, cache, MOST_BYTES) as url:
        yield url


@contextlib.contextmanager
def served(limits, cache, most_bytes):
    """The app in a process that may write no file above `most_bytes`."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        launch.command(limits, "127.0.0.1", port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"KERASFACES_CACHE": str(cache)},
        preexec_fn=functools.partial(
            resource.setrlimit, resource.RLIMIT_FSIZE, (most_bytes, most_bytes)
        ),
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).close()
                break
            time.sleep(0.25)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, address):
    """Return a function that opens the page as another visitor."""
    contexts = []

    def page(size=DESKTOP, at=address):
        context = browser.new_context(viewport=size, accept_downloads=True)
        contexts.append(context)
        opened = context.new_page()
        opened.asked = []
        opened.on("request", lambda request: opened.asked.append(request.url))
        opened.goto(at)
        opened.get_by_text("Drop a picture here").wait_for(timeout=40_000)
        return opened

    yield page
    for context in contexts:
        context.close()


def give(page, *files):
    """Upload files `(name, bytes)`."""
    page.locator("input[type=file]").first.set_input_files(
        [{"name": n, "mimeType": "image/jpeg", "buffer": data} for n, data in files]
    )


def verdict(page, word="Probability"):
    card = page.locator("[role=status]").filter(has_text=word)
    card.wait_for(timeout=40_000)
    return card.inner_text()


def keep(page, name):
    """Take a screenshot for the documentation, where it is asked for."""
    if folder := os.environ.get("KERASFACES_SCREENSHOTS"):
        page.wait_for_timeout(2000)
        data = page.screenshot()
        image = Image.open(io.BytesIO(data)).convert(
            "P", palette=Image.Palette.ADAPTIVE
        )
        image.save(Path(folder) / f"{name}.png", optimize=True)


def test_an_upload_gets_a_verdict_and_nothing_leaves(visit, address):
    page = visit()
    give(page, ("face.jpg", drawn_face()))
    assert "Probability of AI-generated" in verdict(page)
    page.get_by_role("tab", name="Stability").click()
    page.get_by_text("laundered versions get the same verdict").wait_for()
    page.get_by_role("tab", name="Origin").click()
    keep(page, "app-desktop")
    here = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in page.asked if not url.startswith(here)] == []


def test_a_large_upload_stays_in_memory(visit):
    data = noisy(2200, 90)
    assert len(data) > 4 * 2**20  # a multipart parser's own limit is 1 MB
    page = visit()
    give(page, ("large.jpg", data))
    verdict(page)


def test_bad_files_are_sentences(visit):
    page = visit()
    give(page, ("notes.jpg", b"these are notes"))
    assert "notes.jpg: not an image" in verdict(page, "No verdict")
    give(page, ("bomb.png", jpeg(side_px=6000, kind="PNG")))
    assert "at most 30 megapixels" in verdict(page, "bomb.png")
    give(page, ("huge.jpg", b"\xff\xd8\xff" + bytes(9 * 2**20)))
    page.get_by_text("File must be 8.0MB or smaller").wait_for()
    assert page.get_by_text("Traceback").count() == 0


def test_many_pictures_become_a_csv(visit):
    page = visit()
    page.get_by_role("tab", name="Many pictures").click()
    page.get_by_text("Drop pictures here").wait_for()
    give(page, ("a.jpg", drawn_face()), ("b.jpg", jpeg()), ("c.jpg", b"nothing"))
    button = page.get_by_role("button", name="Download (CSV)")
    button.wait_for(timeout=40_000)
    keep(page, "app-many")
    with page.expect_download() as download:
        button.click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in rows] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [row["verdict"] for row in rows][2] == "unreadable"
    assert 0 <= float(rows[0]["score"]) <= 1


def test_two_visitors_at_once_see_their_own(visit):
    first, second = visit(), visit()
    give(first, ("first.jpg", drawn_face()))
    give(second, ("second.jpg", b"nothing"))
    assert "Probability" in verdict(first)
    assert "second.jpg" in verdict(second, "No verdict")
    for page, own, other in (
        (first, "first.jpg", "second.jpg"),
        (second, "second.jpg", "first.jpg"),
    ):
        page.get_by_role("tab", name="This visit").click()
        page.get_by_text(own).first.wait_for()
        assert page.get_by_text(other).count() == 0


def test_a_phone_shows_all_of_it(visit):
    page = visit(PHONE)
    give(page, ("face.jpg", drawn_face()))
    verdict(page)
    page.wait_for_timeout(1000)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    page.locator("[role=status]").filter(
        has_text="Probability"
    ).scroll_into_view_if_needed()
    keep(page, "app-phone")


def test_the_keyboard_is_enough(visit):
    page = visit()
    tab = page.get_by_role("tab", name="One picture")
    for _ in range(20):
        page.keyboard.press("Tab")
        if tab.evaluate("element => element === document.activeElement"):
            break
    else:
        pytest.fail("the tabs cannot be reached by the keyboard")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_text("Drop pictures here").wait_for()


def test_where_the_score_comes_from(visit):
    page = visit()
    give(page, ("face.jpg", drawn_face()))
    verdict(page)
    page.get_by_role("tab", name="Where").click()
    page.get_by_role("button", name="Compute the map").click()
    image = page.get_by_alt_text("the picture, coloured by what speaks")
    image.wait_for(timeout=180_000)
    assert image.evaluate("element => element.naturalWidth") >= 320
    page.get_by_text("beats").and_(page.get_by_text("of 5; re-drawn head")).wait_for()
    assert page.get_by_text("Traceback").count() == 0


def test_channels_of_a_channel_run(visit, carried_run, cache):
    limits = settings.Settings(runs=(str(carried_run),))
    launch.prepare(limits)
    with served(limits, cache, 64 * MOST_BYTES) as url:
        page = visit(at=url)
        give(page, ("face.jpg", drawn_face()))
        verdict(page)
        page.get_by_role("tab", name="Channels").click()
        page.get_by_role("button", name="Compute the channels").click()
        for name in ("lnp_red", "lnp_green", "lnp_blue", "amplitude", "phase"):
            image = page.get_by_alt_text(name, exact=True)
            image.wait_for(timeout=120_000)
            assert image.evaluate("element => element.naturalWidth") == 32
        keep(page, "app-channels")
        tabs = page.get_by_role("tab").all_inner_texts()
        assert "Where" not in tabs  # its maps do not lie on the picture
        assert page.get_by_text("Traceback").count() == 0


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """axe-core's script, from npm."""
    folder = tmp_path_factory.mktemp("axe")
    if not shutil.which("npm"):
        pytest.skip("no npm here, which brings axe-core")
    command = ["npm", "install", "--prefix", str(folder), "axe-core@4"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("axe-core cannot be had from npm here")
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    return script.read_text(encoding="utf-8")


def test_axe_finds_no_serious_fault(visit, axe):
    page = visit()
    give(page, ("face.jpg", drawn_face()))
    verdict(page)
    faults = []
    names = page.get_by_role("tab").all_inner_texts()
    assert {"One picture", "Many pictures", "This visit", "The detector"} < set(names)
    for name in reversed(names):  # those of the verdict first
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(1500)
        page.locator("[data-test-script-state=notRunning]").wait_for(timeout=60_000)
        page.wait_for_timeout(500)  # what was pale while the script ran is no more
        page.evaluate(axe)
        for each in page.evaluate("axe.run()")["violations"]:
            if each["impact"] in ("serious", "critical"):
                faults.append((name, each["id"], each["nodes"][0]["html"][:200]))
    assert faults == []
