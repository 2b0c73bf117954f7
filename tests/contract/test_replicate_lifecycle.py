"""How predictions live and end, what they cost, what is kept, how often one may ask."""

import time
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace

import pytest

from devstack.replicate import clock
from devstack.replicate.catalogue import BY_REFERENCE
from devstack.replicate.clock import parse, rfc3339
from devstack.replicate.config import Config
from devstack.replicate.faults import PredictionFails, PredictionSlow
from devstack.replicate.lifecycle import running_time
from devstack.replicate.problems import Problem
from devstack.replicate.validation import parse_cancel_after
from tests.support import web
from tests.support.stand_in import MUSICGEN, SCHNELL, SDXL, SVD, StandIn, stand_in
from tests.support.waiting import until


@pytest.fixture(scope="module")
def shared() -> Iterator[StandIn]:
    with stand_in(deadline_scale=0.02) as running:
        yield running


def test_it_starts_works_and_succeeds(server: StandIn) -> None:
    server.control.faults(PredictionSlow(starting=0.2, running=0.4))
    created = server.create(SDXL, input={"prompt": "a lake", "width": 64, "height": 64})
    seen: list[str] = []

    def look() -> str:
        view = server.get(created["id"])
        if view["status"] not in seen:
            seen.append(view["status"])
            assert ("started_at" in view) is (view["status"] != "starting")
            assert (
                ("completed_at" in view) is ("metrics" in view) is (view["status"] == "succeeded")
            )
        return str(view["status"])

    until(look, lambda status: status == "succeeded")

    assert seen == ["starting", "processing", "succeeded"]
    metrics = server.get(created["id"])["metrics"]
    assert 0.4 <= metrics["predict_time"] < 5
    assert metrics["total_time"] >= metrics["predict_time"] + 0.2


def test_the_log_grows(server: StandIn) -> None:
    server.control.faults(PredictionSlow(running=0.5))
    created = server.create()

    early = until(lambda: server.get(created["id"])["logs"])
    late = server.finish(created["id"])["logs"]

    assert late.startswith(early)
    assert len(late) > len(early)
    assert late.splitlines()[:2] == ["Using seed: 1", "Prompt: a lake"]
    assert "100%|██████████| 4/4" in late.splitlines()[-1]


def test_speed_scales_the_time_a_model_takes() -> None:
    with stand_in(duration=None, speed=0.05) as server:
        quick = server.run(SCHNELL, prompt="a lake", megapixels="0.25", seed=1)
        slow = server.run(SDXL, prompt="a lake", width=64, height=64, seed=1)

    assert quick["metrics"]["predict_time"] >= 0.04
    assert slow["metrics"]["predict_time"] >= 0.26


@pytest.mark.parametrize("reference", [SCHNELL, SDXL, MUSICGEN])
def test_a_model_takes_its_time_multiplied_by_the_speed(reference: str) -> None:
    model = BY_REFERENCE[reference.partition(":")[0]]
    asked = model.with_defaults({"prompt": "a lake"})

    def seconds(speed: float) -> float:
        return running_time(Config(speed=speed), model, asked, seed=3)

    assert seconds(1) == pytest.approx(model.seconds(asked))
    assert seconds(0.05) == pytest.approx(seconds(1) / 20)
    assert running_time(Config(duration=7), model, asked, seed=3) == 7


def test_a_deadline_while_running_cancels(server: StandIn) -> None:
    server.control.faults(PredictionSlow(running=30))
    body = {"version": SCHNELL, "input": {"prompt": "a lake"}}

    created = server.post("/predictions", body, Cancel_After="10s").json()
    view = server.finish(created["id"])

    assert view["status"] == "canceled"
    lifetime = datetime.fromisoformat(view["deadline"]) - datetime.fromisoformat(view["created_at"])
    assert lifetime.total_seconds() == pytest.approx(0.2, abs=0.002)


def test_a_deadline_before_the_start_aborts(server: StandIn) -> None:
    server.control.faults(PredictionSlow(starting=30))
    body = {"version": SDXL, "input": {"prompt": "a lake"}}

    created = server.post("/predictions", body, Cancel_After="5").json()
    view = server.finish(created["id"])

    assert view["status"] == "aborted"
    assert "started_at" not in view
    assert server.control.prediction(view["id"]).cost_usd == 0


@pytest.mark.parametrize(
    ("text", "seconds"), [("5", 5), ("90s", 90), ("5m", 300), ("1h30m45s", 5445), ("24h", 86400)]
)
def test_cancel_after(text: str, seconds: float) -> None:
    assert parse_cancel_after(text) == seconds


@pytest.mark.parametrize("text", ["", "4s", "25h", "soon", "5 minutes", "-10"])
def test_cancel_after_that_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        parse_cancel_after(text)

    assert refused.value.status == 422


def test_what_each_end_costs(server: StandIn) -> None:
    images = server.run(SCHNELL, prompt="a lake", num_outputs=3, megapixels="0.25")
    server.control.faults(PredictionSlow(running=0.3))
    seconds = server.run(MUSICGEN, prompt="a tune", duration=1)
    server.control.faults(PredictionFails())
    failed = server.run(MUSICGEN, prompt="a tune")
    server.control.faults(PredictionSlow(running=30))
    canceled = server.create(MUSICGEN, input={"prompt": "a tune"})
    until(lambda: server.get(canceled["id"])["status"], lambda s: s == "processing")
    server.http.post(f"/v1/predictions/{canceled['id']}/cancel").raise_for_status()

    def cost(view: dict[str, object]) -> float:
        recorded = server.control.prediction(str(view["id"]))
        assert recorded.billed is (recorded.cost_usd > 0)
        return recorded.cost_usd

    assert cost(images) == pytest.approx(3 * 0.003)
    assert cost(seconds) == pytest.approx(0.0014 * seconds["metrics"]["predict_time"], abs=1e-6)
    assert cost(failed) == 0
    spent = server.get(canceled["id"])["metrics"]["predict_time"]
    assert cost(canceled) == pytest.approx(0.0014 * spent, abs=1e-6)


def test_everything_is_removed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_in(output_lifetime=3600) as server:
        view = server.run(SCHNELL, prompt="a lake", megapixels="0.25")
        url = view["output"][0]
        assert web.get(url).status_code == 200
        assert not view["data_removed"]

        later = SimpleNamespace(time_ns=lambda: time.time_ns() + 3601 * 10**9)
        monkeypatch.setattr(clock, "time", later)
        assert web.get(url).status_code == 404
        gone = server.get(view["id"])

        assert gone["data_removed"]
        assert (gone["input"], gone["output"], gone["logs"]) == ({}, None, "")
        assert gone["status"] == "succeeded"
        assert server.control.prediction(view["id"]).cost_usd == pytest.approx(0.003)


def test_a_burst_is_throttled_in_the_words_for_low_credit() -> None:
    with stand_in(create_rate=6, create_burst=1) as server:
        server.create()
        refused = server.post("/predictions", {"version": SCHNELL, "input": {"prompt": "x"}})

    assert refused.status_code == 429
    assert refused.json() == {
        "detail": (
            "Request was throttled. Your rate limit for creating predictions is reduced to 6 "
            "requests per minute with a burst of 1 requests while you have less than $5.0 in "
            f"credit. Your rate limit resets in ~{refused.json()['retry_after']}s."
        ),
        "status": 429,
        "retry_after": refused.json()["retry_after"],
    }
    assert 9 <= refused.json()["retry_after"] <= 10


def test_reading_has_a_limit_of_its_own() -> None:
    with stand_in(other_rate=3) as server:
        answers = [server.http.get("/v1/account") for _ in range(4)]
        created = server.post("/predictions", {"version": SCHNELL, "input": {"prompt": "x"}})

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers.get("ratelimit-remaining") for answer in answers][:3] == ["2", "1", "0"]
    assert "resets in ~" in answers[3].json()["detail"]
    assert created.status_code == 201


def test_reset_drops_what_is_running(server: StandIn) -> None:
    server.control.faults(PredictionSlow(running=30))
    created = server.create()
    assert server.control.health().running == 1

    server.control.reset()

    assert server.control.health().model_dump() == {
        "status": "ok",
        "predictions": 0,
        "running": 0,
        "requests": {},
    }
    assert server.control.rules() == []
    assert server.http.get(f"/v1/predictions/{created['id']}").status_code == 404


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"width": 1020}, "`height` and `width` have to be divisible by 8 but are 1024 and 1020."),
        ({"width": 8192}, "CUDA out of memory. Tried to allocate 26.11 GiB"),
        (
            {"image": "http://127.0.0.1:9/picture.png"},
            "HTTPConnectionPool(host='127.0.0.1', port=9): Max retries exceeded",
        ),
        ({"image": "data:image/png;base64,aGVsbG8="}, "cannot identify image file '/tmp/tmp"),
    ],
)
def test_models_fail_as_the_real_ones_do(
    server: StandIn, asked: dict[str, object], error: str
) -> None:
    view = server.run(SDXL, prompt="a lake", **asked)

    assert (view["status"], view["output"]) == ("failed", None)
    assert str(view["error"]).startswith(error)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, "Must provide either prompt or input_audio"),
        (
            {"prompt": "x", "continuation": True},
            "Must provide `input_audio` if continuation is `True`.",
        ),
        (
            {"prompt": "x", "multi_band_diffusion": True},
            "Multi-Band Diffusion is only available with non-stereo models.",
        ),
    ],
)
def test_musicgen_refuses(server: StandIn, asked: dict[str, object], error: str) -> None:
    assert server.run(MUSICGEN, **asked)["error"] == error


def test_an_input_that_cannot_be_fetched_fails_the_prediction(server: StandIn) -> None:
    address = f"{server.url}/pbxt/none/none.png"

    view = server.run(SVD, input_image=address)

    assert view["error"] == f"404 Client Error: Not Found for url: {address}"


def test_an_input_that_is_too_large_fails_the_prediction() -> None:
    with stand_in(max_input_bytes=1000) as server:
        address = server.run(SCHNELL, prompt="a lake", megapixels="0.25")["output"][0]
        view = server.run(SVD, input_image=address)

    assert view["error"] == f"Input file is larger than 1000 bytes: {address}"


def test_times() -> None:
    at = parse("2026-02-03T09:15:27.500000Z") + 7
    assert rfc3339(at) == "2026-02-03T09:15:27.500000007Z"
    assert rfc3339(at, 6) == "2026-02-03T09:15:27.500000Z"
    assert rfc3339(at, 6, trim=True) == "2026-02-03T09:15:27.5Z"
    assert rfc3339(at // 10**9 * 10**9, trim=True) == "2026-02-03T09:15:27Z"
    assert parse("2026-02-03T10:15:27.5+01:00") == at - 7
