"""The app answers fast: a verdict on the screen within 1.5 s of an upload, once warm."""

import contextlib
import io
import logging
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from benchmarks.framework import timing

logger = logging.getLogger("benchmarks.app")
LIMIT_S = 1.5
SIDE_PX = 1024


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the row: the limit over the seconds from upload to verdict; none without a browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        logger.warning("not run: there is no Chromium or no playwright here")
        return []
    repeats = 2 if quick else 9
    with _server() as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.get_by_text("Drop a picture here").wait_for(timeout=180_000)
        seconds = [_elapsed_s(page, number) for number in range(repeats + 2)]
        browser.close()
    ratios = [LIMIT_S / each for each in seconds[2:]]  # the first ones warm it
    what = (
        f"{LIMIT_S} s / seconds from the upload of a {SIDE_PX} px JPEG to the verdict on the "
        "screen of headless Chromium, which shares the cores: the sample's detector, all of "
        "the answer (origin, faces, stability), once warm"
    )
    return [timing.row("app_verdict", ratios, 1.0, what)]


def _elapsed_s(page: Any, number: int) -> float:
    """Upload another picture, and wait for its name and verdict."""
    name = f"face-{number}.jpg"
    file = {"name": name, "mimeType": "image/jpeg", "buffer": _jpeg(number)}
    started = time.perf_counter()
    page.locator("input[type=file]").first.set_input_files([file])
    page.get_by_test_id("stCaptionContainer").filter(has_text=name).wait_for()
    page.locator("[role=status]").filter(has_text="Probability").wait_for()
    return time.perf_counter() - started


def _jpeg(number: int) -> bytes:
    """Return a drawn face of the sample, enlarged."""
    from PIL import Image

    from kerasfaces.sample import pair
    from kerasfaces.sample.decoders import DECODERS

    decoder = next(iter(DECODERS.values()))
    photo, _ = pair.make_pair(11, number, decoder, SIDE_PX // 4)
    image = Image.fromarray(photo).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@contextlib.contextmanager
def _server() -> Iterator[str]:
    """Serve the app with the sample's detector; yield its address."""
    from kerasfaces.serve.app import launch
    from kerasfaces.serve.app.settings import Settings

    launch.prepare(Settings())
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        launch.command(Settings(), "127.0.0.1", port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=5).close()
                break
            time.sleep(0.25)
        yield address
    finally:
        process.terminate()
        process.wait(20)
