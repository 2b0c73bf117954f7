"""A request becomes a job: the same one however often its execution asks."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.support.jobs import catalogue, make_job
from vsl.domain.errors import (
    Forbidden,
    InvalidParameters,
    InvalidRequest,
    PayloadTooLarge,
    UnknownModel,
)
from vsl.domain.ids import timestamp_of
from vsl.domain.job import Job
from vsl.domain.uri import MAX_DATA_CHARACTERS
from vsl.domain.validation import MAX_TEXT_CHARACTERS
from vsl.services.accept_request import (
    MAX_REQUEST_BYTES,
    Execution,
    accept_request,
    accepted_answer,
)

STARTED = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)
EXECUTION = Execution("arn:aws:states:::execution:one", "console-test", STARTED)
REQUEST = {"userId": "user-1", "modelId": "flux-schnell", "parameters": {"prompt": "a lighthouse"}}


class MemoryOnce:
    def __init__(self) -> None:
        self.results: dict[str, dict[str, Any]] = {}

    def once(
        self, key: str, body: Mapping[str, Any], produce: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        return self.results.setdefault(key, produce())


def accept(document: Mapping[str, Any], execution: Execution = EXECUTION, **options: Any) -> Job:
    given = {"once": MemoryOnce(), "check": lambda _job: None, **options}
    return accept_request(document, execution, catalogue=catalogue(), **given)


def test_defaults_price_and_time_are_filled_in() -> None:
    job = accept({"request": REQUEST})
    assert job.parameters["prompt"] == "a lighthouse"
    assert job.parameters["num_outputs"] == 1
    assert job.estimated_cost == Decimal("0.003")
    assert job.estimated_time > 0
    assert job.timeout_seconds > job.estimated_time


def test_a_retried_execution_names_the_same_job() -> None:
    first, again = accept({"request": REQUEST}), accept({"request": REQUEST})
    assert first == again
    assert timestamp_of(first.job_id) == int(STARTED.timestamp() * 1000)


def test_an_execution_named_by_a_job_id_is_that_job() -> None:
    job_id = make_job().job_id
    assert accept(REQUEST, Execution("arn", job_id, STARTED)).job_id == job_id


def test_a_request_may_have_so_many_bytes_and_no_more() -> None:
    def request(size: int, filler: str = "x") -> dict[str, Any]:
        empty = len(json.dumps({**REQUEST, "note": ""}))
        return {**REQUEST, "note": filler * ((size - empty) // len(filler.encode()))}

    with pytest.raises(InvalidRequest, match="note is not known"):
        accept({"request": request(MAX_REQUEST_BYTES)})
    for filler in ("x", "\N{FOX FACE}"):
        with pytest.raises(PayloadTooLarge, match="at most 131,072 are allowed") as caught:
            accept({"request": request(MAX_REQUEST_BYTES + 8, filler)})
        assert caught.value.details == {"limit": MAX_REQUEST_BYTES}
    assert MAX_DATA_CHARACTERS + MAX_TEXT_CHARACTERS < MAX_REQUEST_BYTES


def from_the_api(subject: str | None, **changes: Any) -> dict[str, Any]:
    """The machine's input as the API's template writes it."""
    request = {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}
    return {"request": request, "idempotencyKey": "", "requestId": "r1", "subject": subject}


def test_with_tokens_a_request_belongs_to_the_subject() -> None:
    for user_id in ("user-1", None):
        job = accept(from_the_api("user-1", userId=user_id), known_by_token=True)
        assert job.user_id == "user-1"


@pytest.mark.parametrize(
    ("subject", "user_id"),
    [("user-1", "user-2"), ("", "user-1"), (None, "user-1")],
)
def test_with_tokens_nobody_asks_in_anothers_name(subject: str | None, user_id: object) -> None:
    with pytest.raises(Forbidden):
        accept(from_the_api(subject, userId=user_id), known_by_token=True)


def test_with_tokens_an_api_request_without_a_subject_is_refused() -> None:
    document = from_the_api("")
    del document["subject"]
    with pytest.raises(Forbidden):
        accept(document, known_by_token=True)


def test_with_tokens_operators_and_the_door_name_whom_they_want() -> None:
    job = accept(REQUEST, known_by_token=True)
    assert job.user_id == "user-1"
    assert accept({"request": REQUEST}, known_by_token=True) == job
    assert accept({"job": job.document()}, known_by_token=True) == job


def test_without_tokens_the_user_is_required() -> None:
    with pytest.raises(InvalidRequest, match="userId is required"):
        accept(from_the_api("", userId=None))


def test_a_key_belongs_to_its_user() -> None:
    once = MemoryOnce()
    executions = [Execution(f"arn:{n}", f"run-{n}", STARTED) for n in range(3)]
    first, other, again = (
        accept(
            from_the_api(user, userId=None) | {"idempotencyKey": "key"},
            execution,
            once=once,
            known_by_token=True,
        )
        for user, execution in zip(("user-1", "user-2", "user-1"), executions, strict=True)
    )
    assert first.job_id != other.job_id
    assert first == again


def test_the_bare_request_is_enough() -> None:
    assert accept(REQUEST).user_id == "user-1"


def test_a_job_from_the_door_is_validated_and_priced_again() -> None:
    job = accept({"request": REQUEST})
    document = job.document() | {"estimatedCost": "0", "timeoutSeconds": 9}
    assert accept({"job": document}, Execution("other", "other", STARTED)) == job
    spoiled = job.document() | {"parameters": {"prompt": "x", "num_outputs": 99}}
    with pytest.raises(InvalidParameters):
        accept({"job": spoiled})


def test_the_same_key_gives_the_first_job() -> None:
    once = MemoryOnce()
    document = {"request": REQUEST, "idempotencyKey": "order-17"}
    first = accept(document, once=once)
    later = Execution("arn:two", "two", datetime(2026, 3, 2, tzinfo=UTC))
    assert accept(document, later, once=once) == first
    assert accept(document | {"idempotencyKey": ""}, later, once=once) != first


def test_keys_belong_to_their_user() -> None:
    once = MemoryOnce()
    accept({"request": REQUEST, "idempotencyKey": "k"}, once=once)
    accept({"request": REQUEST | {"userId": "user-2"}, "idempotencyKey": "k"}, once=once)
    assert len(once.results) == 2


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"request": None}, InvalidRequest),
        ({"request": {**REQUEST, "modelId": "fluks-schnell"}}, UnknownModel),
        ({"request": {**REQUEST, "parameters": {}}}, InvalidParameters),
        ({"request": REQUEST, "idempotencyKey": "x" * 256}, InvalidRequest),
        ({"request": REQUEST, "idempotencyKey": "a\nb"}, InvalidRequest),
        ({"job": {"jobId": "not-one"}}, InvalidRequest),
    ],
)
def test_what_is_wrong_is_refused(document: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        accept(document)


def test_the_answer_names_the_status_address() -> None:
    job = accept({"request": REQUEST})
    answer = accepted_answer(job, "https://api.example.com/homolog/generate-media")
    assert answer == {
        "jobId": job.job_id,
        "status": "pending",
        "estimatedTime": job.estimated_time,
        "estimatedCost": 0.003,
        "replicateId": None,
        "statusUrl": f"https://api.example.com/homolog/status/{job.job_id}",
    }
    assert accepted_answer(job, None)["statusUrl"] == f"/status/{job.job_id}"


def test_a_token_owns_the_job_whether_the_body_says_so_or_not() -> None:
    unnamed = {name: value for name, value in REQUEST.items() if name != "userId"}
    assert accept({"request": unnamed, "subject": "user-1"}).user_id == "user-1"
    assert accept({"request": REQUEST, "subject": "user-1"}).user_id == "user-1"
    assert accept({"request": REQUEST, "subject": ""}).user_id == "user-1"  # a trusted back end


def test_a_token_cannot_speak_for_another_user() -> None:
    with pytest.raises(Forbidden):
        accept({"request": REQUEST, "subject": "somebody-else"})
    with pytest.raises(InvalidRequest):
        accept({"request": {**REQUEST, "userId": {"a": 1}}, "subject": "somebody-else"})


def test_a_request_cannot_bring_a_subject_of_its_own() -> None:
    with pytest.raises(InvalidRequest):
        accept({"request": {**REQUEST, "subject": "user-1"}, "subject": "user-1"})


def test_two_users_with_the_same_idempotency_key_get_jobs_of_their_own() -> None:
    once = MemoryOnce()
    unnamed = {name: value for name, value in REQUEST.items() if name != "userId"}
    jobs = [
        accept({"request": unnamed, "idempotencyKey": "k", "subject": user}, once=once)
        for user in ("user-1", "user-2")
    ]
    assert [job.user_id for job in jobs] == ["user-1", "user-2"]


@pytest.mark.parametrize("form", ["request", "job", "bare"])
def test_every_job_is_looked_into_before_it_is_accepted(form: str) -> None:
    seen: list[Job] = []
    document = {"request": {"request": REQUEST}, "job": {"job": accept(REQUEST).document()}}
    job = accept(document.get(form, REQUEST), check=seen.append)
    assert seen == [job]


def test_who_repeats_an_accepted_request_is_spared_a_second_look() -> None:
    class Kept:
        def once(
            self, _key: str, _body: Mapping[str, Any], _produce: Callable[[], dict[str, Any]]
        ) -> dict[str, Any]:
            return make_job().document()

    def gone(_job: Job) -> None:
        raise InvalidParameters("The upload has expired.")

    keyed = {"request": REQUEST, "idempotencyKey": "k"}
    assert accept(keyed, once=Kept(), check=gone) == make_job()
    with pytest.raises(InvalidParameters):
        accept(keyed, check=gone)


def test_the_address_to_call_back_stays_with_the_job() -> None:
    url = "https://client.example/ended"
    job = accept({"request": REQUEST | {"callbackUrl": url}})
    assert job.callback_url == url
    assert Job.from_document(job.document()) == job
    assert accept({"job": job.document()}).callback_url == url
    assert url not in repr(job), "it may carry a token of the client's"
    assert "callbackUrl" not in accept({"request": REQUEST}).document()


def test_only_the_local_stack_calls_back_without_tls() -> None:
    document = {"request": REQUEST | {"callbackUrl": "http://127.0.0.1:9/ended"}}
    with pytest.raises(InvalidRequest, match="https"):
        accept(document)
    assert accept(document, allow_http=True).callback_url == "http://127.0.0.1:9/ended"
