"""The same application as replicas on Ray Serve."""

import socket
import time

import numpy as np
import pytest
from stub_service import form, start

from kerasfaces.serve.exported import ExportedDetector

pytest.importorskip("ray.serve")
pytestmark = [pytest.mark.slow, pytest.mark.tf]


def free_port():
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        return link.getsockname()[1]


def test_replicas_answer_as_one_process_does(run, test_rows):
    ExportedDetector.open(run)
    files, rows = test_rows
    words = ["--engine", "ray", "--port", str(free_port()), "--no-keras"]
    process, client = start("-m", "kerasfaces", "serve", str(run), *words)
    try:
        data = [(path.name, path.read_bytes()) for path in files]
        status, headers, reply = client.predict(*form(*data), timeout_s=60)
        ready = client.ask("GET", "/readyz")
        refused = client.predict(b"", {"Content-Type": "image/png"})
    finally:
        process.terminate()
        log = process.communicate(timeout=90)[1]
    assert status == 200, log
    assert headers["x-request-id"]
    logits = [each["logit"] for each in reply["answers"]]
    np.testing.assert_allclose(logits, rows["logit"], atol=1e-3)
    assert ready[0] == 200
    assert (refused[0], refused[2]["error"]) == (
        400,
        "the body is empty; send a picture.",
    )
    assert process.returncode == 0, log
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            client.ask("GET", "/healthz", timeout_s=2)
        except OSError:
            return
        time.sleep(0.5)
    raise AssertionError("the service goes on after its end")
