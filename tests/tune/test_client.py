"""A worker's calls: what it bears, what it gives up at, and what it says then."""

import time
from types import SimpleNamespace

import grpc
import pytest

from kerasfaces.core.errors import RunError
from kerasfaces.tune import client, run

pytestmark = pytest.mark.tf


class AnsweredError(grpc.RpcError):
    def __init__(self, code, told):
        self._code, self._told = code, told

    def code(self):
        return self._code

    def details(self):
        return self._told


class Stub:
    """Fails as told, then answers; notes the time each call was given."""

    def __init__(self, *errors):
        self.errors, self.given = list(errors), []

    def GetTrial(self, request, wait_for_ready, timeout):
        assert wait_for_ready
        self.given.append(timeout)
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    UpdateTrial = GetTrial


LOST = AnsweredError(grpc.StatusCode.UNAVAILABLE, "Socket closed")
BROKEN = AnsweredError(grpc.StatusCode.UNKNOWN, "Exception: 10 trials in a row failed")


@pytest.fixture
def connect(monkeypatch, tmp_path):
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "w1")
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "1")

    def make(*errors, timeout_s=60.0):
        found, stub = client.Client(None, tmp_path, timeout_s), Stub(*errors)
        found.stub = client._Patient(stub, found._call)
        return found, stub

    return make


def test_a_connection_lost_in_the_midst_of_a_call_is_tried_again(connect):
    found, stub = connect(LOST, LOST)
    assert found.stub.GetTrial("request") == "answer"
    assert len(stub.given) == 3
    assert stub.given[0] > stub.given[1] > stub.given[2] > 50  # one limit for all


def test_a_lost_connection_does_not_silence_the_heart(connect, monkeypatch):
    monkeypatch.setattr(client, "HEARTBEAT_S", 0.05)
    found, stub = connect(LOST)
    with found.alive("0000"):
        end = time.monotonic() + 10
        while len(stub.given) < 4 and time.monotonic() < end:
            time.sleep(0.02)
    assert len(stub.given) >= 4


def test_a_chief_that_stays_away_is_given_up(connect):
    found, _ = connect(*[LOST] * 1000, timeout_s=0.5)
    with pytest.raises(RunError, match="did not answer within 0 s"):
        found.stub.GetTrial("request")


def test_a_chief_that_answered_with_an_error_did_answer(connect):
    found, stub = connect(BROKEN)
    with pytest.raises(RunError, match=r"ended the search: .*10 trials in a row") as e:
        found.stub.GetTrial("request")
    assert "did not answer" not in str(e.value)
    assert len(stub.given) == 1


def test_a_worker_of_a_continued_study_announces_no_winner(
    monkeypatch, tmp_path, capsys
):
    from kerasfaces.cli import tune as command

    worked = []
    ready = SimpleNamespace(folder=tmp_path)
    monkeypatch.setattr(command, "_manifest", lambda arguments: (None, ("A note.",)))
    monkeypatch.setattr(command, "_print", lambda *told: worked.append("winner"))
    monkeypatch.setattr(run, "prepare", lambda request: ready)
    monkeypatch.setattr(run, "_work", worked.append)
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "w1")
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "1")
    (tmp_path / "result.json").write_text("{}")  # of the call before
    assert command.main(["frozen_random"]) == 0
    assert worked == [ready]
    assert capsys.readouterr().out == ""
