"""A request becomes a job: the same one however often its execution asks."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.admission import make_accept_request
from tests.support.fakes import MemoryKeys, SteppedClock
from tests.support.jobs import catalogue, make_job
from tests.support.machines import definition
from tests.support.template import REPOSITORY, resource
from vsl.domain.api.caller import Edge
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.uri import MAX_DATA_CHARACTERS
from vsl.domain.catalogue.validation import MAX_TEXT_CHARACTERS
from vsl.domain.errors import (
    Forbidden,
    InvalidParameters,
    InvalidRequest,
    JobDeleted,
    PayloadTooLarge,
    RequestInProgress,
    UnknownModel,
)
from vsl.domain.jobs.execution import Execution
from vsl.domain.jobs.idempotency import CLAIM_SECONDS
from vsl.domain.jobs.ids import timestamp_of
from vsl.domain.jobs.job import Job, JobStatus
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.admission.accepted import Accepted
from vsl.services.admission.machine_input import MAX_REQUEST_BYTES

STARTED = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)
EXECUTION = Execution("arn:aws:states:::execution:one", "console-test", STARTED)
REQUEST = {"userId": "user-1", "modelId": "flux-schnell", "parameters": {"prompt": "a lighthouse"}}


class Items:
    """The tracking items of these jobs, and of no other."""

    def __init__(self, *items: TrackedJob) -> None:
        self.items = {item.job.job_id: item for item in items}

    def get(self, job_id: str) -> TrackedJob | None:
        return self.items.get(job_id)


def item_of(job: Job, **changes: Any) -> TrackedJob:
    """As DynamoDB knows a job that was just created: without its parameters."""
    known = replace(job, parameters={}, call=None)
    item = TrackedJob(known, JobStatus.PENDING, job.deadline, job.created_at)
    return replace(item, **changes)


def accepted(
    document: Mapping[str, Any], execution: Execution = EXECUTION, **options: Any
) -> Accepted:
    keys = options.pop("keys", None) or MemoryKeys()
    given: dict[str, Any] = {"catalogue": catalogue(), "tracking": Items(), **options}
    return make_accept_request(**given)(document, execution, keys)


def accept(document: Mapping[str, Any], execution: Execution = EXECUTION, **options: Any) -> Job:
    return accepted(document, execution, **options).job


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


CLIENTS = ("app-1",)
TOKENS = Edge("COGNITO", CLIENTS)


def claims(subject: str | None) -> dict[str, Any]:
    """What the template passes on of an identity token; of none, empty texts."""
    return {"sub": subject, "aud": "app-1" if subject else "", "token_use": "id" if subject else ""}


def from_the_api(subject: str | None, **changes: Any) -> dict[str, Any]:
    """The machine's input as the API's template writes it."""
    request = {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}
    return {
        "request": request,
        "idempotencyKey": "",
        "requestId": "r1",
        "claims": claims(subject),
    }


def test_with_tokens_a_request_belongs_to_the_subject() -> None:
    for user_id in ("user-1", None):
        job = accept(from_the_api("user-1", userId=user_id), edge=TOKENS)
        assert job.user_id == "user-1"


@pytest.mark.parametrize(
    ("subject", "user_id"),
    [("user-1", "user-2"), ("", "user-1"), (None, "user-1")],
)
def test_with_tokens_nobody_asks_in_anothers_name(subject: str | None, user_id: object) -> None:
    with pytest.raises(Forbidden):
        accept(from_the_api(subject, userId=user_id), edge=TOKENS)


def test_with_tokens_an_api_request_without_a_subject_is_refused() -> None:
    document = from_the_api("")
    del document["claims"]
    with pytest.raises(Forbidden):
        accept(document, edge=TOKENS)


@pytest.mark.parametrize("known_by_token", [True, False])
@pytest.mark.parametrize("changed", [{"aud": "app-2"}, {"token_use": "access"}])
def test_only_tokens_of_known_clients_are_good(
    changed: dict[str, str], *, known_by_token: bool
) -> None:
    document = from_the_api("user-1")
    document["claims"] |= changed
    with pytest.raises(Forbidden):
        accept(document, edge=Edge("COGNITO" if known_by_token else "API_KEY", CLIENTS))


def test_with_tokens_operators_and_the_door_name_whom_they_want() -> None:
    job = accept(REQUEST, edge=TOKENS)
    assert job.user_id == "user-1"
    assert accept({"request": REQUEST}, edge=TOKENS) == job
    assert accept({"job": job.document()}, edge=TOKENS) == job


KEYS = Edge("KEYS")


def by_key(user_id: str | None, key_id: str = "0123456789abcdef", **changes: Any) -> dict[str, Any]:
    """The machine's input behind the authorizer of keys; an operator's key has no user."""
    return from_the_api("", **changes) | {
        "authorizer": {"keyId": key_id, "userId": user_id or ""},
    }


def test_with_keys_a_request_belongs_to_the_user_of_the_key() -> None:
    for user_id in ("user-1", None):
        assert accept(by_key("user-1", userId=user_id), edge=KEYS).user_id == "user-1"


@pytest.mark.parametrize("auth", ["KEYS", "API_KEY", "COGNITO", "NONE"])
def test_a_users_key_is_never_a_back_ends_whatever_this_process_was_told(auth: str) -> None:
    with pytest.raises(Forbidden):
        accept(by_key("user-1", userId="user-2"), edge=Edge(auth))


def test_an_operators_key_names_whom_it_wants() -> None:
    assert accept(by_key(None, userId="user-2"), edge=KEYS).user_id == "user-2"
    with pytest.raises(InvalidRequest, match="userId is required"):
        accept(by_key(None, userId=None), edge=KEYS)


def test_with_keys_an_api_request_without_one_is_refused() -> None:
    for document in (from_the_api(""), by_key("user-1", key_id="")):
        with pytest.raises(Forbidden):
            accept(document, edge=KEYS)


def test_with_keys_operators_and_the_api_workflow_name_whom_they_want() -> None:
    job = accept(REQUEST, edge=KEYS)
    assert accept({"job": job.document()}, edge=KEYS) == job


def test_without_tokens_the_user_is_required() -> None:
    with pytest.raises(InvalidRequest, match="userId is required"):
        accept(from_the_api("", userId=None))


def test_a_key_belongs_to_its_user() -> None:
    keys = MemoryKeys()
    executions = [Execution(f"arn:{n}", f"run-{n}", STARTED) for n in range(3)]
    first, other, again = (
        accept(
            from_the_api(user, userId=None) | {"idempotencyKey": "key"},
            execution,
            keys=keys,
            edge=TOKENS,
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
    keys = MemoryKeys()
    document = {"request": REQUEST, "idempotencyKey": "order-17"}
    first = accept(document, keys=keys)
    later = Execution("arn:two", "two", datetime(2026, 3, 2, tzinfo=UTC))
    assert accept(document, later, keys=keys) == first
    assert accept(document | {"idempotencyKey": ""}, later, keys=keys) != first


def test_keys_belong_to_their_user() -> None:
    keys = MemoryKeys()
    accept({"request": REQUEST, "idempotencyKey": "k"}, keys=keys)
    accept({"request": REQUEST | {"userId": "user-2"}, "idempotencyKey": "k"}, keys=keys)
    assert len(keys.kept) == 2


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
    answer = Accepted(job).answer("https://api.example.com/homolog")
    assert answer == {
        "jobId": job.job_id,
        "status": "pending",
        "estimatedTime": job.estimated_time,
        "estimatedCost": "0.003",
        "replicateId": None,
        "queuePosition": None,
        "estimatedStart": None,
        "estimatedStartEarliest": None,
        "estimatedStartLatest": None,
        "statusUrl": f"https://api.example.com/homolog/status/{job.job_id}",
    }
    assert Accepted(job).answer("")["statusUrl"] == f"/status/{job.job_id}"


def test_a_token_owns_the_job_whether_the_body_says_so_or_not() -> None:
    unnamed = {name: value for name, value in REQUEST.items() if name != "userId"}
    for request in (unnamed, REQUEST):
        document = {"request": request, "claims": claims("user-1")}
        assert accept(document, edge=TOKENS).user_id == "user-1"
    back_end = {"request": REQUEST, "claims": claims("")}
    assert accept(back_end).user_id == "user-1"


def test_a_token_cannot_speak_for_another_user() -> None:
    with pytest.raises(Forbidden):
        accept(
            {"request": REQUEST, "claims": claims("somebody-else")},
            edge=TOKENS,
        )
    with pytest.raises(InvalidRequest):
        accept(
            {"request": {**REQUEST, "userId": {"a": 1}}, "claims": claims("somebody-else")},
            edge=TOKENS,
        )


def test_a_request_cannot_bring_a_subject_of_its_own() -> None:
    with pytest.raises(InvalidRequest):
        accept(
            {"request": {**REQUEST, "claims": claims("user-1")}, "claims": claims("user-1")},
            edge=TOKENS,
        )


def test_two_users_with_the_same_idempotency_key_get_jobs_of_their_own() -> None:
    keys = MemoryKeys()
    unnamed = {name: value for name, value in REQUEST.items() if name != "userId"}
    jobs = [
        accept(
            {"request": unnamed, "idempotencyKey": "k", "claims": claims(user)},
            keys=keys,
            edge=TOKENS,
        )
        for user in ("user-1", "user-2")
    ]
    assert [job.user_id for job in jobs] == ["user-1", "user-2"]


@pytest.mark.parametrize("form", ["request", "job", "bare"])
def test_every_job_is_looked_into_before_it_is_accept(form: str) -> None:
    seen: list[Job] = []
    document: dict[str, Any] = {
        "request": {"request": REQUEST},
        "job": {"job": accept(REQUEST).document()},
    }
    job = accept(document.get(form, REQUEST), check=seen.append)
    assert seen == [job]


def test_who_repeats_an_accepted_request_is_spared_a_second_look() -> None:
    def gone(_job: Job) -> None:
        raise InvalidParameters("The upload has expired.")

    keys, keyed = MemoryKeys(), {"request": REQUEST, "idempotencyKey": "k"}
    first = accept(keyed, keys=keys)
    assert accept(keyed, LATER, keys=keys, check=gone) == first
    with pytest.raises(InvalidParameters):
        accept(keyed, check=gone)


LATER = Execution("arn:two", "two", STARTED + timedelta(hours=2))
SOON = Execution("arn:three", "three", STARTED + timedelta(minutes=4))
KEYED = {"request": REQUEST, "idempotencyKey": "order-17"}


def created(keys: MemoryKeys) -> Job:
    """A job that a request with the key has come to."""
    first = accepted(KEYED, keys=keys)
    assert first.key is not None
    assert keys.hold(first.key, first.job.job_id)
    keys.bind(first.key, first.job.job_id)
    return first.job


def test_a_key_that_came_to_no_job_is_free_when_its_claim_runs_out() -> None:
    clock = SteppedClock(STARTED)
    keys = MemoryKeys(clock.now)
    first = accepted(KEYED, keys=keys)
    clock.advance(CLAIM_SECONDS)
    assert accept(KEYED, LATER, keys=keys) == first.job, "it may still be on its way"
    clock.advance(1)
    again = accepted(KEYED, LATER, keys=keys)
    assert (again.created, again.started) == (False, False)
    assert again.job.job_id == LATER.job_id
    assert again.job.deadline - first.job.deadline == timedelta(hours=2)
    clock.advance(CLAIM_SECONDS + 1)
    accept({**KEYED, "request": REQUEST | {"prompt": "a mill", "parameters": {}}}, keys=keys)


@pytest.mark.parametrize(
    ("changes", "started"),
    [
        ({}, False),
        ({"attempt": 1}, True),
        ({"task_token": "t"}, True),
        ({"status": JobStatus.FAILED}, True),
    ],
)
def test_a_key_whose_job_was_created_is_that_job(changes: dict[str, Any], started: bool) -> None:
    keys = MemoryKeys()
    job = created(keys)
    again = accepted(KEYED, SOON, keys=keys, tracking=Items(item_of(job, **changes)))
    assert again.job == job
    assert (again.created, again.started) == (True, started)


def test_a_job_that_did_not_begin_in_time_is_not_begun_any_more() -> None:
    """It would be overdue before its model has had its time."""
    keys = MemoryKeys()
    job = created(keys)
    late = replace(LATER, started_at=job.start_by)
    with pytest.raises(RequestInProgress):
        accepted(KEYED, late, keys=keys, tracking=Items(item_of(job)))
    assert accept(KEYED, late, keys=keys, tracking=Items(item_of(job, attempt=1))) == job


@pytest.mark.parametrize(("code", "anew"), [("JobNotStarted", True), ("ExecutionStopped", False)])
def test_a_key_whose_job_was_never_started_is_free(code: str, anew: bool) -> None:
    keys = MemoryKeys()
    job = created(keys)
    end = item_of(job, status=JobStatus.FAILED, result={"error": {"code": code}})
    again = accepted(KEYED, LATER, keys=keys, tracking=Items(end))
    assert again.job.job_id == (LATER.job_id if anew else job.job_id)
    assert again.created is not anew
    assert again.job.deadline == (LATER.started_at if anew else STARTED) + (
        job.deadline - job.created_at
    )
    assert accept(KEYED, keys=keys, tracking=Items(end)) == again.job, "one new job, not many"


def test_a_key_whose_job_is_deleted_says_so() -> None:
    keys = MemoryKeys()
    job = created(keys)
    with pytest.raises(JobDeleted) as caught:
        accepted(KEYED, LATER, keys=keys)
    assert (caught.value.status, caught.value.details) == (410, {"jobId": job.job_id})


def dearer() -> Catalogue:
    """The catalogue of another day: everything costs ten times as much."""
    text = (REPOSITORY / "config" / "models.json").read_text()
    return Catalogue.parse(text.replace('"amount": "0.003"', '"amount": "0.03"'))


def test_a_repeated_request_keeps_the_terms_of_its_job() -> None:
    keys = MemoryKeys()
    job = created(keys)
    tracking = Items(item_of(job))
    assert accept(KEYED, keys=MemoryKeys(), catalogue=dearer()).estimated_cost == Decimal("0.03")
    again = accept(KEYED, SOON, keys=keys, tracking=tracking, catalogue=dearer())
    assert (again.price, again.estimated_cost) == (job.price, job.estimated_cost)


def test_a_repeated_request_whose_model_is_gone_is_still_its_job() -> None:
    keys, without = MemoryKeys(), Catalogue({"other": catalogue().find("sdxl")})
    job = created(keys)
    again = accepted(KEYED, SOON, keys=keys, tracking=Items(item_of(job)), catalogue=without)
    assert (again.job.job_id, again.created, again.started) == (job.job_id, True, True)
    with pytest.raises(UnknownModel):
        accepted({**KEYED, "idempotencyKey": "new"}, keys=keys, catalogue=without)
    assert len(keys.kept) == 1, "what is refused claims nothing"


def test_a_job_that_is_written_down_keeps_its_terms_in_its_execution() -> None:
    job = accept({"request": REQUEST})
    execution = Execution("arn", job.job_id, STARTED)
    for known in (dearer(), Catalogue({"other": catalogue().find("sdxl")})):
        found = accepted(
            {"job": job.document()},
            execution,
            tracking=Items(item_of(job)),
            catalogue=known,
            check=lambda _: pytest.fail("it was looked at before"),
        )
        assert found == Accepted(job, created=True)
    claimed = job.document() | {"userId": "user-2", "price": None, "timeoutSeconds": 9}
    assert accept({"job": claimed}, execution, tracking=Items(item_of(job))) == job
    with pytest.raises(InvalidRequest, match="not complete"):
        accept({"job": {"jobId": job.job_id}}, execution, tracking=Items(item_of(job)))


def test_the_weight_comes_from_the_item_and_travels_with_the_job() -> None:
    job = accept({"request": REQUEST})
    heavy = replace(job, weight=3)
    assert accept({"job": job.document()}, tracking=Items(item_of(heavy))) == heavy
    assert Job.from_document(heavy.document()) == heavy
    claimed = job.document() | {"weight": 100}
    assert accept({"job": claimed}, tracking=Items(item_of(job))).weight == 1


def test_a_job_of_an_older_version_has_no_terms_and_goes_on() -> None:
    older = replace(accept({"request": REQUEST}), price=None, call=None)
    found = accept({"job": older.document()}, tracking=Items(item_of(older)))
    assert found == older


def test_a_claim_outlives_every_request_that_made_it() -> None:
    """Else a second job could be created while the first one is."""
    machine = definition("generate_media")["TimeoutSeconds"]
    step = resource("CreateJobFunction")["Properties"]["Timeout"]
    assert machine + step < CLAIM_SECONDS


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


@pytest.mark.parametrize("key", ["", "key-1"])
def test_the_body_of_a_request_is_read_here(key: str) -> None:
    """API Gateway hands it over as text, so that no reader before us can trip over it."""
    sent = {"userId": "user-1", "modelId": "flux-schnell", "prompt": "naïve 🌊 'x' \\ \n"}
    job = accept({"body": json.dumps(sent), "idempotencyKey": key})
    assert job == accept({"request": sent, "idempotencyKey": key})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"userId":"u","modelId":"sdxl","prompt":"half \\ud83d"}', "prompt"),
        ('{"userId":"u","modelId":"sdxl","parameters":{"seed":1e400}}', "parameters.seed"),
        ('{"userId":"u","modelId":"sdxl","parameters":{"seed":NaN}}', "parameters.seed"),
        ('{"userId":"u","parameters":' + '{"a":' * 5000, "parameters.a.a.a.a.…"),
        ('{"userId":"u","userId":"v"}', "userId"),
        ("nothing", "body"),
        ("", "body"),
        ({"userId": "u"}, "body"),
    ],
)
def test_what_no_job_can_hold_is_refused_with_its_path(body: object, field: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        accept({"body": body, "idempotencyKey": ""})
    fields: Any = raised.value.details["fields"]
    assert [each["field"] for each in fields] == [field]
    str(raised.value).encode()


@pytest.mark.parametrize("wrap", [lambda r: r, lambda r: {"request": r}])
def test_a_machine_that_is_started_by_hand_is_told_the_same(
    wrap: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    request = {"userId": "u", "modelId": "sdxl", "parameters": {"prompt": "half \ud83d"}}
    with pytest.raises(InvalidRequest, match=r"parameters\.prompt has half"):
        accept(wrap(request))


def refused(document: Mapping[str, Any]) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        accept(document)
    assert caught.value.code == "InvalidRequest"
    return [field for field, _ in caught.value.faults]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["userId", "modelId"]),
        ({"userId": "u", "modelId": 7}, ["modelId"]),
        (
            {"userId": 7, "modelId": "flux-schnell", "parameters": []},
            ["userId", "parameters", "parameters.prompt"],
        ),
        (
            {"modelId": "flux-schnell", "prompt": 7, "mediaType": "film", "parameters": {"width": 9}},
            ["userId", "mediaType", "prompt", "parameters.width", "parameters.prompt"],
        ),
        ({"userId": "u", "modelId": "flux-schnel", "colour": 1}, ["colour", "modelId"]),
        (
            {"userId": "u", "modelId": "flux-schnell", "mediaType": "audio", "parameters": {}},
            ["mediaType", "parameters.prompt"],
        ),
    ],
)  # fmt: skip
def test_all_faults_are_named_at_once_with_their_paths(
    body: dict[str, Any], fields: list[str]
) -> None:
    assert refused({"body": json.dumps(body)}) == fields


@pytest.mark.parametrize("key", ["", "ä", "x" * 256])
def test_a_key_that_is_none_is_refused_by_the_name_of_its_header(key: str) -> None:
    document = {"request": REQUEST, "idempotencyKey": key, "hasIdempotencyKey": True}
    assert refused(document) == ["Idempotency-Key"]
    assert accept({"request": REQUEST, "idempotencyKey": "", "hasIdempotencyKey": False})


def test_faults_of_header_query_and_body_come_together() -> None:
    document = {"body": "{}", "idempotencyKey": "", "hasIdempotencyKey": True, "query": "wait "}
    assert refused(document) == ["Idempotency-Key", "wait", "userId", "modelId"]


def test_a_repetition_says_so_and_how_the_job_stands() -> None:
    keys = MemoryKeys()
    job = created(keys)
    stands = item_of(job, status=JobStatus.PROCESSING, replicate_id="r1", attempt=1)
    again = accepted(KEYED, keys=keys, tracking=Items(stands))
    body = again.answer("")
    assert (again.replayed, body["status"], body["replicateId"]) == (True, "processing", "r1")
    assert not accepted(KEYED, keys=MemoryKeys()).replayed
