"""The map's page in Chromium: 20,000 points, hover, search, lasso, keyboard."""

import numpy as np
import pytest

from kerasfaces.embed import page, thumbnails

pytestmark = pytest.mark.slow
N = 20_000


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        try:
            chromium = started.chromium.launch(
                executable_path=_chromium(),
                args=["--no-sandbox", "--disable-dev-shm-usage"],
            )
        except playwright.Error as error:
            pytest.skip(f"no Chromium: {error}")
        yield chromium
        chromium.close()


def _chromium():
    import shutil

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium here")
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A page of 20,000 points in islands, 2,000 of them with a noisy thumbnail."""
    random = np.random.default_rng(0)
    centres = random.uniform(-10, 10, (40, 2))
    island = random.integers(0, 40, N)
    points = centres[island] + random.normal(0, 0.4, (N, 2))
    side = thumbnails.SIDE_PX
    coarse = random.integers(0, 255, (40 * 6, 50 * 6, 3), np.uint8)
    sheet = coarse.repeat(side // 6, 0).repeat(side // 6, 1)
    columns = {
        "label": ["fake" if each % 2 else "real" for each in island],
        "source": [f"source {each % 7}" for each in island],
        "cluster": [f"cluster {each}" for each in island],
    }
    text = page.page(
        "faces",
        points,
        columns,
        [f"photos/<b>{at:05d}.jpg" for at in range(N)],
        sentences=["A map of islands."],
        sheet=thumbnails.as_address(sheet),
        drawn=range(2000),
        side_px=side,
    )
    file = tmp_path_factory.mktemp("page") / "map.html"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def shown(browser, written):
    problems = []
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on(
        "console",
        lambda text: problems.append(text.text) if text.type == "error" else None,
    )
    tab.goto(written.as_uri())
    _wait_until_drawn(tab, 0)
    yield tab
    assert problems == []
    tab.close()


def _wait_until_drawn(tab, n):
    """Wait for more than n frames; Playwright's own wait evaluates text, against the policy."""
    for _ in range(200):
        if tab.evaluate("(window.mapTimes || []).length") > n:
            return
        tab.wait_for_timeout(50)
    raise AssertionError(f"no more than {n} frames in 10 s")


def test_twenty_thousand_points_move_smoothly(shown):
    box = shown.locator("#map").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    shown.mouse.move(*middle)
    shown.evaluate("window.mapTimes.length = 0")
    shown.mouse.down()
    for step in range(40):
        shown.mouse.move(middle[0] + 3 * step, middle[1] + 2 * step)
    shown.mouse.up()
    for step in range(20):
        shown.mouse.wheel(0, -40 if step % 2 else 40)
        shown.wait_for_timeout(20)
    times = shown.evaluate("window.mapTimes")
    assert len(times) > 20
    summary = f"{len(times)} frames, 95 % within {np.quantile(times, 0.95):.1f} ms"
    assert np.median(times) < 33, (
        summary
    )  # 30 frames a second, drawn by the processor alone


def test_search_and_lasso_list_the_files(shown):
    shown.fill("#search", "00012")
    assert shown.locator("#count").inner_text() == "1 of 20,000"
    assert shown.input_value("#chosen") == "photos/<b>00012.jpg"
    shown.fill("#search", "source 3")
    n = len(shown.input_value("#chosen").splitlines())
    assert 1000 < n < 6000
    shown.fill("#search", "")
    assert shown.locator("#count").inner_text() == "none"
    shown.click("#lasso")
    box = shown.locator("#map").bounding_box()
    left, top = box["x"] + 5, box["y"] + 5
    right, low = left + box["width"] - 10, top + box["height"] - 10
    shown.mouse.move(left, top)
    shown.mouse.down()
    for x, y in ((right, top), (right, low), (left, low)):
        shown.mouse.move(x, y, steps=4)
    shown.mouse.up()
    assert shown.locator("#count").inner_text() == "20,000 of 20,000"
    assert shown.input_value("#chosen").splitlines()[0] == "photos/<b>00000.jpg"
    shown.click("#reset")
    assert shown.locator("#count").inner_text() == "none"


def test_hover_names_the_image_and_keys_move_the_map(shown):
    box = shown.locator("#map").bounding_box()
    hidden = True
    for step in range(60):
        shown.mouse.move(box["x"] + 200 + 7 * step, box["y"] + 300)
        hidden = shown.locator("#tip").is_hidden()
        if not hidden:
            break
    assert not hidden
    text = shown.locator("#tip-text").inner_text()
    assert text.startswith("photos/<b>")
    assert "label: " in text
    shown.focus("#map")
    n = shown.evaluate("window.mapTimes.length")
    for key in ("ArrowLeft", "+", "-", "0"):
        shown.keyboard.press(key)
    _wait_until_drawn(shown, n)
    shown.select_option("#by", "cluster")
    assert shown.locator("#legend li").count() == 40


def test_two_thousand_thumbnails_take_five_megabytes_at_most(written):
    assert written.stat().st_size < 5e6


def test_a_phone_has_no_sideways_scroll(browser, written):
    tab = browser.new_page(viewport={"width": 390, "height": 800})
    tab.goto(written.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.close()
