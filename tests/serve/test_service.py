"""The service: pictures by HTTP, whatever clients send, and how it ends."""

import contextlib
import json
import logging
import socket
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from stub_service import Stub, form, picture, served

from kerasfaces.core.errors import InputError

for module in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
    pytest.importorskip(module)
QUICK = "?quick=true"


@pytest.fixture(scope="module")
def service():
    with served() as client:
        yield client


def test_forms_and_bodies_get_the_answers_of_predict_in_order(service):
    levels = [250, 10, 160]
    files = [(f"{level}.png", picture(level)) for level in levels]
    status, headers, reply = service.predict(*form(*files))
    assert status == 200
    answers = reply["answers"]
    assert [each["name"] for each in answers] == [name for name, _ in files]
    assert [each["verdict"] for each in answers] == ["fake", "real", "fake"]
    np.testing.assert_allclose(
        [each["logit"] for each in answers], np.array(levels) / 16 - 8
    )
    assert headers["x-request-id"] == reply["request_id"]
    status, _, reply = service.predict(files[1][1])
    assert (status, reply["answers"][0]["verdict"]) == (200, "real")
    assert reply["answers"][0]["name"] == "<image 0>"
    assert reply["answers"][0]["sha256"] == answers[1]["sha256"]


def test_a_request_says_what_belongs_to_its_answer(service):
    answer = service.predict(picture(250), query="")[2]["answers"][0]
    assert answer["stability"] is not None
    assert answer["provenance"] is not None
    query = "?stability=false&provenance=false"
    answer = service.predict(picture(250), query=query)[2]["answers"][0]
    assert (answer["stability"], answer["provenance"]) == (None, None)
    status, _, reply = service.predict(picture(), query="?faces=nose")
    assert status == 422
    assert reply["error"].startswith("faces: input should be 'image', 'largest'")
    for query in ("?fast=true", "?quick=true&face=largest"):
        status, _, reply = service.predict(picture(), query=query)
        assert status == 422
        assert "known: faces, stability, provenance, quick" in reply["error"]


def test_what_is_no_picture_is_an_answer_with_its_reason(service):
    bad = [("x.png", b"no picture"), ("y.png", b""), ("z.png", picture()[:60])]
    status, _, reply = service.predict(*form(*bad, ("ok.png", picture())))
    assert status == 200
    verdicts = [each["verdict"] for each in reply["answers"]]
    assert verdicts == ["unreadable"] * 3 + ["fake"]
    reasons = [each["reason"] for each in reply["answers"]]
    assert reasons[0] == "not an image, or a format Pillow cannot read"
    assert reasons[1] == "empty file"


def bomb(width, height):
    """A PNG that claims a size; its pixels are few bytes."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(10**6), 9)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(8000, 7000), (20_000, 20_000), (2**31 - 1, 2)])
def test_a_bomb_is_not_decoded(service, size):
    status, _, reply = service.predict(bomb(*size))
    assert (status, reply["answers"][0]["verdict"]) == (200, "unreadable")
    assert "pixels" in reply["answers"][0]["reason"]


MARKED = {"Content-Type": "multipart/form-data; boundary=q"}
REFUSED = [
    (b"", {"Content-Type": "image/png"}, 400, "the body is empty"),
    (b"x=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "expected"),
    (b"{}", {"Content-Type": "application/json"}, 415, "multipart/form-data"),
    (b"x", {"Content-Type": "multipart/form-data"}, 400, "without a boundary"),
    (b"x", MARKED, 400, "damaged"),
    (*form(("a.png", picture()), field="other"), 400, "fields `file`"),
    (*form(), 400, "no field `file`"),
    (b"x", {"Content-Type": f"multipart/form-data; boundary={'q' * 999}"}, 400, "long"),
    (b"--q\r\nA: b\r\n\r\nx\r\n--q--", MARKED, 400, "has no name"),
    (b"--q\r\n" + b"A" * 9999 + b": b\r\n\r\nx\r\n--q--", MARKED, 400, "damaged"),
    (form(("a.png", picture()))[0], MARKED, 400, "damaged"),
    (*form(*[("a.png", b"x")] * 1000), 413, "more than 32 parts"),
]


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    REFUSED,
    ids=[words for *_, words in REFUSED],  # a body's boundary is drawn anew each time
)
def test_a_wrong_request_gets_one_sentence(service, body, headers, status, words):
    got, sent, reply = service.predict(body, headers)
    assert got == status
    assert words in reply["error"]
    assert reply["error"].endswith(".")
    assert reply["request_id"] == sent["x-request-id"]


def test_a_form_that_ends_early_is_refused(service):
    body, headers = form(("a.png", picture()), ("b.png", picture()))
    status, _, reply = service.predict(body[: len(body) * 3 // 4], headers)
    assert (status, reply["error"]) == (
        400,
        "the form ends before its last boundary.",
    )


def test_100_mb_are_refused_before_they_are_read(service):
    with connected(service) as link:
        link.sendall(head("Content-Length: 104857600"))
        reply = everything(link)
        assert b"413" in reply
        assert b"larger than 20 MB" in reply
    with connected(service) as link:  # its length unsaid
        link.sendall(head("Transfer-Encoding: chunked"))
        for _ in range(40):  # all of it can be sent before the reply is read
            link.sendall(b"100000\r\n" + bytes(2**20) + b"\r\n")
        link.sendall(b"0\r\n\r\n")
        reply = everything(link)
        assert b" 413 " in reply
        assert b"larger than 20 MB" in reply
    service.wait_until_idle()


@pytest.mark.parametrize(
    "lines", [["Content-Length: -5"], ["Content-Length: 3", "Content-Length: 4"], ["x"]]
)
def test_what_is_no_http_gets_json_too(service, lines):
    with connected(service) as link:
        link.sendall(head(*lines) + b"12345")
        top, _, content = everything(link).partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 400 ")
    assert b"application/json" in top
    reply = json.loads(content)
    assert "no valid HTTP" in reply["error"]
    assert reply["request_id"]


def test_what_still_comes_is_read_up_to_a_limit(monkeypatch):
    from kerasfaces.serve.http import protocol

    monkeypatch.setattr(protocol, "_DRAIN_BYTES", 2**20)
    monkeypatch.setattr(protocol, "_DRAIN_S", 0.3)
    with served(body_mb=1) as service:
        with connected(service) as link:  # more than that: cut off
            link.sendall(head("Transfer-Encoding: chunked"))
            with pytest.raises(OSError, match=r"reset|Broken pipe"):
                send_often(link, b"100000\r\n" + bytes(2**20) + b"\r\n", 200)
        with connected(service) as link:  # it waits for no more than that long
            link.sendall(head("Content-Length: 104857600"))
            assert b" 413 " in everything(link)
            time.sleep(0.5)
            with pytest.raises(OSError, match=r"reset|Broken pipe"):
                send_often(link, bytes(2**16), 20)
        service.wait_until_idle()


def send_often(link, data, n):
    for _ in range(n):
        link.sendall(data)
        time.sleep(0.005)


def head(*lines):
    fixed = (f"POST /v1/predict{QUICK} HTTP/1.1", "Host: x", "Content-Type: image/png")
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


def everything(link):
    """What comes until the other side closes."""
    parts = list(iter(lambda: link.recv(1000), b""))
    return b"".join(parts)


@contextlib.contextmanager
def connected(service):
    link = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    with contextlib.closing(link):
        yield link


def test_slow_clients_are_left():
    with served(head_s=0.3, body_s=0.4) as service:
        with connected(service) as link:  # a head that never ends
            started = time.monotonic()
            link.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\n")
            assert link.recv(100) == b""
            assert 0.2 < time.monotonic() - started < 3
        with connected(service) as link:  # the second head on a connection
            link.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            reply = b""
            while b"ok" not in reply:
                reply += link.recv(1000)
            assert b"200 OK" in reply
            link.sendall(b"GET /healthz HT")
            assert link.recv(100) == b""
        with connected(service) as link:  # a body that trickles
            link.sendall(head("Content-Length: 1000"))
            with contextlib.suppress(OSError):
                for _ in range(20):
                    link.sendall(b"x")
                    time.sleep(0.05)
            assert b"408" in link.recv(1000)
        service.wait_until_idle()
        assert service.predict(picture())[0] == 200


def test_a_client_that_leaves_costs_nothing_that_lasts():
    stub = Stub()
    stub.pause_s = 0.2
    with served(stub, workers=1) as service:
        data = picture()
        with connected(service) as link:  # in the middle of its body
            link.sendall(head(f"Content-Length: {len(data)}") + data[:50])
        with connected(service) as link:  # before its answer, with five pictures
            body, headers = form(*[("a.png", data)] * 5)
            lines = [f"{name}: {value}" for name, value in headers.items()]
            text = head(f"Content-Length: {len(body)}", *lines).decode()
            text = text.replace("Content-Type: image/png\r\n", "")
            link.sendall(text.encode() + body)
            time.sleep(0.1)
        service.wait_until_idle()
        assert len(stub.batches) < 5  # those not begun were left out


def test_a_full_queue_says_when_to_come_again():
    stub = Stub()
    stub.pause_s = 0.3
    with (
        served(stub, queue=2, files=2, workers=1) as service,
        ThreadPoolExecutor(6) as pool,
    ):
        replies = list(pool.map(lambda _: service.predict(picture()), range(6)))
        statuses = [status for status, _, _ in replies]
        assert {200, 429} == set(statuses)
        assert statuses.count(200) >= 2
        for status, headers, reply in replies:
            if status == 429:
                assert 1 <= int(headers["retry-after"]) <= 60
                assert "pictures wait already" in reply["error"]
        service.wait_until_idle()
        assert service.predict(picture())[0] == 200


def test_requests_share_batches_and_their_logits_do_not_change():
    stub = Stub()
    with served(stub, workers=8) as service, ThreadPoolExecutor(16) as pool:
        levels = range(0, 160, 5)
        alone = [service.predict(picture(level))[2]["answers"][0] for level in levels]
        n_alone = len(stub.batches)
        stub.pause_s = 0.05
        together = pool.map(lambda level: service.predict(picture(level)), levels)
        answers = [reply["answers"][0] for _, _, reply in together]
        assert answers == alone
        assert n_alone == len(levels)
        assert len(stub.batches) - n_alone < len(levels) / 2
        text = service.ask("GET", "/metrics")[2].decode()
        assert f"kerasfaces_batch_pictures_sum {2 * len(levels)}" in text


def test_one_request_s_fault_is_not_the_others():
    class Faulty(Stub):
        def logits(self, pixels):
            if (pixels == 255).all(axis=(1, 2, 3)).any():
                raise ValueError("secret.png")
            return super().logits(pixels)

    stub = Faulty()
    stub.pause_s = 0.05
    with served(stub, workers=8) as service, ThreadPoolExecutor(8) as pool:
        levels = [255, 10, 20, 30, 40, 50, 60, 70]
        replies = list(pool.map(lambda n: service.predict(picture(n)), levels))
        assert [status for status, _, _ in replies] == [500] + [200] * 7
        assert "secret" not in json.dumps(replies[0][2])
        assert service.ask("GET", "/readyz")[0] == 200


def test_an_answer_that_takes_too_long_is_given_up():
    stub = Stub()
    stub.pause_s = 0.5
    with served(stub, answer_s=0.1) as service:
        status, headers, reply = service.predict(picture())
        assert (status, headers["retry-after"]) == (503, "1")
        assert "longer than 0.1 s" in reply["error"]
        service.wait_until_idle()


def test_a_token_is_wanted_where_there_is_one():
    with served(token="s3cret") as service:
        for given in (None, "Bearer wrong", "s3cret", "Bearer s3cret ", "Bearer ü"):
            headers = {"Content-Type": "image/png"}
            if given:
                headers["Authorization"] = given.encode("latin-1")
            status, sent, reply = service.predict(picture(), headers)
            expected = 200 if given == "Bearer s3cret " else 401  # spaces are no value
            assert status == expected
            if status == 401:
                assert sent["www-authenticate"] == "Bearer"
                assert "token" in reply["error"]
        assert service.ask("GET", "/metrics")[0] == 401
        assert service.ask("GET", "/openapi.json")[0] == 401
        assert service.ask("GET", "/healthz")[0] == 200
        assert service.ask("GET", "/readyz")[0] == 200


def test_the_log_is_json_without_names(caplog):
    caplog.set_level(logging.INFO, "kerasfaces.http")
    with served() as service:
        body, headers = form(("private name.png", picture()))
        service.predict(body, headers | {"X-Request-ID": "mine-1"})
        service.ask("GET", "/private%20name.png", headers={"X-Request-ID": "two words"})
        service.wait_until_idle()
    lines = [
        json.loads(record.message)
        for record in caplog.records
        if record.name == "kerasfaces.http"
    ]
    assert "private" not in caplog.text
    assert lines[0]["id"] == "mine-1"
    assert lines[0] | {"route": "/v1/predict", "status": 200, "pictures": 1} == lines[0]
    assert (lines[1]["route"], lines[1]["status"]) == ("other", 404)
    assert lines[1]["id"] != "two words"


def test_health_readiness_and_description(service):
    assert service.ask("GET", "/healthz")[2] == {"status": "ok"}
    facts = {"name": "stub", "version": "0", "engine": "onnxruntime"}
    assert service.ask("GET", "/readyz")[2] == {"status": "ready", "detector": facts}
    description = service.ask("GET", "/openapi.json")[2]
    predict = description["paths"]["/v1/predict"]["post"]
    assert {"200", "413", "429"} <= predict["responses"].keys()
    assert "multipart/form-data" in predict["requestBody"]["content"]
    reply = description["components"]["schemas"]["Reply"]
    assert reply["example"]["answers"][0]["verdict"] == "fake"
    for wrong, status in (("/v1/nothing", 404), ("/docs", 404)):
        assert service.ask("GET", wrong)[0] == status
    assert service.ask("GET", "/v1/predict")[0] == 405


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 99_999), ("127.0.0.1", -1), ("no such host", 0)]
)
def test_an_address_that_is_none_is_one_sentence(host, port):
    from kerasfaces.serve.http import server

    with pytest.raises(InputError, match=f"{host}:{port} cannot be listened on"):
        server.listen(host, port)


def test_a_dead_engine_is_not_ready():
    with served() as service:
        service.judge._detector.close()
        assert service.ask("GET", "/readyz")[0] == 503
        assert service.ask("GET", "/healthz")[0] == 200
