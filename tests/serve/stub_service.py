"""A service of a detector that needs no network, and how tests speak to it."""

import contextlib
import http.client
import io
import json
import os
import secrets
import subprocess
import sys
import threading
import time

from PIL import Image
from tiny_runs import operating_point

from kerasfaces import images

POINT = operating_point(threshold_fpr_1pct=0.5, abstain=(0.5, 0.5))


class Stub:
    """Bright pictures are fake; `pause_s` is how long a batch takes, whatever its size."""

    name, version, engine, operating_point = "stub", "0", "onnxruntime", POINT
    pause_s = 0.0

    def __init__(self):
        self.batches = []

    def prepare(self, image):
        return images.to_array(image, images.InputSpec(size_px=32))

    def logits(self, pixels):
        self.batches.append(len(pixels))
        time.sleep(self.pause_s)
        return pixels.mean(axis=(1, 2, 3)) / 16 - 8.0

    def decide(self, logits):
        return POINT.verdicts(POINT.apply(logits))


def picture(level=200, size=(64, 48), kind="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", size, (level, level, level)).save(buffer, kind)
    return buffer.getvalue()


def form(*files, field="file"):
    """Return the body and the headers of a form with `(name, data)` files."""
    mark = secrets.token_hex(8)
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{field}"; '
        f'filename="{name}"\r\nContent-Type: image/png\r\n\r\n'.encode()
        + data
        for name, data in files
    ]
    body = b"\r\n".join([*parts, f"--{mark}--\r\n".encode()])
    return body, {"Content-Type": f"multipart/form-data; boundary={mark}"}


class Client:
    """A service on this machine."""

    def __init__(self, port, judge):
        self.port, self.judge = port, judge

    def ask(self, method, path, body=None, headers=None, timeout_s=20):
        """Return status, headers and content, JSON where it is."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        with contextlib.closing(link):
            link.request(method, path, body, headers or {})
            reply = link.getresponse()
            data = reply.read()
        is_json = "json" in (reply.headers["content-type"] or "")
        return reply.status, reply.headers, json.loads(data) if is_json else data

    def predict(self, body, headers=None, query="?quick=true", **other):
        headers = headers or {"Content-Type": "image/png"}
        return self.ask("POST", f"/v1/predict{query}", body, headers, **other)

    def wait_until_idle(self):
        end = time.monotonic() + 10
        while self.judge._pending and time.monotonic() < end:
            time.sleep(0.01)
        assert (self.judge._pending, self.judge._bytes) == (0, 0)


@contextlib.contextmanager
def served(detector=None, **settings):
    """Serve a detector in a thread."""
    from kerasfaces.serve.http import server
    from kerasfaces.serve.http.judge import Judge
    from kerasfaces.serve.http.settings import Settings

    settings = Settings(run=None, **settings)
    judge = Judge(settings, detector or Stub())
    listening = server.listen("127.0.0.1", 0)
    uvicorn = server.server_of(judge)
    thread = threading.Thread(target=uvicorn.run, args=([listening],))
    thread.start()
    try:
        while not uvicorn.started:
            time.sleep(0.01)
        yield Client(listening.getsockname()[1], judge)
    finally:
        uvicorn.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def start(*command):
    """Start a command that serves, and return it and its client when it says where."""
    path = [os.path.dirname(__file__), *filter(None, sys.path)]
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
    )
    line = "-"
    while line and "serving at" not in line and "http" not in line:
        line = process.stdout.readline()
    assert "http://127.0.0.1:" in line, process.communicate()
    return process, Client(int(line.rpartition(":")[2]), None)
