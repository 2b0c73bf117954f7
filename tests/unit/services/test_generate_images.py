"""One request of OpenAI's images API is one job, and the answer is its end."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.fakes import SteppedClock
from tests.support.models import catalogue
from vsl.domain.api.repetition import Repetition
from vsl.domain.compat.openai_errors import OpenAIError
from vsl.domain.compat.openai_request import File, parse_image_request
from vsl.domain.errors import InvalidRequest, RateLimitExceeded, StoreUnavailable
from vsl.domain.jobs.job import MediaType
from vsl.runtime.wiring import content_type
from vsl.services.admission.submit_job import SubmitJob
from vsl.services.compat.generate_images import GenerateImages, Sender
from vsl.services.compat.image_files import KeepImageFiles
from vsl.services.compat.named_models import NamedModels
from vsl.services.ports.workflow import WorkflowAnswer
from vsl.services.reading.waited import Waited

SENDER = Sender("ann", "request-1")
PNG = b"\x89PNG\r\n\x1a\n and more"
OUTPUT = {"originalUrl": "https://media/0.png", "s3Path": "media/0.png", "fileSize": 3}


@dataclass
class World:
    """`end` is the job's status document, None while it runs; `granted`: there is a place to wait."""

    end: dict[str, Any] | None = None
    granted: bool = True
    answer: WorkflowAnswer | None = None
    stored: dict[str, bytes] = field(default_factory=lambda: {"media/0.png": b"abc"})
    ran: list[dict[str, Any]] = field(default_factory=list)
    kept: list[tuple[str, str, str]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def run(self, document: Mapping[str, Any]) -> WorkflowAnswer:
        self.ran.append(dict(document) | {"body": json.loads(document["body"])})
        return self.answer or WorkflowAnswer(202, {}, {"jobId": "job-1", "estimatedTime": 12.0})

    def put(
        self, user_id: str, upload_id: str, content: bytes, content_type: str, name: str
    ) -> None:
        assert (content, bool(name)) == (PNG, True)
        self.kept.append((user_id, upload_id, content_type))

    def wait(self, job_id: str, user_id: str, wait_id: str, seconds: float) -> Waited:
        assert (job_id, user_id, wait_id) == ("job-1", "ann", "request-1")
        self.waits.append(seconds)
        if not self.granted:
            return Waited(granted=False)
        return Waited(True, self.end or {"status": "processing"}, ended=self.end is not None)

    def __call__(
        self, *files: File, sender: Sender = SENDER, seconds: float = 20.0, **members: Any
    ) -> Any:
        given = {"model": "flux-schnell", "prompt": "a bell", **members}
        generate = GenerateImages(
            models=NamedModels(catalogue(), {"dall-e-3": "sdxl", "gone": "no-such-model"}),
            keep_files=KeepImageFiles(self, {MediaType.IMAGE: 1000}, content_type),
            submit=SubmitJob(self),
            wait=self.wait,
            read_object=self.stored.get,
            clock=SteppedClock(),
        )
        request = parse_image_request(given, files, editing=bool(files))
        return generate(request, sender, lambda: seconds)


def ended(status: str = "succeeded", **more: Any) -> dict[str, Any]:
    return {"status": status, "outputs": [OUTPUT], "errorCode": None, "error": None, **more}


def test_one_job_under_the_callers_name() -> None:
    world = World(ended())
    made = world(
        user="of theirs", sender=replace(SENDER, key="k", repetition=Repetition(2), api={"id": "a"})
    )
    assert world.ran == [
        {
            "body": {
                "userId": "ann",
                "modelId": "flux-schnell",
                "parameters": {"prompt": "a bell", "num_outputs": 1},
                "metadata": {"user": "of theirs"},
            },
            "idempotencyKey": "k",
            "hasIdempotencyKey": True,
            "query": "",
            "prefer": "",
            "retry": "2",
            "keyId": "",
            "dedupeSeconds": 0,
            "api": {"id": "a"},
        }
    ]
    assert datetime.fromtimestamp(made["created"], UTC).year >= 2026
    assert made["data"] == [{"url": "https://media/0.png", "b64_json": "YWJj"}]


def test_by_address_or_as_it_is() -> None:
    world = World(ended())
    assert world(response_format="url")["data"] == [{"url": "https://media/0.png"}]
    assert world(response_format="b64_json")["data"] == [{"b64_json": "YWJj"}]
    world.end = ended(outputs=[OUTPUT | {"fileSize": 5 * 1024**2}])
    assert world()["data"] == [{"url": "https://media/0.png"}], "what does not fit is left out"
    with pytest.raises(InvalidRequest, match=r"must be url.*job-1"):
        world(response_format="b64_json")
    world.end, world.stored = ended(), {}
    with pytest.raises(StoreUnavailable):
        world()


@pytest.mark.parametrize(
    ("sender", "status"),
    [
        (SENDER, 422),
        (replace(SENDER, repetition=Repetition(0)), 409),
        (replace(SENDER, key="k"), 409),
    ],
)
def test_the_end_of_the_wait_is_repeated_by_who_joins(sender: Sender, status: int) -> None:
    for granted in (True, False):
        answer = World(granted=granted)(sender=sender)
        assert isinstance(answer, OpenAIError)
        assert answer.status == status
        if status == 409:
            assert answer.headers["Retry-After"] == ("1" if granted else "12")


def test_a_refusal_of_the_workflow_and_the_end_of_a_failed_job() -> None:
    refused = {"code": "RateLimitExceeded", "detail": "No.", "retryAfter": 9}
    with pytest.raises(RateLimitExceeded):
        World(answer=WorkflowAnswer(429, {}, refused))()
    failed = World(ended("failed", errorCode="PredictionFailed", error="It broke."))()
    assert (failed.status, failed.body["error"]["message"]) == (422, "It broke.")


def test_files_are_kept_under_a_name_made_of_their_bytes() -> None:
    world = World(ended())
    for _ in range(2):
        world(File("image", PNG), File("mask", PNG), model="dall-e-3")
    assert len({upload_id for _, upload_id, _ in world.kept}) == 1
    assert {(user, kind) for user, _, kind in world.kept} == {("ann", "image/png")}
    first, second = (each["body"] for each in world.ran)
    assert first == second, "so the repetition is an equal request"
    assert first["modelId"] == "sdxl"
    handle = f"upload:{world.kept[0][1]}"
    assert (first["parameters"]["image"], first["parameters"]["mask"]) == (handle, handle)


def test_what_is_refused_leaves_nothing_behind() -> None:
    world = World(ended())
    for files, words in (
        ([File("image", b"<svg/>")], "PNG"),
        ([File("image", PNG + bytes(1000))], "1,000"),
        ([File("image", PNG), File("mask", PNG)], "mask is nothing"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            world(*files, model="flux-dev")
    assert (world.kept, world.ran) == ([], [])


def test_models_and_aliases() -> None:
    models = NamedModels(catalogue(), {"dall-e-3": "sdxl", "gone": "no-such-model"})
    cards = list(models.cards())
    assert [each["id"] for each in cards][:2] == ["dall-e-3", "flux-schnell"]
    assert {"gone", "musicgen"}.isdisjoint(each["id"] for each in cards)
    assert models.card("dall-e-3")["owned_by"] == "stability-ai"
