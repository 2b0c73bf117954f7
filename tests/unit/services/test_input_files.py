"""Handles as inputs: checked when a job is accepted, turned into addresses when it is submitted."""

import json
from datetime import timedelta
from typing import Any

from tests.support.jobs import catalogue, make_job
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.mapping import provider_call
from vsl.domain.catalogue.uploads import UploadedFile, UploadForm, UploadRequest
from vsl.domain.catalogue.validation import build_provider_input, validate_parameters
from vsl.domain.errors import InvalidParameters
from vsl.domain.jobs.job import Job, MediaType
from vsl.domain.jobs.owner_names import BY_USER_ID
from vsl.services.admission.check_prerequisites import CheckPrerequisites
from vsl.services.submission.provider_call import ADDRESS_SLACK_SECONDS, with_addresses

ID = "019ca945-0afa-70d8-98e0-985ecc7f6041"
OTHER = "019ca945-0afa-70d8-98e0-985ecc7f6042"
LIMITS = dict.fromkeys(MediaType, 1000)


class MemoryUploads:
    """Files by user and id."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], UploadedFile] = {}

    def form(
        self, user_id: str, upload_id: str, request: UploadRequest, max_bytes: int
    ) -> UploadForm:
        raise NotImplementedError

    def find(self, user_id: str, upload_id: str) -> UploadedFile | None:
        return self.files.get((user_id, upload_id))

    def address(self, user_id: str, upload_id: str, seconds: int) -> str:
        return f"https://bucket/{user_id}/{upload_id}?{seconds}"


def job_of(model_id: str, user: str = "user-1", **given: object) -> Job:
    model = catalogue().find(model_id)
    parameters = validate_parameters(model, given, allow_http=False)
    return make_job(
        user_id=user, model_id=model_id, parameters=parameters, timeout_seconds=model.timeout
    )


def addressed(job: Job) -> dict[str, Any]:
    call = provider_call(catalogue().find(job.model_id), job.parameters)
    return with_addresses(job, call, MemoryUploads())


def faults(job: Job, uploads: MemoryUploads, models: Catalogue | None = None) -> dict[str, str]:
    check = CheckPrerequisites(models or catalogue(), uploads, BY_USER_ID, LIMITS)
    try:
        check(job)
    except InvalidParameters as error:
        fields = error.details["fields"]
        assert isinstance(fields, list)
        return {field["field"]: field["message"] for field in fields}
    return {}


def test_a_users_own_upload_is_an_input() -> None:
    uploads, job = MemoryUploads(), job_of("stability-video", image=f"upload:{ID}")
    uploads.files["user-1", ID] = UploadedFile("image/png", 1000, job.created_at)
    assert faults(job, uploads) == {}


def test_somebody_elses_upload_is_not_there() -> None:
    uploads = MemoryUploads()
    job = job_of("stability-video", image=f"upload:{ID}", user="user-2")
    never = faults(job, uploads)
    uploads.files["user-1", ID] = UploadedFile("image/png", 1000, job.created_at)
    assert faults(job, uploads) == never
    assert "belongs to another user" in never["parameters.image"]


def test_an_upload_that_would_be_gone_before_the_job_ends_is_refused_at_once() -> None:
    uploads, job = MemoryUploads(), job_of("stability-video", image=f"upload:{ID}")
    needed = job.deadline - job.created_at
    for spare, fine in ((timedelta(), True), (timedelta(seconds=1), False)):
        at = job.created_at - timedelta(days=1) + needed - spare
        uploads.files["user-1", ID] = UploadedFile("image/png", 1, at)
        assert (faults(job, uploads) == {}) is fine


def test_every_handle_is_looked_at() -> None:
    uploads = MemoryUploads()
    job = job_of("sdxl", prompt="p", image=f"upload:{ID}", mask=f"upload:{OTHER}")
    uploads.files["user-1", ID] = UploadedFile("audio/wav", 1, job.created_at)
    found = faults(job, uploads)
    assert found.keys() == {"parameters.image", "parameters.mask"}
    assert "wanted is image" in found["parameters.image"]


def test_the_provider_gets_an_address_that_outlives_the_prediction() -> None:
    job = job_of("stability-video", image=f"upload:{ID}", num_frames=14)
    model = catalogue().find(job.model_id)
    sent = build_provider_input(model, addressed(job))
    seconds = model.timeout + ADDRESS_SLACK_SECONDS
    assert sent["input_image"] == f"https://bucket/user-1/{ID}?{seconds}"
    assert job.parameters["image"] == f"upload:{ID}", "the job keeps the handle"


def test_a_text_that_looks_like_a_handle_is_a_text() -> None:
    job = job_of("flux-schnell", prompt=f"upload:{ID}")
    assert faults(job, MemoryUploads()) == {}
    assert addressed(job)["prompt"] == f"upload:{ID}"


REFERENCES = Catalogue.parse(
    json.dumps(
        {
            "image": {
                "blend": {
                    "reference": "acme/blend",
                    "description": "Blends images.",
                    "output": "single",
                    "parameters": {"images": {"type": "array", "items": "uri", "media": "image"}},
                    "estimatedTime": 5,
                    "timeout": 60,
                    "example": {},
                }
            }
        }
    )
)


def blend(*images: str) -> Job:
    model = REFERENCES.find("blend")
    parameters = validate_parameters(model, {"images": list(images)}, allow_http=False)
    call = provider_call(model, parameters)
    return make_job(model_id="blend", parameters=parameters, call=call)


def test_members_of_a_list_may_be_uploads() -> None:
    uploads = MemoryUploads()
    job = blend(f"upload:{ID}", "https://example.com/a.png", f"upload:{OTHER}", f"upload:{ID}")
    uploads.files["user-1", ID] = UploadedFile("image/png", 1, job.created_at)
    uploads.files["user-1", OTHER] = UploadedFile("audio/wav", 1, job.created_at)

    found = faults(job, uploads, REFERENCES)
    assert found == {"parameters.images": f"upload:{OTHER} is audio; wanted is image"}

    assert job.call
    seconds = job.timeout_seconds + ADDRESS_SLACK_SECONDS
    assert job.call.input(with_addresses(job, job.call, uploads)) == {
        "images": [
            f"https://bucket/user-1/{ID}?{seconds}",
            "https://example.com/a.png",
            f"https://bucket/user-1/{OTHER}?{seconds}",
            f"https://bucket/user-1/{ID}?{seconds}",
        ]
    }


def test_a_list_without_uploads_asks_for_none() -> None:
    job = blend("https://example.com/a.png")
    assert job.call
    assert job.call.uploads == ()
    assert faults(job, MemoryUploads(), REFERENCES) == {}


def test_other_addresses_are_left_alone() -> None:
    job = job_of("stability-video", image="https://example.com/upload:a.png")
    assert addressed(job) == job.parameters
