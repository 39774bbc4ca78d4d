"""`evaluate --engine export`: the export's numbers beside training's."""

import numpy as np
import pytest

from kerasfaces.cli.evaluate import main
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json
from kerasfaces.run import predictions
from kerasfaces.serve.exported import ExportedDetector
from kerasfaces.serve.measured_export import evaluate_export, logits_of_files

pytestmark = pytest.mark.tf


def test_the_export_is_measured_beside_the_run(exported_run, test_rows, capsys):
    run = exported_run
    before = (run / "metrics.json").read_bytes()
    assert main([str(run), "--engine", "export"]) == 0
    told = capsys.readouterr().out
    # the tiny run's logits all lie within 1e-3 of its threshold
    assert "onnxruntime against the run's predictions: 12 images" in told
    assert "0 verdicts differ; 12 near an edge" in told
    (folder,) = (run / "evaluations").iterdir()
    assert folder.name.endswith("-test-onnxruntime")
    assert (run / "metrics.json").read_bytes() == before
    got = predictions.read(folder / "predictions_test.csv")
    _, rows = test_rows
    assert list(got["path"]) == list(rows["path"])
    np.testing.assert_allclose(got["logit"], rows["logit"], atol=1e-5)
    metrics = read_json(folder / "metrics.json")
    auc = read_json(run / "metrics.json")["metrics"]["test"]["all"]["auc"]["value"]
    assert metrics["metrics"]["test"]["all"]["auc"]["value"] == auc
    assert metrics["warnings"][0] == (
        "Logits by the run's export, on onnxruntime. Measured on the run's own manifest, its "
        "own images."
    )


def test_other_verdicts_are_counted(exported_run, monkeypatch):
    def shifted(self, pixels):
        return np.full(len(pixels), -9.0)

    monkeypatch.setattr(ExportedDetector, "logits", shifted)
    difference = evaluate_export(exported_run, engine="onnxruntime")[2]
    assert difference.n_verdicts > 0
    assert difference.worst == pytest.approx(9, abs=0.01)


def test_unreadable_files_keep_their_reasons(decided_run, test_rows, tmp_path):
    (tmp_path / "no.png").write_text("no picture")
    files = [tmp_path / "no.png", test_rows[0][0], tmp_path / "gone.png"]
    logits, reasons = logits_of_files(ExportedDetector.open(decided_run), files)
    assert np.isnan(logits).tolist() == [True, False, True]
    assert reasons == [
        "not an image, or a format Pillow cannot read",
        "",
        "file not found",
    ]


def test_keras_is_no_export(run, monkeypatch):
    monkeypatch.setattr("kerasfaces.serve.engine_choice._has", lambda name: False)
    with pytest.raises(InputError, match="no export that could be measured"):
        evaluate_export(run)
    with pytest.raises(SystemExit):
        main([str(run), "--engine", "export", "--manifest", "m", "--store", "s"])
