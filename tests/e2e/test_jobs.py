"""Whole jobs on the running stack: from the HTTP request to the bytes a client downloads."""

import hashlib
import io
from decimal import Decimal
from typing import Any

import av
import psycopg
import pytest
from PIL import Image

from devstack.replicate.control import Control
from devstack.replicate.faults import CreateAnswerLost, FileFault, NsfwFilter, PredictionFails
from tests.support import web
from tests.support.api import unique
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e


def download(output: dict[str, Any]) -> bytes:
    content = web.get(output["originalUrl"])
    assert content.status_code == 200
    assert content.headers["content-type"] == output["contentType"]
    assert len(content.content) == output["fileSize"]
    assert hashlib.sha256(content.content).hexdigest() == output["sha256"]
    return content.content


def predictions_of(control: Control, prompt: str) -> list[Any]:
    return [each for each in control.predictions() if each.input.get("prompt") == prompt]


def test_an_image(stack: Stack) -> None:
    status = stack.api.run(
        "flux-schnell", {"prompt": unique("a lighthouse"), "width": 1344, "height": 768}
    )
    assert status["status"] == "succeeded", status
    result = status["result"]
    with Image.open(io.BytesIO(download(result))) as image:
        assert image.size == (result["width"], result["height"]) == (1344, 768)
    thumbnail = web.get(result["thumbnailUrl"])
    with Image.open(io.BytesIO(thumbnail.content)) as image:
        assert image.format == "WEBP"
        assert max(image.size) <= 640


def test_a_video_from_an_image(stack: Stack) -> None:
    image = stack.api.run("flux-schnell", {"prompt": unique("a harbour")})
    status = stack.api.run(
        "stability-video",
        {"image": image["result"]["originalUrl"], "fps": 12, "num_frames": 14},
        media_type="video",
    )
    assert status["status"] == "succeeded", status
    result = status["result"]
    assert result["contentType"] == "video/mp4"
    assert (result["fps"], result["codec"]) == (12, "h264")
    assert result["duration"] == pytest.approx(14 / 12, abs=0.2)
    assert result["thumbnailUrl"]
    with av.open(io.BytesIO(download(result)), "r") as container:
        frames = [bytes(frame.planes[0]) for frame in container.decode(video=0)]
    assert len(frames) == 14
    assert frames[0] != frames[-1], "it moves"


def test_music(stack: Stack) -> None:
    status = stack.api.run("musicgen", {"prompt": unique("slow piano"), "duration": 4})
    assert status["status"] == "succeeded", status
    result = status["result"]
    assert result["contentType"] == "audio/wav"
    assert result["duration"] == pytest.approx(4, abs=0.1)
    assert download(result)[:4] == b"RIFF"
    assert result["thumbnailUrl"], "a waveform"


def test_two_outputs_keep_their_order(stack: Stack) -> None:
    status = stack.api.run("flux-schnell", {"prompt": unique("twins"), "num_outputs": 2})
    assert [output["s3Path"].rpartition("/")[2][0] for output in status["outputs"]] == ["0", "1"]
    first, second = map(download, status["outputs"])
    assert first != second
    assert status["actualCost"] == "0.006"


def test_every_store_tells_the_same(stack: Stack) -> None:
    """PostgreSQL, the live item and Redis agree, and the timeline names who did what."""
    status = stack.api.run("flux-schnell", {"prompt": unique("a fox")})
    with psycopg.connect(stack.database_url) as connection:
        row = connection.execute(
            "SELECT status::text, replicate_id, actual_cost FROM jobs WHERE job_id = %s",
            [status["jobId"]],
        ).fetchone()
        events = connection.execute(
            "SELECT name FROM job_events WHERE job_id = %s", [status["jobId"]]
        ).fetchall()
        webhooks = connection.execute(
            "SELECT count(*) FROM webhook_events WHERE job_id = %s", [status["jobId"]]
        ).fetchone()
    assert row is not None
    assert row[:2] == ("succeeded", status["replicateId"])
    assert row[2] == Decimal(status["actualCost"])
    assert {name for (name,) in events} >= {"created", "submitted", "outcome_recorded", "succeeded"}
    assert webhooks is not None
    assert webhooks[0] >= 1
    live = stack.tracking_store().get(status["jobId"])
    assert live is not None
    assert live.result is not None
    assert live.result["status"] == "succeeded"
    assert live.task_token is None


@pytest.mark.parametrize(
    "prompt",
    [
        "quotes \" and ' and \\ and \\\\n",
        "line\nbreak\ttab",
        "emoji 🎉 ünïcödé 日本語",
        "#set($x = 1) $x ${y} #if(true) $input.json('$')",
        '{"json": ["in", "text"]}',
        "</script><b>&amp;",
    ],
)
def test_a_prompt_reaches_the_provider_unharmed(stack: Stack, prompt: str) -> None:
    text = unique(prompt)
    stack.api.run("flux-schnell", {"prompt": text})
    (prediction,) = predictions_of(stack.control, text)
    assert prediction.input["prompt"] == text


def test_a_lost_create_answer_is_paid_once(stack: Stack) -> None:
    prompt = unique("lost answer")
    stack.control.faults(CreateAnswerLost.model_validate({"match": {"prompt": prompt}, "times": 1}))
    status = stack.api.run("flux-schnell", {"prompt": prompt})
    assert status["status"] == "succeeded", status
    assert len(predictions_of(stack.control, prompt)) == 1


def test_a_failing_model_is_told_by_its_code(stack: Stack) -> None:
    prompt = unique("out of memory")
    stack.control.faults(
        PredictionFails.model_validate(
            {"match": {"prompt": prompt}, "error": "CUDA out of memory. Tried to allocate 26 GiB"}
        )
    )
    status = stack.api.run("flux-schnell", {"prompt": prompt})
    assert (status["status"], status["errorCode"]) == ("failed", "PredictionFailed")
    assert status["error"]
    assert status["result"] is None
    assert status["actualCost"] == "0"
    execution = stack.execution(status["jobId"])
    assert (execution["status"], execution["error"]) == ("FAILED", "PredictionFailed")


def test_flagged_content_fails_as_such(stack: Stack) -> None:
    prompt = unique("flagged")
    stack.control.faults(NsfwFilter.model_validate({"match": {"prompt": prompt}}))
    status = stack.api.run("flux-schnell", {"prompt": prompt})
    assert (status["status"], status["errorCode"]) == ("failed", "ContentFlagged")


def test_a_partly_flagged_output_keeps_what_came(stack: Stack) -> None:
    prompt = unique("partly flagged")
    stack.control.faults(NsfwFilter.model_validate({"match": {"prompt": prompt}, "flagged": 1}))
    status = stack.api.run("flux-schnell", {"prompt": prompt, "num_outputs": 3})
    assert status["status"] == "succeeded", status
    assert len(status["outputs"]) == 2


@pytest.mark.parametrize(
    ("kind", "code"), [("expired", "OutputExpired"), ("empty", "OutputInvalid")]
)
def test_an_output_that_cannot_be_used_fails_by_name(stack: Stack, kind: str, code: str) -> None:
    prompt = unique(kind)
    stack.control.faults(FileFault.model_validate({"match": {"prompt": prompt}, "kind": kind}))
    status = stack.api.run("flux-schnell", {"prompt": prompt})
    assert (status["status"], status["errorCode"]) == ("failed", code)


def test_one_bad_file_of_several_does_not_lose_the_others(stack: Stack) -> None:
    prompt = unique("one expired")
    fault = {"match": {"prompt": prompt}, "kind": "expired", "index": 1}
    stack.control.faults(FileFault.model_validate(fault))
    status = stack.api.run("flux-schnell", {"prompt": prompt, "num_outputs": 3})
    assert status["status"] == "succeeded", status
    names = [output["s3Path"].rpartition("/")[2] for output in status["outputs"]]
    assert [name[:2] for name in names] == ["0-", "2-"]
    address = f"{stack.api.url}/jobs/{status['jobId']}/timeline"
    timeline = web.get(address).json()
    events = {event["name"]: event for event in timeline["events"]}
    assert events["stored"]["detail"]["lost"] == [{"output": 1, "code": "OutputExpired"}]


def test_a_page_in_place_of_media_is_delivered_as_an_attachment(stack: Stack) -> None:
    prompt = unique("wrong type")
    fault = {"match": {"prompt": prompt}, "kind": "wrong_type"}
    stack.control.faults(FileFault.model_validate(fault))
    status = stack.api.run("flux-schnell", {"prompt": prompt})
    assert status["status"] == "succeeded", status
    assert status["result"]["contentType"] == "application/octet-stream"
    answer = web.get(status["result"]["originalUrl"])
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"


def test_a_broken_download_is_tried_again(stack: Stack) -> None:
    prompt = unique("broken download")
    stack.control.faults(
        FileFault.model_validate({"match": {"prompt": prompt}, "kind": "truncated", "downloads": 1})
    )
    status = stack.api.run("flux-schnell", {"prompt": prompt})
    assert status["status"] == "succeeded", status
    download(status["result"])
