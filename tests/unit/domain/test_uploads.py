"""What may be uploaded, and what an upload must be to serve as an input."""

from datetime import UTC, datetime, timedelta

import pytest

from vsl.domain.catalogue.uploads import (
    CONTENT_TYPES,
    LIFE,
    UploadedFile,
    UploadRequest,
    fault_of,
    handle_of,
    is_handle,
    parse_upload_request,
    upload_id_of,
)
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import INPUT_MEDIA, MediaType
from vsl.domain.jobs.object_keys import upload_key

LIMITS = {MediaType.IMAGE: 1000, MediaType.AUDIO: 2000, MediaType.VIDEO: 3000}
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = new_job_id(AT, "upload")


def faults(body: object) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        parse_upload_request(body, LIMITS)
    fields = caught.value.details["fields"]
    assert isinstance(fields, list)
    return {field["field"]: field["message"] for field in fields}


def test_a_request_is_read() -> None:
    body = {
        "userId": "u",
        "contentType": "audio/wav",
        "fileName": "Lied \N{FOX FACE}.wav",
        "size": 2000,
    }
    asked = parse_upload_request(body, LIMITS)
    assert asked == UploadRequest("audio/wav", "Lied \N{FOX FACE}.wav", 2000)
    assert asked.media_type is MediaType.AUDIO
    assert parse_upload_request({"contentType": "video/mp4"}, LIMITS).size is None


@pytest.mark.parametrize(
    "content_type",
    [None, 7, "", "image/svg+xml", "text/html", "IMAGE/PNG", "image/png; charset=x", "image/*",
     ["image/png"], "image/png\r\nX-Evil: 1"],
)  # fmt: skip
def test_only_known_content_types_are_taken(content_type: object) -> None:
    assert "must be one of image/png" in faults({"contentType": content_type})["contentType"]


@pytest.mark.parametrize(
    "name",
    ["", "../../etc/passwd", "a\\b", "a\r\nX: 1", "a\x00.png", "\ud800", "x" * 256, 7, ["a"]],
)
def test_a_file_name_is_a_name(name: object) -> None:
    assert "fileName" in faults({"contentType": "image/png", "fileName": name})


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "10", 1001, 10**400])
def test_a_size_fits(size: object) -> None:
    assert "size" in faults({"contentType": "image/png", "size": size})


def test_nobody_is_no_user() -> None:
    assert faults({"contentType": "image/png", "userId": None}).keys() == {"userId"}


def test_all_faults_are_named_at_once() -> None:
    assert faults({"type": "x", "size": 0}).keys() == {"type", "contentType", "size"}
    assert faults([]).keys() == {"body"}


def test_a_handle_is_the_id_with_a_prefix() -> None:
    assert upload_id_of(handle_of(ID)) == ID
    assert is_handle(handle_of(ID))
    assert not is_handle(7)
    assert not is_handle("an upload:" + ID)


@pytest.mark.parametrize(
    "handle",
    [
        "upload:",
        "upload:x",
        f"upload:../{ID}",
        f"upload:{ID}/",
        f"upload: {ID}",
        "upload:" + ID.upper(),
    ],
)
def test_what_only_begins_like_a_handle_is_refused(handle: str) -> None:
    with pytest.raises(ValueError, match="must be the handle"):
        upload_id_of(handle)


@pytest.mark.parametrize("user", ["a", "a@b.c", "auth0|17", "a..b", "A:b+c=d~e"])
def test_a_key_has_the_user_as_one_segment(user: str) -> None:
    assert upload_key(user, ID).count("/") == 3
    assert upload_key(user, ID).startswith("temp/uploads/")


def fault(
    found: UploadedFile | None, wanted: MediaType | None = MediaType.IMAGE, hours: float = 1
) -> str | None:
    return fault_of(found, "upload:x", wanted, LIMITS, AT + timedelta(hours=hours))


def test_a_fitting_upload_has_no_fault() -> None:
    assert fault(UploadedFile("image/png", 1000, AT)) is None
    assert fault(UploadedFile("video/mp4", 3000, AT), None) is None
    assert fault(UploadedFile("image/png", 1, AT), hours=LIFE / timedelta(hours=1)) is None


def test_an_upload_that_does_not_fit_is_told_why() -> None:
    absent = fault(None)
    assert absent is not None
    assert "was not found: it was never uploaded" in absent
    assert fault(UploadedFile("image/png", 1, AT), hours=24.01) == absent
    assert fault(UploadedFile("audio/wav", 1, AT)) == "upload:x is audio; wanted is image"
    assert (
        fault(UploadedFile("image/png", 1001, AT)) == "upload:x has 1,001 bytes; 1,000 are allowed"
    )
    assert fault(UploadedFile("image/png", 0, AT)) is not None
    assert fault(UploadedFile("text/html", 1, AT), None) == "upload:x is no media; wanted is media"


def test_every_media_type_can_be_uploaded() -> None:
    assert set(CONTENT_TYPES.values()) == INPUT_MEDIA
