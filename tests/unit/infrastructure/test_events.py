"""The payloads in events/ are what the machines, API Gateway and the provider really send."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.machines import STATE_MACHINES, camel, definition
from tests.support.template import REPOSITORY, api_source, resource, template
from vsl.adapters.http.callback_sender import TOTAL_SECONDS
from vsl.domain.callbacks.callback import ATTEMPTS, SCHEDULE
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.job import Job, MediaAsset
from vsl.domain.jobs.webhook_url import parse_webhook_url
from vsl.domain.predictions.prediction import Outcome, Prediction

EVENTS = REPOSITORY / "events"
STEPS = sorted(path.stem for path in (EVENTS / "steps").glob("*.json"))
NOT_A_FUNCTION = {"generate_media_request"}
API_FUNCTIONS = sorted(
    path.stem for path in (EVENTS / "api").glob("*.json") if path.stem not in NOT_A_FUNCTION
)


def event(path: str) -> Any:
    return json.loads((EVENTS / path).read_text())


def payload(function: str) -> dict[str, Any]:
    """What the machines give the function, by key; media_job's where both call it."""
    for machine in ("media_job", "generate_media"):
        state = definition(machine)["States"].get(camel(function))
        if state is not None:
            found: dict[str, Any] = state["Parameters"]["Payload"]
            return found
    raise AssertionError(function)


def test_every_function_has_one_event() -> None:
    files = [
        path.stem
        for folder in ("steps", "api", "authorizer", "eventbridge", "sqs")
        for path in (EVENTS / folder).glob("*.json")
        if path.stem not in NOT_A_FUNCTION
    ]
    folders = [path.parent.name for path in (STATE_MACHINES.parent / "functions").glob("*/app.py")]
    assert sorted(files) == sorted(folders)
    assert len(files) >= 17


@pytest.mark.parametrize("function", STEPS)
def test_a_step_gets_what_its_state_sends(function: str) -> None:
    sent = {key.removesuffix(".$") for key in payload(function)}
    given = event(f"steps/{function}.json")
    assert given.keys() == sent
    if "execution" in sent:
        assert given["execution"].keys() == {"id", "name", "startTime"}
    job = given.get("job")
    if job is not None:
        assert Job.from_document(job).document() == job
        assert is_job_id(job["jobId"])


def test_outcome_and_media_are_documents_of_ours() -> None:
    given = event("steps/finalize_job.json")
    outcome = dict(given["outcome"])
    assert outcome.pop("attempt") == 1
    assert Outcome.from_document(outcome).document() == outcome
    for asset in given["media"]["assets"]:
        assert MediaAsset.from_document(asset).document() == asset
        assert given["job"]["jobId"] in asset["s3Key"]
    assert event("steps/store_media.json")["outcome"] == given["outcome"]


@pytest.mark.parametrize("path", sorted((EVENTS / "provider").glob("*.json")), ids=lambda p: p.stem)
def test_the_provider_speaks_of_a_job_of_ours(path: Path) -> None:
    body = json.loads(path.read_text())
    prediction = Prediction.parse(body)
    assert path.stem.removeprefix("prediction_") in {prediction.status.value, "started"}
    key = parse_webhook_url(prediction.webhook)
    assert key is not None
    assert key.job_id == event("steps/create_job.json")["job"]["jobId"]


def test_the_webhook_carries_a_prediction() -> None:
    given = event("api/process_webhook.json")
    assert json.loads(given["body"]) == event("provider/prediction_succeeded.json")
    signed = {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert signed <= given["headers"].keys()
    assert "REDACTED" in given["headers"]["webhook-signature"]


@pytest.mark.parametrize("function", API_FUNCTIONS)
def test_an_api_event_is_one_of_the_api(function: str) -> None:
    given = event(f"api/{function}.json")
    item = api_source()["paths"][given["resource"]]
    operation = item.get(given["httpMethod"].lower()) or item["x-amazon-apigateway-any-method"]
    uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    assert f"${{{camel(function)}FunctionAliaslive}}" in uri
    names = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
    assert set(given["pathParameters"] or {}) == names


def test_the_environment_for_sam_local_is_complete() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    given = event("environment.json")["Parameters"]
    assert given.keys() == variables.keys()
    for name, source in variables.items():
        if isinstance(source, str):
            assert given[name] == source
            continue
        parameter = template()["Parameters"].get(source.get("Ref", ""))
        if parameter is not None and name != "STAGE":
            assert given[name] == str(parameter["Default"]), name


def test_the_poller_is_woken_by_the_scheduler() -> None:
    given = event("eventbridge/poll_predictions.json")
    schedule = resource("PollPredictionsFunction")["Properties"]["Events"]["Schedule"]
    assert schedule["Type"] == "ScheduleV2"
    assert given["source"] == "aws.scheduler"
    assert given["resources"][0].endswith("/vsl-homolog-poll-predictions")


def test_a_bad_end_is_reported_by_step_functions() -> None:
    given = event("eventbridge/repair_execution.json")
    ended = resource("RepairExecutionFunction")["Properties"]["Events"]["EndedBadly"]
    pattern = ended["Properties"]["Pattern"]
    assert given["source"] in pattern["source"]
    assert given["detail-type"] in pattern["detail-type"]
    assert given["detail"]["status"] in pattern["detail"]["status"]
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    job = json.loads(given["detail"]["input"])["job"]
    assert Job.from_document(job).document() == job


def test_a_callback_is_due_when_the_queue_says_so() -> None:
    (record,) = event("sqs/deliver_callback.json")["Records"]
    name = resource("CallbacksQueue")["Properties"]["QueueName"]["Fn::Sub"]
    assert record["eventSourceARN"].endswith(":" + name.replace("${Stage}", "homolog"))
    assert is_job_id(json.loads(record["body"])["jobId"])
    mapping = resource("DeliverCallbackMapping")["Properties"]
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_queue_gives_up_after_as_many_attempts_as_the_schedule_has() -> None:
    queue = resource("CallbacksQueue")["Properties"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == ATTEMPTS
    function = resource("DeliverCallbackFunction")["Properties"]
    assert function["Timeout"] > TOTAL_SECONDS
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"], "as Lambda asks for"
    assert sum(SCHEDULE) < queue["MessageRetentionPeriod"]
    assert max(SCHEDULE) <= 12 * 3600, "SQS hides a message no longer"
