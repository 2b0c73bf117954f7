"""Both machines executed: the way through, every retry and every catch, by what the files say."""

import json
import threading
from typing import Any

import pytest

from tests.support.machines import Machines, Run, definition, snake
from tests.unit.statemachines.graph import function_tasks, happy_path
from tests.unit.statemachines.scripts import (
    ACCEPTED,
    ANSWER,
    JOB,
    JOB_ID,
    KEY,
    OUTCOME,
    REFUSAL,
    VALIDATED,
    scripts,
    told,
)

HAPPY_PATH = [
    "ValidateRequest",
    "CheckRateLimit",
    "CreateJob",
    "SubmitPrediction",
    "AwaitPrediction",
    "StoreMedia",
    "FinalizeJob",
]
DOOR = [name for name in happy_path("generate_media") if name in function_tasks("generate_media")]
_STATES_TIMEOUT = "States.Timeout"


def rounds(state: dict[str, Any]) -> list[list[str]]:
    """Every name of every retrier, in as many runs as the smallest MaxAttempts asks for.

    A name that only the engine can raise (a state's own time limit) has a test of its own.
    """
    named = [
        ([e for e in retrier["ErrorEquals"] if e != _STATES_TIMEOUT], retrier["MaxAttempts"])
        for retrier in state["Retry"]
    ]
    count = max(-(-len(names) // attempts) for names, attempts in named)
    return [
        [name for names, attempts in named for name in names[n * attempts : (n + 1) * attempts]]
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def media_job(engine: Machines) -> str:
    return engine.create("media_job")


@pytest.fixture(scope="module")
def generate_media(engine: Machines) -> str:
    return engine.create("generate_media")


def test_a_job_grows_one_document_on_its_way(engine: Machines, media_job: str) -> None:
    run = engine.run(media_job, {"request": {"userId": "u1"}}, scripts(engine, {}), name=JOB_ID)

    assert run.status == "SUCCEEDED"
    assert run.states == HAPPY_PATH
    validated = run.output.pop("admission")["validatedAt"]
    assert run.output == {
        "job": JOB,
        "key": KEY,
        "created": False,
        "prediction": {"replicateId": "r1", "attempt": 1},
        "outcome": OUTCOME,
        "media": {"assets": [{"index": 0}]},
        "result": {"status": "succeeded"},
    }
    calls = dict(run.calls)
    execution = calls["validate_request"]["execution"]
    assert calls["validate_request"]["input"] == {"request": {"userId": "u1"}}
    assert execution["name"] == JOB_ID
    assert execution["id"].endswith(f":execution:media_job:{JOB_ID}")
    assert execution["startTime"]
    known = {"job": JOB, "executionArn": execution["id"]}
    assert calls["validate_request"]["bindsKeys"] is True
    assert calls["check_rate_limit"] == {**known, "created": False, "validatedAt": validated}
    admitted = calls["create_job"]["admittedAt"]
    written = {**known, "key": KEY, "created": False, "validatedAt": validated}
    assert calls["create_job"] == {**written, "reserves": True, "admittedAt": admitted}
    assert execution["startTime"] < validated < admitted
    assert calls["submit_prediction"] == known
    assert calls["await_prediction"].keys() == {*known, "jobId", "taskToken"}
    assert calls["store_media"] == {**known, "outcome": OUTCOME}
    assert calls["finalize_job"] == {
        **known,
        "outcome": OUTCOME,
        "media": {"assets": [{"index": 0}]},
    }
    assert calls["await_prediction"]["taskToken"] not in json.dumps(run.output)


@pytest.fixture(scope="module")
def retried(engine: Machines, media_job: str) -> list[tuple[dict[str, list[str]], Run]]:
    """Runs in which every function fails under every name its state retries, and then works."""
    on_the_way = {snake(name): rounds(function_tasks("media_job")[name]) for name in HAPPY_PATH}
    found = []
    for number in range(max(map(len, on_the_way.values()))):
        faults = {
            name: all_rounds[number]
            for name, all_rounds in on_the_way.items()
            if number < len(all_rounds)
        }
        found.append((faults, engine.run(media_job, {}, scripts(engine, faults))))
    return found


@pytest.mark.parametrize("state", HAPPY_PATH)
def test_every_retried_error_is_survived(
    state: str, retried: list[tuple[dict[str, list[str]], Run]]
) -> None:
    names = set()
    for faults, run in retried:
        raised = faults.get(snake(state), [])
        assert run.status == "SUCCEEDED"
        assert len(run.events(snake(state))) == len(raised) + 1
        names |= set(raised)
    expected = {
        e for retrier in function_tasks("media_job")[state]["Retry"] for e in retrier["ErrorEquals"]
    }
    assert names == expected - {_STATES_TIMEOUT}
    assert "Lambda.TooManyRequestsException" in names


def retriers() -> list[tuple[str, int]]:
    """One state for each distinct retrier of media_job."""
    seen: dict[str, tuple[str, int]] = {}
    for name, state in function_tasks("media_job").items():
        if name in HAPPY_PATH:
            for index, retrier in enumerate(state["Retry"]):
                seen.setdefault(json.dumps(retrier), (name, index))
    return list(seen.values())


def caught_by_name(state: str, error: str) -> str | None:
    """The state that a catcher names for just this error."""
    for catcher in function_tasks("media_job")[state]["Catch"]:
        if error in catcher["ErrorEquals"]:
            found: str = catcher["Next"]
            return found
    return None


@pytest.mark.parametrize(("state", "index"), retriers())
def test_retries_come_to_an_end(engine: Machines, media_job: str, state: str, index: int) -> None:
    retrier = function_tasks("media_job")[state]["Retry"][index]
    attempts, name = retrier["MaxAttempts"] + 1, retrier["ErrorEquals"][0]

    run = engine.run(media_job, {}, scripts(engine, {snake(state): [name] * 99}))

    assert len(run.events(snake(state))) == attempts
    way_out = caught_by_name(state, name)
    if way_out:
        assert run.states[run.states.index(state) + 1] == way_out
    else:
        assert run.states[-2:] == ["RecordFailure", "JobFailed"]
        assert (run.status, run.error) == ("FAILED", name)


def test_a_submission_nobody_is_sure_of_parks_in_the_wait(engine: Machines, media_job: str) -> None:
    faults = {"submit_prediction": ["SubmissionUncertain"] * 5}
    run = engine.run(media_job, {}, scripts(engine, faults))
    assert run.status == "SUCCEEDED"
    assert run.states == HAPPY_PATH
    assert "prediction" not in run.output
    assert run.output["outcome"] == OUTCOME


def test_a_wait_may_send_the_job_back_to_submit_again(engine: Machines, media_job: str) -> None:
    handlers = scripts(engine, {})
    succeeds, waits = handlers["await_prediction"], []

    def breaks_off_first(event: dict[str, Any]) -> Any:
        waits.append(event)
        if len(waits) > 1:
            return succeeds(event)
        return engine.client.send_task_failure(
            taskToken=event["taskToken"], error="ResubmitPrediction", cause="{}"
        )

    handlers["await_prediction"] = breaks_off_first
    run = engine.run(media_job, {}, handlers)
    assert run.status == "SUCCEEDED"
    again = HAPPY_PATH.index("SubmitPrediction")
    assert run.states == [*HAPPY_PATH[: again + 2], "AwaitSlot", *HAPPY_PATH[again:]]
    assert waits[0]["taskToken"] != waits[1]["taskToken"]


@pytest.mark.parametrize("state", HAPPY_PATH)
def test_any_other_error_is_recorded_and_fails_the_job(
    engine: Machines, media_job: str, state: str
) -> None:
    run = engine.run(
        media_job, {"request": {"n": 1}}, scripts(engine, {snake(state): ["Unforeseen"]})
    )

    step = HAPPY_PATH.index(state)
    assert run.states == [*HAPPY_PATH[: step + 1], "RecordFailure", "JobFailed"]
    assert (run.status, run.error, run.cause) == ("FAILED", "Unforeseen", "as recorded")
    (event,) = run.events("record_failure")
    assert event["input"]["error"]["Error"] == "Unforeseen"
    assert "raised as Unforeseen" in event["input"]["error"]["Cause"]
    assert event["execution"].keys() == {"id", "name", "startTime"}
    assert ("job" in event["input"]) == (step > 0)
    assert ("outcome" in event["input"]) == (step > HAPPY_PATH.index("AwaitPrediction"))


def test_recording_a_failure_is_retried(engine: Machines, media_job: str) -> None:
    for faults in rounds(function_tasks("media_job")["RecordFailure"]):
        given = {"create_job": ["Unforeseen"], "record_failure": faults}
        run = engine.run(media_job, {}, scripts(engine, given))
        assert run.error == "Unforeseen"
        assert len(run.events("record_failure")) == len(faults) + 1


def test_a_failure_nobody_could_record_says_so(engine: Machines, media_job: str) -> None:
    given = {"create_job": ["Unforeseen"], "record_failure": ["AlsoUnforeseen"]}
    run = engine.run(media_job, {}, scripts(engine, given))
    assert run.states[-2:] == ["RecordFailure", "FailureNotRecorded"]
    assert (run.status, run.error) == ("FAILED", "FailureNotRecorded")


def test_a_failed_callback_is_recorded_under_its_name(engine: Machines, media_job: str) -> None:
    handlers = scripts(engine, {})
    handlers["await_prediction"] = lambda event: engine.client.send_task_failure(
        taskToken=event["taskToken"], error="ContentFlagged", cause='{"code":"ContentFlagged"}'
    )
    run = engine.run(media_job, {}, handlers)
    assert run.states[-3:] == ["AwaitPrediction", "RecordFailure", "JobFailed"]
    assert (run.status, run.error) == ("FAILED", "ContentFlagged")


@pytest.mark.parametrize(
    ("faults", "states", "end"),
    [
        ({}, ["StoreMedia", "FinalizeJob"], ("SUCCEEDED", None)),
        (
            {"resolve_timeout": ["PredictionTimedOut"]},
            ["RecordFailure", "JobFailed"],
            ("FAILED", "PredictionTimedOut"),
        ),
    ],
    ids=["finished after all", "still running"],
)
def test_a_wait_that_runs_out_is_resolved(
    engine: Machines,
    faults: dict[str, list[str]],
    states: list[str],
    end: tuple[str, str | None],
) -> None:
    retried = rounds(function_tasks("media_job")["ResolveTimeout"])[0]
    handlers = scripts(engine, {"resolve_timeout": faults.get("resolve_timeout", retried)})
    handlers["await_prediction"] = lambda _: None

    run = engine.run(engine.hasty("AwaitPrediction", 1), {}, handlers)

    assert run.states[4:] == ["AwaitPrediction", "ResolveTimeout", *states]
    assert (run.status, run.error) == end
    assert len(run.events("await_prediction")) == 1
    asked = run.events("resolve_timeout")[0]
    assert (asked["jobId"], asked["job"]) == (JOB_ID, JOB)
    if not faults:
        assert len(run.events("resolve_timeout")) == len(retried) + 1
        assert run.output["outcome"] == {**OUTCOME, "source": "timeout"}
        assert "error" not in run.output


def test_a_step_that_hangs_is_tried_once_more(engine: Machines) -> None:
    handlers = scripts(engine, {})
    works, calls, tried_again = handlers["submit_prediction"], [], threading.Event()

    def hangs_once(event: dict[str, Any]) -> Any:
        calls.append(event)
        if len(calls) == 1:
            tried_again.wait()
        tried_again.set()
        return works(event)

    handlers["submit_prediction"] = hangs_once
    run = engine.run(engine.hasty("SubmitPrediction", 3), {}, handlers)
    assert (run.status, len(calls)) == ("SUCCEEDED", 2)


def test_the_door_answers_and_starts_the_job(engine: Machines, generate_media: str) -> None:
    request = {"request": {"prompt": "#set($x)"}, "idempotencyKey": "", "requestId": "r"}
    run = engine.run(generate_media, request, scripts(engine, {}))

    assert run.status == "SUCCEEDED"
    assert run.states == happy_path("generate_media")
    assert run.states[-4:] == ["StartMediaJob", "TellPlace", "ClientWaits", "Accepted"]
    assert told(run.output) == told(ACCEPTED)
    started = engine.starts[-1]
    assert started["Name"] == JOB_ID
    (written,) = run.events("create_job")
    execution = engine.create("media_job").replace(":stateMachine:", ":execution:")
    validated, admitted = written.pop("validatedAt"), written.pop("admittedAt")
    handed_on = {"job": JOB, "key": KEY, "created": False}
    assert written == {**handed_on, "executionArn": f"{execution}:{JOB_ID}"}
    assert validated < admitted
    assert json.loads(started["Input"]) == {"job": JOB}
    assert started["StateMachineArn"] == engine.create("media_job")


def test_a_repeated_request_of_a_started_job_is_answered_and_nothing_else(
    engine: Machines, generate_media: str
) -> None:
    engine.starts.clear()
    handlers = scripts(engine, {})
    handlers["validate_request"] = lambda _: {
        **VALIDATED, "created": True, "started": True, "answer": ANSWER, "wait": 0
    }  # fmt: skip
    run = engine.run(generate_media, {}, handlers)
    assert run.states == ["ValidateRequest", "AlreadyStarted", "ClientWaits", "Accepted"]
    assert run.output == ANSWER
    assert engine.starts == []


def test_the_door_accepts_a_job_that_runs_already(
    engine: Machines, generate_media: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "start_refusal", "ExecutionAlreadyExists")
    run = engine.run(generate_media, {}, scripts(engine, {}))
    assert run.states[-4:] == ["StartMediaJob", "TellPlace", "ClientWaits", "Accepted"]
    assert told(run.output) == told(ACCEPTED)


@pytest.mark.parametrize("state", DOOR)
def test_the_door_survives_every_retried_error(
    engine: Machines, generate_media: str, state: str
) -> None:
    for faults in rounds(function_tasks("generate_media")[state]):
        run = engine.run(generate_media, {}, scripts(engine, {snake(state): faults}))
        assert told(run.output) == told(ACCEPTED)
        assert len(run.events(snake(state))) == len(faults) + 1


def test_the_door_waits_for_the_first_copy_of_a_request(
    engine: Machines, generate_media: str
) -> None:
    run = engine.run(
        generate_media, {}, scripts(engine, {"validate_request": ["RequestInProgress"] * 2})
    )
    assert told(run.output) == told(ACCEPTED)


@pytest.mark.parametrize("state", DOOR)
def test_the_door_turns_any_error_into_an_answer(
    engine: Machines, generate_media: str, state: str
) -> None:
    run = engine.run(generate_media, {}, scripts(engine, {snake(state): ["RateLimitExceeded"]}))
    assert run.status == "SUCCEEDED"
    assert run.states[-2:] == [state, "RejectRequest"]
    assert run.output == REFUSAL
    (event,) = run.events("reject_request")
    assert event["input"]["error"]["Error"] == "RateLimitExceeded"
    admitted = state in {"CreateJob", "StartMediaJob"}
    taken_back = event["input"].get("admission", {}).get("first", False)
    assert taken_back == admitted, "what the refusal takes back"
    assert event["input"].get("key") == (None if state == "ValidateRequest" else KEY)


def test_the_door_waits_for_a_client_that_prefers_it(engine: Machines, generate_media: str) -> None:
    run = engine.run(generate_media, {}, scripts(engine, {}, wait=7))
    assert run.states[-3:] == ["ClientWaits", "WaitForJob", "Accepted"]
    assert run.output == {**ACCEPTED, "statusCode": 200, "body": "{}"}
    (asked,) = run.events("wait_for_job")
    assert asked["startedAt"]
    placed = {**ANSWER, "body": ACCEPTED["body"]}
    assert (asked["job"], told(asked["answer"]), asked["wait"]) == (JOB, told(placed), 7)


@pytest.mark.parametrize("error", ["StoreUnavailable", "Sandbox.Timedout", "Unforeseen"])
def test_a_wait_that_fails_leaves_the_job_accepted(
    engine: Machines, generate_media: str, error: str
) -> None:
    faults = {"wait_for_job": [error]}
    run = engine.run(generate_media, {}, scripts(engine, faults, wait=7))
    assert run.states[-2:] == ["WaitForJob", "Accepted"]
    assert told(run.output) == told(ACCEPTED)


def start_retrier() -> dict[str, Any]:
    (retrier,) = definition("generate_media")["States"]["StartMediaJob"]["Retry"]
    found: dict[str, Any] = retrier
    return found


def test_the_door_retries_the_start_and_then_says_why_not(
    engine: Machines, generate_media: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in start_retrier()["ErrorEquals"]:
        engine.starts.clear()
        code = name.removeprefix("StepFunctions.").removesuffix("Exception")
        monkeypatch.setattr(engine, "start_refusal", code)
        run = engine.run(generate_media, {}, scripts(engine, {}))
        assert len(engine.starts) == start_retrier()["MaxAttempts"] + 1
        assert run.states[-2:] == ["StartMediaJob", "RejectRequest"]
        assert run.output == REFUSAL


def test_the_door_has_a_last_word(engine: Machines, generate_media: str) -> None:
    given = {"validate_request": ["Unforeseen"], "reject_request": ["Unforeseen"]}
    run = engine.run(generate_media, {}, scripts(engine, given))
    assert run.states[-2:] == ["RejectRequest", "Unavailable"]
    assert run.output["statusCode"] == json.loads(run.output["body"])["status"] == 503
    assert run.output.keys() == {"statusCode", "headers", "body"}
