"""Both machines with the real functions: DynamoDB, SSM and task tokens in moto, the rest in memory.

Redis is away all the time, and the provider calls back through the real webhook function.
"""

import importlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.support.fakes import (
    FakeProvider,
    ForgetfulDeduplication,
    MemoryCache,
    MemoryJobRepository,
    NoLimits,
    SteppedClock,
)
from tests.support.jobs import create_table, make_asset
from tests.support.log_lines import written_to
from tests.support.machines import STATE_MACHINES, Handler, Machines, Run
from vsl.adapters.aws import clients
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.idempotency import CLAIM_SECONDS
from vsl.domain.jobs.ids import is_job_id, new_job_id
from vsl.domain.jobs.job import Job, JobStatus, MediaAsset
from vsl.domain.predictions.prediction import Prediction, PredictionStatus
from vsl.domain.predictions.signature import sign
from vsl.runtime import wiring, wiring_media
from vsl.runtime.observability import keys_of_the_line
from vsl.runtime.settings import settings

SECRET = "whsec_" + "c2VjcmV0" * 4
API_URL = "https://api.example.com/local"
REPOSITORY = STATE_MACHINES.parent
REQUEST = {
    "userId": "user-1",
    "modelId": "flux-schnell",
    "prompt": 'a "quoted" #lighthouse, it\'s $5',
}
CONTEXT: Any = SimpleNamespace(aws_request_id="r1", get_remaining_time_in_millis=lambda: 30_000)
FUNCTIONS = [path.parent.name for path in (REPOSITORY / "functions").glob("*/app.py")]


class RedisIsAway:
    def release(self, _user_id: str, _job_id: str) -> None: ...

    def withdraw(self, _user_id: str, _job_id: str) -> None: ...

    def __getattr__(self, _name: str) -> Any:
        def fail(*_: object, **__: object) -> None:
            raise StoreUnavailable("Redis did not answer.")

        return fail


@dataclass
class StoredNowhere:
    stored: list[str] = field(default_factory=list)

    def store(self, _job: Job, index: int, url: str) -> MediaAsset:
        self.stored.append(url)
        return make_asset(index)


@dataclass
class World:
    provider: FakeProvider
    repository: MemoryJobRepository
    media: StoredNowhere
    handlers: dict[str, Handler]

    def webhook(self, prediction: Prediction) -> int:
        """The provider tells of the prediction's end; the HTTP status it gets."""
        body = json.dumps(
            {
                "id": prediction.id,
                "status": prediction.status.value,
                "output": prediction.output,
                "error": prediction.error,
                "webhook": prediction.webhook,
            }
        )
        at = str(int(datetime.now(UTC).timestamp()))
        assert prediction.webhook is not None
        query = dict(part.split("=") for part in prediction.webhook.split("?")[1].split("&"))
        event = {
            "headers": {
                "Webhook-Id": f"msg_{prediction.id}",
                "Webhook-Timestamp": at,
                "Webhook-Signature": "v1,"
                + sign(SECRET, f"msg_{prediction.id}", at, body.encode()),
            },
            "queryStringParameters": query,
            "body": body,
            "isBase64Encoded": False,
        }
        status: int = self.handlers["process_webhook"](event)["statusCode"]
        return status

    def finish_once_awaited(
        self, status: PredictionStatus = PredictionStatus.SUCCEEDED, error: str | None = None
    ) -> None:
        """The webhook comes after the token is stored."""
        awaits = self.handlers["await_prediction"]

        def then_call_back(event: dict[str, Any]) -> Any:
            result = awaits(event)
            running = [p.id for p in self.provider.predictions.values() if not p.status.terminal]
            assert [self.webhook(self.provider.end(r, status, error)) for r in running] == [200]
            return result

        self.handlers["await_prediction"] = then_call_back


@pytest.fixture
def world(engine: Machines, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    stamp = str(datetime.now(UTC).timestamp())
    monkeypatch.setenv("STAGE", "local")
    monkeypatch.setenv("API_AUTH", "NONE")
    monkeypatch.setenv("API_URLS", API_URL)
    monkeypatch.setenv("SSM_PREFIX", "/vsl/local/")
    monkeypatch.setenv("DYNAMODB_TABLE", f"jobs-{stamp}")
    monkeypatch.setenv("IDEMPOTENCY_TABLE", f"idempotency-{stamp}")
    monkeypatch.setenv("S3_BUCKET", "media")
    monkeypatch.setenv("MODELS_CONFIG", str(REPOSITORY / "config" / "models.json"))
    monkeypatch.setenv("RATE_LIMIT_PER_HOUR", "2")
    forget()
    dynamodb, ssm = boto3.client("dynamodb"), boto3.client("ssm")
    create_table(dynamodb, "JobsTable", f"jobs-{stamp}")
    create_table(dynamodb, "IdempotencyTable", f"idempotency-{stamp}")
    for name, value in {"api-url": API_URL, "replicate-webhook-secret": SECRET}.items():
        ssm.put_parameter(Name=f"/vsl/local/{name}", Value=value, Type="String", Overwrite=True)

    provider = FakeProvider(SteppedClock(datetime.now(UTC)))
    repository, media, cache = MemoryJobRepository(), StoredNowhere(), MemoryCache()
    outside = {
        "provider": lambda: provider,
        "job_repository": lambda: repository,
        "media": lambda: media,
        "rate_limits": RedisIsAway,
        "status_cache": lambda: cache,
        "webhook_deduplication": lambda: ForgetfulDeduplication(remembers=False),
    }
    handlers: dict[str, Handler] = {}
    for function in FUNCTIONS:
        module = importlib.import_module(f"functions.{function}.app")
        handlers[function] = partial(call, module)
        for name, made in outside.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, made)
    for name, made in outside.items():
        for shared in (wiring, wiring_media):
            if hasattr(shared, name):
                monkeypatch.setattr(shared, name, made)
    yield World(provider, repository, media, handlers)
    forget()


def call(module: ModuleType, event: dict[str, Any]) -> Any:
    return module.handler(event, CONTEXT)


def forget() -> None:
    """A fresh process: no client, setting or adapter is left."""
    clients.forget()
    settings.cache_clear()
    for name in (
        "parameters",
        "tracking_store",
        "task_tokens",
        "signer",
        "key_records",
        "owner_names",
    ):
        getattr(wiring, name).cache_clear()


def job_id() -> str:
    return new_job_id(datetime.now(UTC))


@pytest.fixture(scope="module")
def media_job(engine: Machines) -> str:
    return engine.create("media_job")


@pytest.fixture(scope="module")
def generate_media(engine: Machines) -> str:
    return engine.create("generate_media")


def test_a_request_becomes_media(engine: Machines, media_job: str, world: World) -> None:
    world.finish_once_awaited()
    name = job_id()

    run = engine.run(media_job, {"request": REQUEST}, world.handlers, name=name)

    assert (run.status, run.error) == ("SUCCEEDED", None)
    assert run.output["job"]["jobId"] == name
    assert run.output["job"]["parameters"]["prompt"] == REQUEST["prompt"]
    assert run.output["outcome"]["source"] == "webhook"
    finished = world.repository.finished[name]
    assert finished.status is JobStatus.SUCCEEDED
    assert finished.assets == (make_asset(0),)
    status = world.handlers["get_status"]({"pathParameters": {"jobId": name}})
    assert json.loads(status["body"])["status"] == "succeeded"


@pytest.mark.parametrize("told", [True, False], ids=["webhook", "nobody called"])
def test_every_line_after_a_submission_names_the_attempt(
    engine: Machines,
    media_job: str,
    world: World,
    told: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A process that was "killed" in another test left its own.
    monkeypatch.setattr(keys_of_the_line, "known", {})
    if told:
        world.finish_once_awaited()
    else:
        world.provider.on_create = lambda prediction: drop(world.provider.end(prediction.id))
    machine = media_job if told else engine.hasty("AwaitPrediction", 1)
    with written_to(io.StringIO()) as written:
        run = engine.run(machine, {"request": REQUEST}, world.handlers, name=job_id())

    assert (run.status, run.output["outcome"]["attempt"]) == ("SUCCEEDED", 1)
    assert run.output["outcome"]["source"] == ("webhook" if told else "timeout")
    done = [json.loads(line) for line in written.getvalue().splitlines()]
    steps = [line for line in done if line["message"] == "step done"]
    assert len(steps) == len(run.states)
    known = [str(line.get("attempt")) for line in steps]
    assert known == ["None"] * 3 + ["1"] * (len(steps) - 3)


def drop(_: object) -> None: ...


def test_a_webhook_may_come_before_the_token(
    engine: Machines, media_job: str, world: World
) -> None:
    """The fastest models end before SubmitPrediction has its answer."""
    world.provider.on_create = lambda prediction: assert_taken(
        world.webhook(world.provider.end(prediction.id))
    )
    run = engine.run(media_job, REQUEST, world.handlers, name=job_id())
    assert (run.status, run.error) == ("SUCCEEDED", None)
    assert len(run.events("await_prediction")) == 1


@pytest.mark.parametrize(
    "configured", [f"whsec_broken!,{SECRET}", f'"{SECRET}"\n', f"{SECRET}\nold"]
)
def test_one_bad_secret_of_several_rejects_no_webhook(
    engine: Machines, media_job: str, world: World, configured: str
) -> None:
    boto3.client("ssm").put_parameter(
        Name="/vsl/local/replicate-webhook-secret", Value=configured, Type="String", Overwrite=True
    )
    world.finish_once_awaited()
    run = engine.run(media_job, {"request": REQUEST}, world.handlers, name=job_id())
    assert (run.status, run.output["outcome"]["source"]) == ("SUCCEEDED", "webhook")


def assert_taken(status: int) -> None:
    assert status == 200


def test_a_failed_prediction_fails_the_job_under_its_name(
    engine: Machines, media_job: str, world: World
) -> None:
    world.finish_once_awaited(PredictionStatus.FAILED, "NSFW content detected in the output.")
    name = job_id()
    run = engine.run(media_job, {"request": REQUEST}, world.handlers, name=name)
    assert (run.status, run.error) == ("FAILED", "ContentFlagged")
    assert world.repository.finished[name].error_code == "ContentFlagged"
    assert world.media.stored == []


def test_a_wrong_request_says_so_and_leaves_no_job(
    engine: Machines, media_job: str, world: World
) -> None:
    run = engine.run(media_job, {**REQUEST, "modelId": "flux-schnel"}, world.handlers)
    assert (run.status, run.error) == ("FAILED", "UnknownModel")
    assert "flux-schnell" in (run.cause or "")
    assert run.states == ["ValidateRequest", "RecordFailure", "JobFailed"]
    assert not world.repository.created
    assert not world.repository.finished


def test_what_could_not_be_stored_is_not_paid_for(
    engine: Machines, media_job: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users are to be hidden in the keys of objects, and there is no secret to do it with."""
    monkeypatch.setenv("OWNER_NAMES", "opaque")
    forget()
    run = engine.run(media_job, {"request": REQUEST}, world.handlers, name=job_id())
    assert (run.status, run.error) == ("FAILED", "ConfigurationError")
    assert "owner-name-secret" in (run.cause or "")
    assert world.provider.predictions == {}


def api_workflow(request: dict[str, Any], key: str = "") -> dict[str, Any]:
    api = {"id": "local", "host": "api.test"}
    return {"request": request, "idempotencyKey": key, "requestId": "r1", "api": api}


def test_the_door_accepts(engine: Machines, generate_media: str, world: World) -> None:
    run = engine.run(generate_media, api_workflow(REQUEST), world.handlers)
    accepted = json.loads(run.output["body"])
    assert run.output["statusCode"] == 202
    assert accepted["status"] == "pending"
    assert run.output["headers"]["Location"] == accepted["statusUrl"]
    assert accepted["statusUrl"] == f"{API_URL}/status/{accepted['jobId']}"
    started = engine.starts[-1]
    assert started["Name"] == accepted["jobId"]
    assert json.loads(started["Input"])["job"]["parameters"]["prompt"] == REQUEST["prompt"]


def test_the_same_key_is_the_same_job(engine: Machines, generate_media: str, world: World) -> None:
    first, second = (
        engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers).output
        for _ in range(2)
    )
    assert json.loads(first["body"])["jobId"] == json.loads(second["body"])["jobId"]
    once, again = (json.loads(start["Input"]) for start in engine.starts[-2:])
    assert once == again
    other = {**REQUEST, "prompt": "something else"}
    refused = engine.run(generate_media, api_workflow(other, "key-1"), world.handlers).output
    assert (refused["statusCode"], json.loads(refused["body"])["code"]) == (
        422,
        "IdempotencyKeyReused",
    )


def still(run: Run) -> tuple[int, str, str]:
    """What a repeated request is told: the same job, as it is by now."""
    status, body = answered(run)
    return status, body["jobId"], body["status"]


def answered(run: Run) -> tuple[int, dict[str, Any]]:
    return run.output["statusCode"], json.loads(run.output["body"])


def passes(seconds: int) -> None:
    """Let the keys grow older by so much."""
    client, table = boto3.client("dynamodb"), settings().idempotency_table
    for item in client.scan(TableName=table)["Items"]:
        item["expiration"] = {"N": str(int(item["expiration"]["N"]) - seconds)}
        client.put_item(TableName=table, Item=item)


def items() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = boto3.client("dynamodb").scan(TableName=settings().jobs_table)[
        "Items"
    ]
    return found


def test_a_refused_key_is_bound_to_nothing(
    engine: Machines, generate_media: str, world: World
) -> None:
    def ask(request: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        return answered(engine.run(generate_media, api_workflow(request, key), world.handlers))

    for key in ("key-1", "key-2"):
        assert ask(REQUEST, key)[0] == 202
    refused = [
        engine.run(generate_media, api_workflow(REQUEST, "key-3"), world.handlers) for _ in range(3)
    ]
    assert [answered(run)[1]["code"] for run in refused] == ["RateLimitExceeded"] * 3
    proposed = [run.events("check_rate_limit")[0]["job"]["jobId"] for run in refused]
    assert len(set(proposed)) == 3, "each is looked at anew"
    # There is room again: the same key, even with another body, is a new job.
    world.repository.created.popitem()
    status, accepted = ask({**REQUEST, "prompt": "something else"}, "key-3")
    assert status == 202
    assert accepted["jobId"] not in proposed
    assert ask(REQUEST, "key-3")[1]["code"] == "IdempotencyKeyReused", "now it is bound"


@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_a_request_that_died_binds_its_key_to_nothing(
    engine: Machines,
    generate_media: str,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    later: bool,
) -> None:
    """Nobody can take anything back: the claim runs out, and what comes later is a new job."""

    def down(*_: object) -> None:
        raise StoreUnavailable("PostgreSQL is away.")

    with monkeypatch.context() as broken:
        broken.setattr(world.repository, "create_job", down)
        broken.setitem(world.handlers, "reject_request", down)
        first = engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers)
    assert answered(first)[0] == 503
    if later:
        passes(CLAIM_SECONDS + 2)
    second = engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers)
    status, accepted = answered(second)
    assert status == 202
    before = first.events("check_rate_limit")[0]["job"]["jobId"]
    assert (accepted["jobId"] == before) is not later


def test_a_job_that_was_written_down_and_not_started_is_started_by_its_key(
    engine: Machines, generate_media: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(engine, "start_refusal", "ExecutionLimitExceeded")
        first = engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers)
    assert answered(first)[0] == 503
    engine.starts.clear()
    second = engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers)
    assert answered(second)[0] == 202
    (started,) = engine.starts
    (job_id,) = world.repository.created
    assert started["Name"] == job_id
    assert json.loads(started["Input"])["job"] == first.events("create_job")[0]["job"]


def test_a_replayed_key_skips_no_limit(
    engine: Machines, generate_media: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job was written down, not started, and is forgotten by the limits by now."""
    with monkeypatch.context() as broken:
        broken.setattr(engine, "start_refusal", "ExecutionLimitExceeded")
        engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers)
    world.repository.created.clear()
    for key in ("key-2", "key-3"):
        engine.run(generate_media, api_workflow(REQUEST, key), world.handlers)
    again = engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers)
    assert answered(again)[1]["code"] == "RateLimitExceeded"


def test_a_deleted_job_does_not_come_back(
    engine: Machines, generate_media: str, media_job: str, world: World
) -> None:
    world.finish_once_awaited()
    first = engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers)
    job_id = answered(first)[1]["jobId"]
    started = json.loads(engine.starts[-1]["Input"])
    assert engine.run(media_job, started, world.handlers, name=job_id).status == "SUCCEEDED"
    again = engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers)
    assert still(again) == (202, job_id, "succeeded")
    assert again.states == ["ValidateRequest", "AlreadyStarted", "ClientWaits", "Accepted"]

    now = datetime.now(UTC)
    wiring.tracking_store().mark_deleted(job_id, now, now)
    assert wiring.tracking_store().forget(job_id, now)
    world.repository.deleted.add(job_id)
    engine.starts.clear()
    gone = engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers)
    status, problem = answered(gone)
    assert (status, problem["code"], problem["jobId"]) == (410, "JobDeleted", job_id)
    assert (items(), engine.starts) == ([], [])
    # Nor does its execution, should it be run once more.
    assert engine.run(media_job, started, world.handlers).error == "JobDeleted"
    assert items() == []


def test_after_acceptance_the_catalogue_may_change(
    engine: Machines,
    generate_media: str,
    media_job: str,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The model is taken out and another one costs more, while the job is under way."""
    world.finish_once_awaited()
    accepted = answered(engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers))
    started = json.loads(engine.starts[-1]["Input"])
    models = json.loads((REPOSITORY / "config" / "models.json").read_text())
    del models["image"]["flux-schnell"]
    (tmp_path / "models.json").write_text(json.dumps(models))
    monkeypatch.setenv("MODELS_CONFIG", str(tmp_path / "models.json"))
    settings.cache_clear()
    refused = engine.run(generate_media, api_workflow(REQUEST, "key-2"), world.handlers)
    assert answered(refused)[1]["code"] == "UnknownModel"

    job_id = accepted[1]["jobId"]
    run = engine.run(media_job, started, world.handlers, name=job_id)
    assert (run.status, run.error) == ("SUCCEEDED", None)
    finished = world.repository.finished[job_id]
    assert finished.actual_cost == Decimal("0.003")
    assert run.output["job"] == started["job"]
    again = engine.run(generate_media, api_workflow(REQUEST, "key-1"), world.handlers)
    assert still(again) == (202, job_id, "succeeded")


@pytest.mark.parametrize(
    ("token", "user_id", "status", "owner"),
    [
        (("user-1", "app-2"), "user-1", 202, "user-1"),
        (("user-1", "app-1"), None, 202, "user-1"),
        (("user-1", "app-1"), "user-2", 403, None),
        (("user-1", "app-3"), "user-1", 403, None),
        (("", "app-1"), "user-1", 403, None),
    ],
)
def test_with_cognito_a_job_belongs_to_the_token(
    engine: Machines,
    generate_media: str,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    token: tuple[str, str],
    user_id: str | None,
    status: int,
    owner: str | None,
) -> None:
    monkeypatch.setenv("API_AUTH", "COGNITO")
    monkeypatch.setenv("COGNITO_CLIENT_IDS", "app-1,app-2")
    settings.cache_clear()
    engine.starts.clear()
    body = {key: value for key, value in {**REQUEST, "userId": user_id}.items() if value}
    subject, client = token
    claims = {"sub": subject, "aud": client, "token_use": "id"}
    answer = engine.run(
        generate_media, api_workflow(body) | {"claims": claims}, world.handlers
    ).output
    assert answer["statusCode"] == status
    owners = [json.loads(start["Input"])["job"]["userId"] for start in engine.starts]
    assert owners == ([owner] if owner else [])
    if owner is None:
        assert json.loads(answer["body"])["code"] == "Forbidden"


def test_the_answer_tells_what_is_left(engine: Machines, generate_media: str, world: World) -> None:
    answer = engine.run(generate_media, api_workflow(REQUEST), world.handlers).output
    assert answer["headers"]["RateLimit-Policy"].startswith('"hour";q=2;w=3600, "concurrent";')
    assert answer["headers"]["RateLimit"].startswith('"hour";r=1;t=3600, "concurrent";r=')


def test_an_admission_without_a_job_is_taken_back(
    engine: Machines, generate_media: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = NoLimits()
    monkeypatch.setattr(wiring, "rate_limits", lambda: limits)

    def down(*_: object) -> None:
        raise StoreUnavailable("PostgreSQL is away.")

    monkeypatch.setattr(world.repository, "create_job", down)
    answer = engine.run(generate_media, api_workflow(REQUEST), world.handlers).output
    assert answer["statusCode"] == 503
    ((user_id, withdrawn),) = limits.withdrawn
    assert user_id == REQUEST["userId"]
    assert is_job_id(withdrawn)
    assert limits.released == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"modelId": "nope"}, 404, "UnknownModel"),
        ({"userId": 7}, 400, "InvalidRequest"),
        ({"parameters": {"width": -1}}, 400, "InvalidParameters"),
    ],
)
def test_the_door_refuses_with_a_problem(
    engine: Machines,
    generate_media: str,
    world: World,
    change: dict[str, Any],
    status: int,
    code: str,
) -> None:
    engine.starts.clear()
    run = engine.run(generate_media, api_workflow({**REQUEST, **change}), world.handlers)
    problem = json.loads(run.output["body"])
    assert (run.output["statusCode"], problem["code"], problem["status"]) == (status, code, status)
    assert run.output["headers"]["Content-Type"] == "application/problem+json"
    assert engine.starts == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"userId":"u","modelId":"sdxl","prompt":"half \\ud83d"}', "prompt"),
        ('{"userId":"u","modelId":"sdxl","parameters":{"seed":1e400}}', "parameters.seed"),
        ('{"userId":"u","parameters":' + '{"a":' * 5000, "parameters.a.a.a.a.…"),
    ],
)
def test_what_no_job_can_hold_is_the_clients_fault(
    engine: Machines, generate_media: str, world: World, body: str, field: str
) -> None:
    engine.starts.clear()
    given = {"body": body, "idempotencyKey": "", "requestId": "r1"}
    answer = engine.run(generate_media, given, world.handlers).output
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["code"]) == (400, "InvalidRequest")
    assert [each["field"] for each in problem["fields"]] == [field]
    assert engine.starts == []


def test_the_limit_holds_inside_and_at_the_api(
    engine: Machines, media_job: str, generate_media: str, world: World
) -> None:
    world.finish_once_awaited()
    for _ in range(2):
        run = engine.run(media_job, {"request": REQUEST}, world.handlers, name=job_id())
        assert run.status == "SUCCEEDED"
    refused = engine.run(generate_media, api_workflow(REQUEST), world.handlers).output
    assert (refused["statusCode"], json.loads(refused["body"])["code"]) == (
        429,
        "RateLimitExceeded",
    )
    assert int(refused["headers"]["Retry-After"]) > 3000
    run = engine.run(media_job, {"request": REQUEST}, world.handlers, name=job_id())
    assert (run.status, run.error) == ("FAILED", "RateLimitExceeded")
