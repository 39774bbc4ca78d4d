"""From runs to Streamlit's command: what is refused, and what is switched off."""

import json
import socket
from pathlib import Path

import pytest

from kerasfaces.cli.app import main
from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.serve.app import launch, sample_detector, settings

POINT = read_json(sample_detector.FILE.with_suffix(".json"))["operating_point"]


def finished(folder, **files):
    folder.mkdir(parents=True)
    write_json(folder / "operating_point.json", POINT)
    for name, content in files.items():
        write_json(folder / f"{name}.json", content)
    return folder


def test_a_folder_of_runs_stands_for_its_detectors(tmp_path):
    a, b = finished(tmp_path / "runs/a"), finished(tmp_path / "runs/b")
    finished(tmp_path / "runs/joined", ensemble={})
    assert launch.run_folders([str(tmp_path / "runs"), str(a)]) == (str(a), str(b))


def test_what_is_no_run_is_one_sentence(tmp_path):
    finished(tmp_path / "others/joined", ensemble={})
    with pytest.raises(InputError, match="no detector's run, but joined"):
        launch.run_folders([str(tmp_path / "others")])
    with pytest.raises(KerasfacesError, match="no run folder itself"):
        launch.run_folders([str(tmp_path)])
    with pytest.raises(KerasfacesError, match="no folder"):
        main([str(tmp_path / "nowhere")])


def test_the_command_sends_no_statistics_and_shows_no_traceback():
    pytest.importorskip("streamlit")
    words = launch.command(settings.Settings(upload_mb=7), "127.0.0.1", 0)
    options = dict(zip(words[5:-2:2], words[6:-2:2], strict=True))
    assert options["--browser.gatherUsageStats"] == "false"
    assert options["--client.showErrorDetails"] == "none"
    assert options["--server.maxUploadSize"] == "7"
    assert json.loads(words[-1])["runs"] == []
    assert Path(words[4]).is_file()


def test_a_taken_port_is_one_sentence():
    pytest.importorskip("streamlit")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"listen at 127.0.0.1:{port}"):
            launch.command(settings.Settings(), "127.0.0.1", port)
    with pytest.raises(InputError, match="cannot listen at"):
        launch.command(settings.Settings(), "127.0.0.1", 99999999)


def test_the_shipped_head_says_what_it_is():
    about = read_json(sample_detector.FILE.with_suffix(".json"))
    point = OperatingPoint.from_json(about["operating_point"], "shipped")
    assert point.n_real == about["trained_on"]["val"]["real"]["simulated_camera"]
    assert about["licence"] == "Apache-2.0"


def test_a_damaged_head_is_one_sentence(monkeypatch, tmp_path):
    damaged = tmp_path / "sample_head.npz"
    damaged.write_bytes(b"0")
    write_json(damaged.with_suffix(".json"), {"sha256": "0" * 64})
    monkeypatch.setattr(sample_detector, "FILE", damaged)
    with pytest.raises(InputError, match="install kerasfaces again"):
        sample_detector.folder()


@pytest.mark.slow
@pytest.mark.tf
def test_the_sample_s_detector_is_a_run_like_any_other():
    from kerasfaces.run.folder import DetectorRun

    folder = sample_detector.folder()
    run = DetectorRun.open(folder)
    assert "simulated_camera" in run.trained_on()
    assert run.network.load().count_params() > 0
    before = (folder / "model.keras").stat().st_mtime_ns
    from kerasfaces.serve.answer import Options
    from kerasfaces.serve.background import Background
    from kerasfaces.serve.exported import ExportedDetector

    background = Background.of(ExportedDetector.open(folder, engine="keras"))
    for stability in (
        True,
        False,
    ):  # another file of the network, measured all the same
        rates = background.error_rates(Options(stability=stability))
        assert rates["measured"]
        assert (rates["n_real"], rates["n_fake"]) == (92, 92)
    assert sample_detector.folder() == folder
    assert (folder / "model.keras").stat().st_mtime_ns == before
