"""The page's resize and crops are Pillow's, and its verdicts ours, byte for byte."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image
from tiny_runs import operating_point

from kerasfaces import images
from kerasfaces.images.limits import Limits
from kerasfaces.metrics import Platt
from kerasfaces.serve import browser

HERE = Path(browser.__file__).parent
SPECS = [
    images.InputSpec(size_px=size, crop=crop, filter=name)
    for size, crop, name in (
        (32, "square", "bicubic"),
        (48, "none", "bicubic"),
        (64, "square", "lanczos"),
        (40, "none", "lanczos"),
        (33, "square", "bilinear"),
        (50, "none", "bilinear"),
        (37, "square", "nearest"),
        (64, "none", "nearest"),
    )
] + [images.InputSpec(size_px=40, crops=count) for count in (1, 5, 9)]
SIZES = [(200, 150), (64, 64), (37, 90), (20, 31), (301, 48), (13, 7), (64, 200)]


def spec_and_size(case):
    return case["spec"], case["picture"]["width"], case["picture"]["height"]


@pytest.fixture
def node(tmp_path):
    """Run an expression after the page's scripts, on a JSON value; return its JSON."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no Node.js here")

    def run(names, expression, value):
        source = "\n".join((HERE / name).read_text() for name in names)
        script = tmp_path / "script.js"
        script.write_text(
            f"{source}\nconst given = JSON.parse(require('fs').readFileSync(0));\n"
            f"console.log(JSON.stringify({expression}));\n"
        )
        done = subprocess.run(
            [program, script],
            input=json.dumps(value),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return run


def test_pixels_are_pillow_s(node):
    random = np.random.default_rng(0)
    cases, expected = [], []
    for size in SIZES:
        noise = random.integers(0, 256, (size[1], size[0], 3), np.uint8)
        noise[: size[1] // 2] = np.where(
            noise[: size[1] // 2] > 127, 255, 0
        )  # overshoots
        for spec in SPECS:
            cases.append(
                {
                    "picture": {
                        "width": size[0],
                        "height": size[1],
                        "data": noise.ravel().tolist(),
                    },
                    "spec": {
                        "size_px": spec.size_px,
                        "crop": spec.crop,
                        "filter": spec.filter,
                        "crops": spec.crops,
                    },
                    "pillow": PIL.__version__,
                }
            )
            expected.append(images.to_array(Image.fromarray(noise), spec))
    got = node(
        ["pixels.js"],
        "given.map(({picture, spec, pillow}) => { picture.data = Uint8Array.from(picture.data); "
        "const out = prepare(picture, spec, pillow); "
        "return [out.height, out.width, Array.from(out.data)]; })",
        cases,
    )
    for (height, width, data), pixels, case in zip(got, expected, cases, strict=True):
        assert (height, width) == pixels.shape[:2]
        np.testing.assert_array_equal(
            np.array(data).reshape(pixels.shape),
            pixels,
            err_msg=f"{spec_and_size(case)}",
        )


@pytest.mark.parametrize("abstain", [(0.5, 0.5), (0.3, 0.8)])
def test_verdicts_are_the_operating_point_s(node, abstain):
    point = operating_point(calibrator=Platt(1.7, -0.4), abstain=abstain)
    logits = np.linspace(-6, 6, 97)
    scores = point.apply(logits)
    edge = 0.4 / 1.7  # of the threshold, in logits
    got = node(
        ["answer.js"],
        "given.logits.map((l) => [verdictOf(l, given.point, 1e-3), "
        "scoreOf(l, given.point.calibrator)])",
        {"logits": [*logits, edge + 5e-4, edge - 5e-4], "point": point.to_json()},
    )
    assert [verdict for verdict, _ in got] == [
        *point.verdicts(scores),
        "unsure",  # nearer than an export may differ from Keras
        "unsure",
    ]
    np.testing.assert_allclose([score for _, score in got[:-2]], scores, atol=1e-12)


def test_refusals_are_those_of_predict(node):
    limits = Limits(short_side_px=48, aspect=3.125)
    sizes = [(100, 100), (47, 100), (100, 47), (48, 151), (48, 150), (151, 48)]
    got = node(
        ["answer.js"],
        "given.sizes.map(([w, h]) => [refusal(w, h, given.limits), refusal(w, h, null)])",
        {"sizes": sizes, "limits": {"short_side_px": 48, "aspect": 3.125}},
    )
    assert [one for one, _ in got] == [limits.reason(size) for size in sizes]
    assert {none for _, none in got} == {""}


def test_other_logits_than_golden_ones_are_seen(node):
    golden = {"logits": [0.5, -30.0], "limit": 1e-3}
    lists = [[0.5, -30], [0.5009, -30.02], [0.502, -30], [0.5, -30.04], [0.5, None]]
    got = node(
        ["answer.js"],
        "given.lists.map((each) => differing(each.map((x) => x ?? NaN), given.golden))",
        {"lists": lists, "golden": golden},
    )
    assert [bool(words) for words in got] == [False, False, True, True, True]
    assert got[4] == "gives NaN where the export gave -30"
