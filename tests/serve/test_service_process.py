"""The service as a process: the shell's answers, and an end that finishes what it accepted."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import numpy as np
import pytest
from stub_service import form, picture, start

from kerasfaces.core.errors import InputError

pytest.importorskip("fastapi")
pytestmark = pytest.mark.slow
SLOW_STUB = """
import sys
from stub_service import Stub
from kerasfaces import cli
from kerasfaces.serve.http import server
from kerasfaces.serve.http.judge import Judge
from kerasfaces.serve.http.settings import Settings
Stub.pause_s = 5.0
def main(argv):
    with server.listen("127.0.0.1", 0) as listening:
        judge = Judge(Settings(run=None), Stub())
        announce = lambda url: print(url, flush=True)
        server.run(judge, listening, "127.0.0.1", announce)
    return 0
cli.run(main)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_accepted_pictures_finish(number):
    process, client = start("-c", SLOW_STUB)
    replies = []
    asking = threading.Thread(target=lambda: replies.append(client.predict(picture())))
    asking.start()
    time.sleep(1)
    process.send_signal(number)
    asking.join(20)
    _, log = process.communicate(timeout=20)
    assert replies[0][0] == 200
    assert process.returncode == 0
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert events == ["start", "request", "end"]
    with pytest.raises(OSError, match="refused"):
        client.predict(picture())


def test_an_address_in_use_is_one_sentence(monkeypatch):
    process, client = start("-c", SLOW_STUB)
    again = SLOW_STUB.replace('"127.0.0.1", 0', f'"127.0.0.1", {client.port}')
    path = [os.path.dirname(__file__), *filter(None, sys.path)]
    done = subprocess.run(
        [sys.executable, "-c", again],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
    )
    assert done.returncode == 2
    assert (
        f"127.0.0.1:{client.port} cannot be listened on (Address already" in done.stderr
    )
    process.terminate()
    process.communicate(timeout=20)


@pytest.mark.tf
def test_the_command_answers_as_the_shell_does(run, test_rows):
    files, rows = test_rows
    process, client = start("-m", "kerasfaces", "serve", str(run), "--port", "0")
    try:
        data = [(path.name, path.read_bytes()) for path in files]
        together = client.predict(*form(*data), timeout_s=60)[2]["answers"]
        alone = [client.predict(each)[2]["answers"][0] for _, each in data]
        address = f"http://127.0.0.1:{client.port}/metrics"
        text = urllib.request.urlopen(address).read().decode()
    finally:
        process.terminate()
        _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    logits = [each["logit"] for each in together]
    np.testing.assert_allclose(logits, rows["logit"], atol=1e-3)
    np.testing.assert_allclose(logits, [each["logit"] for each in alone], atol=1e-4)
    shell = [
        json.loads(line)
        for line in subprocess.run(
            [sys.executable, "-m", "kerasfaces", "predict", run, *files, "--json"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.splitlines()
    ]
    assert [each["verdict"] for each in shell] == [each["verdict"] for each in together]
    np.testing.assert_allclose([each["logit"] for each in shell], logits, atol=1e-4)
    assert 'kerasfaces_pictures_total{verdict="' in text
    assert not any(path.name in log for path in files)


def test_a_taken_port_is_said_before_the_run_is_opened(monkeypatch, tmp_path):
    import socket

    from kerasfaces.cli.serve import main
    from kerasfaces.serve.http.judge import Judge

    def opened(settings):
        raise AssertionError("the run was opened")

    monkeypatch.setattr(Judge, "open", opened)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=r"cannot be listened on \(Addr"):
            main([str(tmp_path), "--port", str(port)])
