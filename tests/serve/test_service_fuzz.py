"""Whatever is sent to the service: no 5xx but 503, no traceback, no leak."""

import contextlib
import os
import socket
import threading

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stub_service import form, picture, served

schemathesis = pytest.importorskip("schemathesis")
pytestmark = pytest.mark.slow
HARD = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
PICTURES = ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
CONFORMS = [
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
]
SAMPLES = [picture(), picture(kind="JPEG"), picture(kind="GIF"), picture(kind="WEBP")]
ALLOWED = {200, 400, 401, 404, 405, 408, 413, 414, 415, 422, 429, 431, 501, 503}
# 501: of a method that http.server or h11 does not know
KINDS = [
    "image/png",
    "application/octet-stream",
    "multipart/form-data",
    "multipart/form-data; boundary=q",
    "text/plain",
    "",
    "\u00e4",
]


@pytest.fixture(scope="module")
def service():
    with served(head_s=2, body_s=2, answer_s=20) as client:
        yield client


@st.composite
def mutated(draw):
    """A picture or a form, some of whose bytes are changed, cut out or repeated."""
    data = bytearray(draw(st.sampled_from(SAMPLES)))
    if draw(st.booleans()):
        body, headers = form(("a.png", bytes(data)), ("b.png", bytes(data[:50])))
        data, kind = bytearray(body), headers["Content-Type"]
    else:
        kind = draw(st.sampled_from(KINDS))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        change = draw(st.sampled_from(["set", "cut", "repeat", "insert"]))
        if change == "set" and data:
            data[at] = draw(st.integers(0, 255))
        elif change == "cut":
            del data[at : at + draw(st.integers(1, 200))]
        elif change == "repeat":
            data[at:at] = data[at : at + 100] * draw(st.integers(1, 20))
        else:
            data[at:at] = draw(st.binary(max_size=100))
    return bytes(data), kind


@st.composite
def raw(draw):
    """Bytes of a whole request, which need be no HTTP."""
    method = draw(st.sampled_from([b"POST", b"GET", b"PUT", b"\xff", b""]))
    path = draw(
        st.sampled_from([b"/v1/predict", b"/", b"/%00", b"*", b"/" + b"a" * 999])
    )
    lines = draw(st.lists(st.binary(max_size=60), max_size=5))
    body = draw(st.binary(max_size=300))
    head = b"\r\n".join([method + b" " + path + b" HTTP/1.1", b"Host: x", *lines])
    return draw(st.sampled_from([head + b"\r\n\r\n" + body, body, head]))


def checked(status, content):
    assert status in ALLOWED, (status, content)
    assert b"Traceback" not in content
    assert b'File "' not in content
    assert b"/site-packages/" not in content


def used(service):
    """Threads, open files and resident bytes of this process."""
    service.wait_until_idle()
    process = psutil.Process(os.getpid())
    return threading.active_count(), process.num_fds(), process.memory_info().rss


def test_mutated_and_random_requests(service):
    @settings(HARD, max_examples=3000)
    @given(
        st.one_of(mutated(), raw()), st.sampled_from(["", "?quick=true", "?quick=x"])
    )
    def send(request, query):
        if isinstance(request, tuple):
            body, kind = request
            lines = [
                f"POST /v1/predict{query} HTTP/1.1",
                "Host: x",
                f"Content-Length: {len(body)}",
                f"Content-Type: {kind}",
                "Connection: close",
            ]
            request = "\r\n".join([*lines, "", ""]).encode("utf-8") + body
        link = socket.create_connection(("127.0.0.1", service.port), timeout=10)
        with contextlib.closing(link):
            reply = b""
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                link.sendall(request)
                link.shutdown(socket.SHUT_WR)
                reply = b"".join(iter(lambda: link.recv(65536), b""))
        if reply:
            checked(int(reply.split(b" ", 2)[1]), reply)

    for _ in range(60):  # what the first ones leave for good: caches, plug-ins
        service.predict(picture(), query="")
    before = used(service)
    send()
    after = used(service)
    assert after[0] <= before[0] + 8  # the pools fill up; requests leave no more
    assert after[1] <= before[1] + 5
    assert after[2] - before[2] < 60 * 2**20
    assert service.predict(picture())[2]["answers"][0]["verdict"] == "fake"


@schemathesis.serializer(*PICTURES)
def as_bytes(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()


def test_what_the_description_allows_and_does_not(service):
    address = f"http://127.0.0.1:{service.port}/openapi.json"
    schema = schemathesis.openapi.from_url(address)
    operations = [each.ok() for each in schema.get_all_operations()]
    assert {each.path for each in operations} > {"/v1/predict", "/metrics"}
    for operation in operations:

        @HARD
        @given(case=operation.as_strategy())
        def ask(case):
            reply = case.call(timeout=10)
            checked(reply.status_code, reply.content)
            case.validate_response(reply, checks=CONFORMS)

        ask()
