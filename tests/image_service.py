"""A stub of OpenAI's image service on this machine, and what it was asked."""

import base64
import contextlib
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image


def picture(side, shade=90):
    pixels = np.full((side, side, 3), shade, np.uint8)
    pixels[: side // 2] = 200
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return {"data": [{"b64_json": base64.b64encode(buffer.getvalue()).decode()}]}


def error(status, message, code=None):
    return status, {"error": {"message": message, "code": code, "type": "x"}}


@contextlib.contextmanager
def serve(answers):
    """Serve `answers`, `(status, JSON)`, JSON, or a callable; the last one for ever.

    Yields:
        The base address, and the list of requests `(path, body)`.
    """
    waiting, asked = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, body))
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if callable(answer):
                answer = answer()
            status, content = answer if isinstance(answer, tuple) else (200, answer)
            data = (
                content if isinstance(content, bytes) else json.dumps(content).encode()
            )
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                if status == 429:
                    self.send_header("Retry-After", "0.01")
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
