"""The same application as replicas on Ray Serve."""

import socket
import subprocess
import sys
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


AUTOSCALED = """
import http.client, sys, threading, time
from pathlib import Path
from ray import serve
from kerasfaces.core.engine import cluster
from kerasfaces.serve.http import on_ray
from kerasfaces.serve.http.settings import Settings

run, picture, port = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes(), int(sys.argv[3])
# Ray waits for half a minute before it adds a replica, ten before it takes one away.
pace = {"upscale_delay_s": 1, "downscale_delay_s": 3,
        "look_back_period_s": 3}
deployment = serve.deployment


def paced(**options):
    options["autoscaling_config"] |= pace
    return deployment(**options)


def ask():
    while loaded.is_set():
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        link.request("POST", "/v1/predict", picture, {"Content-Type": "image/png"})
        statuses.add(link.getresponse().status)
        link.close()


def wait_for(count):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        application = serve.status().applications[on_ray.NAME]
        states = application.deployments[on_ray.NAME].replica_states
        if dict(states) == {"RUNNING": count}:
            print(count)
            return
        time.sleep(0.5)
    sys.exit(f"expected {count} replicas, got {states}")


serve.deployment, loaded, statuses = paced, threading.Event(), set()
with cluster.connected():
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    settings = Settings(run=run, keras=False)
    serve.run(on_ray.deployment(settings, (1, 2)), name=on_ray.NAME)
    wait_for(1)
    loaded.set()
    clients = [threading.Thread(target=ask) for _ in range(12)]
    for each in clients:
        each.start()
    wait_for(2)
    time.sleep(2)
    loaded.clear()
    for each in clients:
        each.join()
    wait_for(1)
    serve.shutdown()
print(sorted(statuses))
"""


def test_replicas_come_with_the_load_and_go_without_it(run, test_rows):
    ExportedDetector.open(run)
    words = [str(run), str(test_rows[0][0]), str(free_port())]
    done = subprocess.run(
        [sys.executable, "-c", AUTOSCALED, *words],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.stdout.split("\n")[-5:] == ["1", "2", "1", "[200]", ""], done.stderr
