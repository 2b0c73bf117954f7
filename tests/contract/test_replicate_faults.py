"""Everything that can be made to go wrong does, as often as asked and for whom it was asked."""

import hashlib
import time
from typing import Any

import httpx
import pytest

from devstack.replicate.faults import (
    CreateAnswerLost,
    CreateFails,
    CreateHangs,
    FileFault,
    Match,
    NsfwFilter,
    OddAnswer,
    OutputNull,
    PredictionFails,
    ReadFails,
)
from tests.support import web
from tests.support.stand_in import SCHNELL, SDXL, StandIn, receiver

SMALL: dict[str, Any] = {"prompt": "a lake", "megapixels": "0.25", "seed": 5}


def post(server: StandIn) -> httpx.Response:
    return server.post("/predictions", {"version": SCHNELL, "input": SMALL})


def test_a_lost_answer(server: StandIn) -> None:
    server.control.faults(CreateAnswerLost(times=1))

    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        post(server)

    [prediction] = server.control.predictions()
    assert server.finish(prediction.id)["status"] == "succeeded"
    assert post(server).status_code == 201
    assert server.control.health().requests["create"] == 2


@pytest.mark.parametrize(
    ("status", "title"), [(500, None), (502, None), (402, "Insufficient credit")]
)
def test_create_fails(server: StandIn, status: int, title: str | None) -> None:
    server.control.faults(CreateFails(status=status, times=2))

    answers = [post(server) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [status, status, 201]
    assert answers[0].json().get("title") == title
    assert len(server.control.predictions()) == 1


def test_create_is_throttled(server: StandIn) -> None:
    server.control.faults(CreateFails(status=429, retry_after=9))

    answer = post(server)

    assert answer.status_code == 429
    assert answer.json() == {
        "detail": "Request was throttled. Your rate limit resets in ~9s.",
        "status": 429,
        "retry_after": 9,
    }


def test_create_fails_in_words_of_ones_own(server: StandIn) -> None:
    detail = "This version has been disabled because it consistently fails to complete setup."
    server.control.faults(CreateFails(status=422, title="Version disabled", detail=detail))

    assert post(server).json() == {"title": "Version disabled", "detail": detail, "status": 422}


@pytest.mark.parametrize(("created", "status"), [(True, 201), (False, 504)])
def test_create_hangs(server: StandIn, created: bool, status: int) -> None:
    server.control.faults(CreateHangs(seconds=0.4, created=created))

    begin = time.monotonic()
    answer = post(server)

    assert time.monotonic() - begin >= 0.4
    assert answer.status_code == status
    assert len(server.control.predictions()) == created


def test_a_client_that_does_not_wait_for_a_hanging_create(server: StandIn) -> None:
    server.control.faults(CreateHangs(seconds=1, created=True))

    with pytest.raises(httpx.ReadTimeout):
        server.http.post("/v1/predictions", json={"version": SCHNELL, "input": SMALL}, timeout=0.2)

    [prediction] = server.control.predictions()
    assert server.finish(prediction.id)["status"] == "succeeded"


def test_the_nth_of_those_that_fit(server: StandIn) -> None:
    server.control.faults(PredictionFails(match=Match(prompt="fox", nth=2), error="E1000"))

    prompts = ["a fox", "a lake", "a fox", "a fox"]
    views = [server.run(SCHNELL, **SMALL | {"prompt": prompt}) for prompt in prompts]

    assert [view["error"] for view in views] == [None, None, "E1000", None]
    assert server.control.rules()[0]["matched"] == 3


@pytest.mark.parametrize(
    ("operation", "path"), [("list", "/predictions"), ("secret", "/webhooks/default/secret")]
)
def test_reading_fails(server: StandIn, operation: Any, path: str) -> None:
    server.control.faults(ReadFails(operation=operation, status=502, times=1))

    answers = [server.http.get(f"/v1{path}").status_code for _ in range(2)]

    assert answers == [502, 200]


def test_get_and_cancel_fail(server: StandIn) -> None:
    view = server.run(SCHNELL, **SMALL)
    path = f"/v1/predictions/{view['id']}"
    server.control.faults(
        ReadFails(operation="get", status=404, times=1),
        ReadFails(operation="cancel", status=429, retry_after=3),
    )

    assert [server.http.get(path).status_code for _ in range(2)] == [404, 200]
    assert server.http.post(f"{path}/cancel").json()["retry_after"] == 3


def test_output_null(server: StandIn) -> None:
    server.control.faults(OutputNull())

    view = server.run(SCHNELL, **SMALL)

    assert (view["status"], view["output"], view["error"]) == ("succeeded", None, None)


def test_an_odd_answer(server: StandIn) -> None:
    """As text, for a JSON library would not write all of it."""
    fields = r'{"error": "half \ud83d", "metrics": {"total_time": -0.5, "predict_time": 1e400}}'
    server.control.faults(OddAnswer(fields=fields))
    with receiver() as inbox:
        created = server.create(SCHNELL, input=SMALL, webhook=inbox.url)
        view = server.finish(created["id"])
        told = [each.body.decode() for each in inbox.wait(2)]
    assert (view["status"], view["error"]) == ("succeeded", "half \ud83d")
    got = server.http.get(f"/v1/predictions/{created['id']}").text
    for each in (got, told[-1]):
        assert fields[1:] in each
        assert each.count('"metrics"') == 1


def test_the_safety_checker_drops_some_outputs(server: StandIn) -> None:
    server.control.faults(NsfwFilter(flagged=1))

    view = server.run(SCHNELL, **SMALL, num_outputs=3)

    assert view["status"] == "succeeded"
    assert [url.rpartition("/")[2] for url in view["output"]] == ["out-0.webp", "out-2.webp"]
    assert view["metrics"]["image_count"] == 2
    assert "NSFW content detected in image 1" in view["logs"]
    assert server.control.prediction(view["id"]).cost_usd == pytest.approx(0.006)


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        (
            SCHNELL,
            (
                "All generated images contained NSFW content. "
                "Try running it again with a different prompt."
            ),
        ),
        (SDXL, "NSFW content detected. Try running it again, or try a different prompt."),
        (
            "black-forest-labs/flux-1.1-pro",
            (
                "The input or output was flagged as sensitive. "
                "Please try again with different inputs. (E005)"
            ),
        ),
    ],
)
def test_an_indecent_prompt_fails(server: StandIn, reference: str, error: str) -> None:
    view = server.run(reference, prompt="something NSFW")

    assert (view["status"], view["error"], view["output"]) == ("failed", error, None)
    assert server.control.prediction(view["id"]).billed is False


def test_the_safety_checker_can_be_switched_off(server: StandIn) -> None:
    asked = {**SMALL, "prompt": "nsfw", "disable_safety_checker": True}

    assert server.run(SCHNELL, **asked)["status"] == "succeeded"


def test_all_outputs_dropped_by_order(server: StandIn) -> None:
    server.control.faults(NsfwFilter(times=1))

    views = [server.run(SCHNELL, **SMALL) for _ in range(2)]

    assert [view["status"] for view in views] == ["failed", "succeeded"]


@pytest.fixture(scope="module")
def whole(shared: StandIn) -> bytes:
    """The file all the faults below spoil."""
    return web.get(shared.run(SCHNELL, **SMALL)["output"][0]).content


def spoiled(server: StandIn, fault: FileFault) -> str:
    """The address of a file that the fault befalls."""
    server.control.faults(fault)
    return str(server.run(SCHNELL, **SMALL)["output"][0])


def test_a_truncated_file(server: StandIn, whole: bytes) -> None:
    url, content = spoiled(server, FileFault(kind="truncated", downloads=1)), bytearray()

    with web.stream("GET", url) as answer, pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012
        assert answer.headers["content-length"] == str(len(whole))
        for chunk in answer.iter_raw():
            content += chunk

    assert content == whole[: len(whole) // 2]
    assert web.get(url).content == whole


def test_a_shortened_file(server: StandIn, whole: bytes) -> None:
    answer = web.get(spoiled(server, FileFault(kind="shortened")))

    assert answer.content == whole[: len(whole) // 2]


def test_a_stalled_file(server: StandIn) -> None:
    url = spoiled(server, FileFault(kind="stalled", seconds=30))

    with pytest.raises(httpx.ReadTimeout):
        web.get(url, timeout=0.3)


def test_a_file_of_the_wrong_type(server: StandIn) -> None:
    answer = web.get(spoiled(server, FileFault(kind="wrong_type")))

    assert answer.headers["content-type"] == "image/webp"
    assert answer.text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("fault", "status", "length"),
    [
        (FileFault(kind="empty"), 200, 0),
        (FileFault(kind="expired"), 404, None),
        (FileFault(kind="failing", status=503), 503, None),
    ],
)
def test_a_file_that_is_not_there(
    server: StandIn, fault: FileFault, status: int, length: int | None
) -> None:
    answer = web.get(spoiled(server, fault))

    assert answer.status_code == status
    assert length is None or len(answer.content) == length


def test_a_fault_of_one_output_only(server: StandIn) -> None:
    server.control.faults(FileFault(kind="expired", index=1))

    urls = server.run(SCHNELL, **SMALL, num_outputs=2)["output"]

    assert [web.get(url).status_code for url in urls] == [200, 404]


def test_a_huge_file_is_made_while_it_is_sent(server: StandIn, whole: bytes) -> None:
    size = 64 * 1024**2 + 7
    url = spoiled(server, FileFault(kind="huge", size=size))
    received, head = 0, b""

    with web.stream("GET", url) as answer:
        for chunk in answer.iter_raw():
            head += chunk[: max(0, len(whole) - len(head))]
            received += len(chunk)

    assert answer.headers["content-length"] == str(size)
    assert received == size
    assert head == whole


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "no_such_fault"},
        {"fault": "create_fails", "colour": "red"},
        {"fault": "file", "kind": "melted"},
        {"fault": "webhook", "kind": "drop", "match": {"nth": 0}},
    ],
)
def test_rules_that_make_no_sense_are_refused(server: StandIn, rule: dict[str, Any]) -> None:
    server.control.faults(OutputNull())

    answer = server.http.put("/_control/faults", json={"rules": [rule]})

    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert [kept["fault"] for kept in server.control.rules()] == ["output_null"]


def test_files_have_the_headers_of_the_real_host(server: StandIn, whole: bytes) -> None:
    url = server.run(SCHNELL, **SMALL)["output"][0]

    answer = web.get(url)

    md5 = hashlib.md5(whole).hexdigest()
    assert answer.headers["etag"] == f'"{md5}"'
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-length"] == str(len(whole))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "public,max-age=3600"
    assert answer.headers["last-modified"].endswith(" GMT")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert len(url.split("/")[-2]) == 45
    assert web.head(url).headers["content-length"] == str(len(whole))


@pytest.mark.parametrize(
    ("asked", "part"),
    [("bytes=0-9", slice(0, 10)), ("bytes=100-", slice(100, None)), ("bytes=-5", slice(-5, None))],
)
def test_ranges(server: StandIn, whole: bytes, asked: str, part: slice) -> None:
    url = server.run(SCHNELL, **SMALL)["output"][0]

    answer = web.get(url, headers={"range": asked})

    assert answer.status_code == 206
    assert answer.content == whole[part]
    assert answer.headers["content-range"].endswith(f"/{len(whole)}")
    beyond = web.get(url, headers={"range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416
