"""Paid requests against a stub: budget, refusals, stalls, and nothing paid twice."""

import threading

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytest.importorskip("openai")
import image_service as service

from kerasfaces.core.errors import InputError
from kerasfaces.generate import accounts
from kerasfaces.generate.config import GenerateConfig
from kerasfaces.generate.kinds import openai as kind
from kerasfaces.generate.pairs import generate
from kerasfaces.manifest import Manifest


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "of nobody")


@pytest.fixture
def photos(tmp_path):
    rows = []
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (260, 270, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        rows.append([f"{number}.png", "real", "camera", "train"])
    columns = ["path", "label", "source", "split"]
    return Manifest(pd.DataFrame(rows, columns=columns), tmp_path)


def _config(address, **options):
    plain = {"side_px": 256, "per_minute": 1e6, "retries": 0, "timeout_s": 20.0}
    chosen = kind.Options(base_url=address, **{**plain, **options})
    return GenerateConfig(kind="openai", options=chosen, size_px=256)


def _spent(folder):
    return accounts.Ledger(folder, 1).spent_usd()


def _reasons(folder):
    return list(pd.read_csv(folder / "unusable.csv")["reason"])


def test_variations_are_pairs_and_are_paid_once(photos, tmp_path, caplog):
    caplog.set_level("INFO")
    with service.serve([service.picture(256)]) as (address, asked):
        written = generate(photos, tmp_path / "out", _config(address))
        assert len(written) == 6
        assert {path for path, _ in asked} == {"/v1/images/variations"}
        assert b"256x256" in asked[0][1]
        for path in (tmp_path / "out" / "fake").rglob("*.jpg"):
            path.unlink()
        generate(photos, tmp_path / "out", _config(address))
        assert len(asked) == 3  # the answers are there
    assert _spent(tmp_path / "out") == pytest.approx(3 * 0.016)
    assert "3 photos at $0.016, 0 answered before: $0.05 at most" in caplog.text
    assert "3 answered before: $0.00 at most" in caplog.text
    assert "spent in this folder $0.05" in caplog.text
    fake = next((tmp_path / "out" / "fake").rglob("*.jpg"))
    top = np.asarray(Image.open(fake))[:100]
    assert np.abs(top.astype(int) - 200).max() < 4  # not aligned with the photo


def test_edits_have_a_prompt(photos, tmp_path):
    with service.serve([service.picture(256)]) as (address, asked):
        config = _config(address, task="edit", prompt="older")
        written = generate(photos, tmp_path / "out", config)
    assert asked[0][0] == "/v1/images/edits"
    assert b"older" in asked[0][1]
    assert "dall-e-2_edit" in set(written.rows["source"])


def test_the_budget_holds_and_more_continues(photos, tmp_path):
    with service.serve([service.picture(256)]) as (address, asked):
        generate(photos, tmp_path / "out", _config(address, budget_usd=0.02))
        assert len(asked) == 1
        assert (
            _reasons(tmp_path / "out")
            == ["the budget of $0.02 is used up ($0.02 spent)"] * 2
        )
        written = generate(photos, tmp_path / "out", _config(address, budget_usd=0.1))
        assert len(asked) == 3
    assert len(written) == 6


def test_refusals_and_failures_are_rows_that_cost_nothing(photos, tmp_path):
    answers = [
        service.error(400, "safety system", "content_policy_violation"),
        service.error(500, "overloaded"),
        service.picture(256),
    ]
    with service.serve(answers) as (address, _):
        written = generate(photos, tmp_path / "out", _config(address))
    assert len(written) == 2
    refused, failed = _reasons(tmp_path / "out")
    assert "refused (400: " in refused
    assert "failed (500: " in failed
    assert _spent(tmp_path / "out") == pytest.approx(0.016)


def test_a_rate_limit_is_waited_for(photos, tmp_path):
    answers = [service.error(429, "slower"), service.picture(256)]
    with service.serve(answers) as (address, asked):
        written = generate(photos, tmp_path / "out", _config(address, retries=2))
    assert (len(written), len(asked)) == (6, 4)


def test_a_service_out_of_reach_ends_the_run_and_costs_nothing(photos, tmp_path):
    with service.serve([service.picture(256)]) as (address, _):
        pass  # closed again
    with pytest.raises(InputError, match=r"cannot be reached .* continues"):
        generate(photos, tmp_path / "out", _config(address))
    assert _spent(tmp_path / "out") == 0


def test_a_stall_counts_as_billed(photos, tmp_path, caplog):
    caplog.set_level("INFO")
    end = threading.Event()

    def stall():
        end.wait(10)
        return service.picture(256)

    with service.serve([stall, service.picture(256)]) as (address, _):
        config = _config(address, timeout_s=0.3, retries=2)
        written = generate(photos, tmp_path / "out", config)
        end.set()
    assert len(written) == 4
    assert "no answer in 0.3 s; counted as billed" in _reasons(tmp_path / "out")[0]
    assert _spent(tmp_path / "out") == pytest.approx(3 * 0.016)
    assert "1 without an answer, counted as billed" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [service.picture(128), {"data": []}, {"data": [{"b64_json": "?"}]}],
    ids=["another size", "empty", "no base64"],
)
def test_what_is_no_picture_is_billed_and_named(photos, tmp_path, answer):
    with service.serve([answer, service.picture(256)]) as (address, _):
        written = generate(photos, tmp_path / "out", _config(address))
    assert len(written) == 4
    assert "the service sent" in _reasons(tmp_path / "out")[0]
    assert _spent(tmp_path / "out") == pytest.approx(3 * 0.016)


@pytest.mark.parametrize(
    "answer",
    [
        service.error(401, "wrong key"),
        service.error(429, "pay", "insufficient_quota"),
        service.error(400, "limit", "billing_hard_limit_reached"),
    ],
)
def test_an_account_of_no_use_ends_the_run(photos, tmp_path, answer):
    with service.serve([answer]) as (address, asked):
        with pytest.raises(
            InputError, match=r"refuses this account.*command continues"
        ):
            generate(photos, tmp_path / "out", _config(address))
        assert len(asked) == 1
    assert _spent(tmp_path / "out") == 0


def test_a_damaged_ledger_is_one_sentence(photos, tmp_path):
    with service.serve([service.picture(256)]) as (address, _):
        generate(photos, tmp_path / "out", _config(address))
        (tmp_path / "out" / "costs.csv").write_text("time,request,usd,outcome\n1,2\n")
        with pytest.raises(InputError, match=r"costs.csv is damaged"):
            generate(photos, tmp_path / "out", _config(address))


def test_mistakes(monkeypatch):
    for changes, message in [
        ({"network": "gpt-image-1"}, "only dall-e-2 makes variations"),
        ({"task": "edit"}, "an edit needs one"),
        (
            {"side_px": 300},
            "no price for dall-e-2 at side_px=300; known: dall-e-2: 256",
        ),
        ({"budget_usd": 0.0}, "expected more than 0"),
        ({"per_minute": 0.0}, "above 0"),
    ]:
        with pytest.raises(InputError, match=message):
            kind.build(kind.Options(**changes))
    with pytest.raises(InputError, match="not the photo pixel by pixel"):
        GenerateConfig(kind="openai", align=("pixel",))
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(InputError, match="set OPENAI_API_KEY"):
        kind.build(kind.Options())
