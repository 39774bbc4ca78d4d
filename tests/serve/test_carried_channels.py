"""Exports that make the channels of a run: pixels go in, whatever the run judges."""

import subprocess
import sys

import numpy as np
import pytest

from kerasfaces import images
from kerasfaces.core.files import read_json, write_json
from kerasfaces.serve import carried_channels, engine_choice, opening
from kerasfaces.serve.exported import ExportedDetector
from kerasfaces.serve.formats import litert, onnx, openvino, savedmodel

pytestmark = pytest.mark.tf


def small_graph(nodes, inputs, outputs):
    from onnx import TensorProto, helper

    def ends(parts):
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in parts.items()
        ]

    made = [helper.make_node(op, given, [name]) for op, given, name in nodes]
    graph = helper.make_graph(made, "g", ends(inputs), ends(outputs))
    opsets = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def test_joined_graphs_give_a_logit_and_the_channels_doubt():
    import onnxruntime

    channels = small_graph(
        [
            ("Mul", ["image", "image"], "channels"),
            ("ReduceSum", ["image"], "sum"),
            ("Log", ["sum"], "log"),  # NaN where the sum is negative
            ("Sub", ["log", "log"], "doubt"),
        ],
        {"image": ["n", 3]},
        {"channels": ["n", 3], "doubt": [1, 1]},
    )
    network = small_graph(
        [("ReduceSum", ["image"], "logit")], {"image": ["n", 3]}, {"logit": [1, 1]}
    )
    joined = onnx._joined(channels, network)
    session = onnxruntime.InferenceSession(joined.SerializeToString())
    given = np.array([[1, 2, 3]], np.float32)
    assert session.run(["logit"], {"image": given})[0].item() == 14
    assert np.isnan(session.run(["logit"], {"image": -given})[0]).all()


def test_only_formats_that_join_carry_and_no_mask_is_carried(channel_run):
    from kerasfaces.run.folder import DetectorRun

    def carried():
        run = DetectorRun(channel_run)
        forms = (onnx, openvino, litert, savedmodel)
        return [carried_channels.is_carried(run, form) for form in forms]

    assert carried() == [False] * 4
    file = channel_run / "input_spec.json"
    spec = read_json(file)
    spec["channel_recipe"]["config"]["mask"] = "none"
    write_json(file, spec)
    assert carried() == [True, True, False, False]


def test_an_export_that_takes_channels_is_made_again(channel_run, monkeypatch):
    from kerasfaces.run.folder import DetectorRun

    spec = read_json(channel_run / "input_spec.json")
    content = {"layout": opening.LAYOUT, "input_spec": spec}
    content["source"] = {
        "sha256": images.sha256((channel_run / "model.keras").read_bytes())
    }
    file = channel_run / "exports" / "onnx" / opening.DESCRIPTION
    run = DetectorRun(channel_run)
    for makes_channels in (False, True):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, content | ({"makes_channels": True} if makes_channels else {}))
        assert engine_choice._is_current(run, "onnx") is makes_channels


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_pixels_are_judged_as_stage_and_keras_do(carried_run, test_rows, engine):
    detector = ExportedDetector.open(carried_run, engine=engine)
    assert detector.engine == engine
    spec = detector.input_spec
    pixels = np.stack([images.load_array(file, spec) for file in test_rows[0][:4]])
    want = ExportedDetector.open(carried_run, engine="keras").logits(pixels)
    assert np.ptp(want) > 0.1  # it tells pictures apart
    alone = ExportedDetector.open(carried_run, engine=engine, keras=False)
    np.testing.assert_allclose(alone.logits(pixels), want, rtol=1e-3, atol=1e-3)
    assert np.isnan(alone.logits(np.full_like(pixels[:1], 3))).all()
    kind = engine_choice.FORMATS[engine]
    content = read_json(carried_run / "exports" / kind / opening.DESCRIPTION)
    assert content["input"]["channels"] == ["red", "green", "blue"]
    assert max(content["parity"]["worst_by_batch"].values()) <= 1e-3
    code = (
        "import sys; from kerasfaces.cli.predict import main\n"
        "from kerasfaces.serve.reference import Reference\n"
        "Reference.is_here = staticmethod(lambda run: False)\n"
        "code = main(sys.argv[1:])\n"
        "assert not {'keras', 'tensorflow', 'torch'} & sys.modules.keys()\n"
        "sys.exit(code)"
    )
    words = [str(carried_run), str(test_rows[0][0]), "--quick", "--engine", engine]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True)
    assert done.returncode in (0, 3, 4), done.stderr.decode()
