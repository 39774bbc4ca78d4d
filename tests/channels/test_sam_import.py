import importlib.util
import subprocess
import sys

import pytest

from kerasfaces.channels.networks import sam_import
from kerasfaces.core.errors import MissingExtraError

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("package", ["segment_anything", "mobile_sam"])
def test_no_stand_in_is_left_behind(run_python, package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    code = (
        "import sys; from kerasfaces.channels.networks import sam_import;"
        f"module, version = sam_import.load({package!r});"
        "left = [m for m in sys.modules if m.split('.')[0] in ('torchvision', 'timm')"
        " and getattr(sys.modules[m], '__file__', None) is None];"
        "print(module.__name__, bool(module.sam_model_registry), left)"
    )
    assert run_python(code).strip() == f"{package} True []"


def test_a_torchvision_that_works_is_used(tmp_path):
    for name, text in {
        "__init__": "",
        "transforms/__init__": "",
        "transforms/functional": "resize = to_pil_image = 'the real one'",
        "ops/__init__": "",
        "ops/boxes": "batched_nms = box_area = 'the real one'",
    }.items():
        path = tmp_path / "torchvision" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert _resize_with(tmp_path) == "the real one torchvision"


def test_a_torchvision_for_another_torch_is_stood_in_for(tmp_path):
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    assert _resize_with(tmp_path).startswith("<function")


def _resize_with(folder):
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r});"
        "from kerasfaces.channels.networks import sam_import; sam_import.load("
        "'segment_anything'); from segment_anything.utils import transforms;"
        "print(transforms.resize, *[m for m in sys.modules if m == 'torchvision'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_stand_in_that_is_called_says_so():
    modules = sam_import._torchvision()
    with pytest.raises(MissingExtraError, match=r"functional\.resize was called"):
        modules["torchvision.transforms.functional"].resize(1)


def test_the_package_missing(monkeypatch):
    monkeypatch.setitem(sam_import._DISTRIBUTIONS, "segment_anything", "no-such-thing")
    with pytest.raises(MissingExtraError, match="pip install no-such-thing"):
        sam_import.load("segment_anything")
