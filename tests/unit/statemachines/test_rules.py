"""What every state machine here keeps to. No linter looks behind DefinitionUri; these tests do."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machines import MACHINE_NAMES, STATE_MACHINES, definition
from tests.unit.statemachines.graph import (
    all_tasks,
    function_tasks,
    happy_path,
    known,
    needs,
    reachable,
    states,
    strings,
    tasks,
)
from tests.unit.statemachines.profiles import PROFILES, profile_name
from vsl.services.completion.store_media import DOWNLOAD_TRIES

# The end of the line: when these fail themselves, nothing is left to hand the error to.
FAILURE_HANDLERS = {"media_job": "RecordFailure", "generate_media": "RejectRequest"}
# A job that is accepted stays accepted, whatever becomes of the wait for its end.
COURTESIES = {"WaitForJob": "Accepted"}
BILLED_TRANSITIONS = 8
CALLBACK = ".waitForTaskToken"


def state_of(machine: str, name: str) -> dict[str, object]:
    return states(machine)[name]


def test_there_is_something_to_check() -> None:
    assert MACHINE_NAMES == ("generate_media", "media_job")
    assert len(all_tasks()) == 16
    assert sum(len(states(machine)) for machine in MACHINE_NAMES) == 23


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_statelint_finds_nothing(machine: str) -> None:
    statelint = Path(sys.executable).with_name("statelint")
    done = subprocess.run(
        [statelint, STATE_MACHINES / f"{machine}.asl.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_statelint_would_find_something(tmp_path: Path) -> None:
    broken = json.loads(json.dumps(definition("media_job")))
    broken["States"]["StoreMedia"]["Next"] = "Nowhere"
    file = tmp_path / "broken.asl.json"
    file.write_text(json.dumps(broken))
    statelint = Path(sys.executable).with_name("statelint")
    done = subprocess.run([statelint, file], capture_output=True, check=False)
    assert done.returncode != 0


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_every_state_can_be_reached_and_says_why_it_is_there(machine: str) -> None:
    assert reachable(machine, definition(machine)["StartAt"]) == set(states(machine))
    assert "QueryLanguage" not in json.dumps(definition(machine))
    comments = [definition(machine)["Comment"], *(s["Comment"] for s in states(machine).values())]
    assert all(len(comment) > 20 for comment in comments)


def test_the_happy_path_of_a_job_is_short() -> None:
    path = happy_path("media_job")
    assert len(path) + 1 <= BILLED_TRANSITIONS  # the start is billed too
    assert {states("media_job")[name]["Type"] for name in path} == {"Task"}
    assert states("media_job")[path[-1]]["End"] is True


@pytest.mark.parametrize(("machine", "name"), all_tasks())
def test_every_task_has_a_time_limit(machine: str, name: str) -> None:
    state = tasks(machine)[name]
    assert isinstance(state["TimeoutSeconds"], int)
    # A heartbeat that nobody sends is a second, shorter time limit; the poller watches instead.
    assert not {"HeartbeatSeconds", "HeartbeatSecondsPath", "TimeoutSecondsPath"} & state.keys()


@pytest.mark.parametrize(("machine", "name"), all_tasks())
def test_every_task_ends_its_catchers_with_all(machine: str, name: str) -> None:
    *named, last = tasks(machine)[name]["Catch"]
    assert last["ErrorEquals"] == ["States.ALL"]
    handler = FAILURE_HANDLERS[machine]
    if name == handler:
        assert "End" not in states(machine)[last["Next"]] or machine == "generate_media"
        assert last["ResultPath"] != "$.error"  # the first error stays readable
    elif name in COURTESIES:
        assert (last["ResultPath"], last["Next"]) == (None, COURTESIES[name])
    else:
        assert (last["ResultPath"], last["Next"]) == ("$.error", handler)
    assert all("States.ALL" not in catcher["ErrorEquals"] for catcher in named)


@pytest.mark.parametrize(("machine", "name"), all_tasks())
def test_retries_name_their_errors_and_follow_a_profile(machine: str, name: str) -> None:
    retriers = tasks(machine)[name]["Retry"]
    errors = [error for retrier in retriers for error in retrier["ErrorEquals"]]
    assert not {"States.ALL", "States.TaskFailed"} & set(errors)
    assert len(set(errors)) == len(errors)
    profiles = [profile_name(machine, retrier) for retrier in retriers]
    assert None not in profiles
    for retrier in retriers:
        assert retrier["JitterStrategy"] == "FULL"
        assert retrier["MaxDelaySeconds"] > retrier["IntervalSeconds"]
    if name in function_tasks(machine):
        assert "Lambda.TooManyRequestsException" in errors


def test_a_download_is_given_up_when_its_retries_are_used_up_and_not_before() -> None:
    assert PROFILES["media_job"]["download"]["MaxAttempts"] + 1 == DOWNLOAD_TRIES


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_every_profile_is_used(machine: str) -> None:
    used = {
        profile_name(machine, retrier)
        for state in tasks(machine).values()
        for retrier in state["Retry"]
    }
    assert used == set(PROFILES[machine])


def test_the_wait_is_never_repeated_for_running_out() -> None:
    """A retry would wait another two hours; whoever ran out of time is to ask the provider."""
    waits = {n: s for n, s in tasks("media_job").items() if s["Resource"].endswith(CALLBACK)}
    assert list(waits) == ["AwaitSlot", "AwaitPrediction"]
    for state in waits.values():
        assert not any("States.Timeout" in retrier["ErrorEquals"] for retrier in state["Retry"])
    assert waits["AwaitPrediction"]["Catch"][0] == {
        "ErrorEquals": ["States.Timeout"],
        "ResultPath": None,
        "Next": "ResolveTimeout",
    }


def test_failed_work_ends_in_fail() -> None:
    ends = {
        name: states("media_job")[name]["Type"]
        for name in reachable("media_job", "RecordFailure")
        if not {"Next"} & states("media_job")[name].keys()
    }
    assert ends == {"JobFailed": "Fail", "FailureNotRecorded": "Fail"}
    succeeding = [n for n, s in states("media_job").items() if s.get("End")]
    assert succeeding == ["FinalizeJob"]


def test_a_fail_state_can_say_what_failed() -> None:
    fails = {n: s for n, s in states("media_job").items() if s["Type"] == "Fail"}
    assert len(fails) == 2
    for name, state in fails.items():
        assert {"Error", "Cause"} <= state.keys() or {"ErrorPath", "CausePath"} <= state.keys()
        if "ErrorPath" in state:
            assert needs(state) <= known("media_job")[name]
    selector = states("media_job")["RecordFailure"]["ResultSelector"]
    assert selector.keys() == {"error.$", "cause.$"}


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_no_state_reads_what_may_not_be_there(machine: str) -> None:
    available = known(machine)
    reading = {name: needs(state) for name, state in states(machine).items()}
    assert sum(map(len, reading.values())) >= 3
    for name, read in reading.items():
        assert read <= available[name], name


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_the_token_stays_out_of_the_document(machine: str) -> None:
    holders = [
        name for name, state in states(machine).items() if "$$.Task.Token" in set(strings(state))
    ]
    assert holders == (["AwaitSlot", "AwaitPrediction"] if machine == "media_job" else [])


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_nothing_is_tied_to_one_account_or_partition(machine: str) -> None:
    text = json.dumps(definition(machine))
    assert not re.search(r"\b\d{12}\b", text)
    assert "arn:aws" not in text
    resources = {state["Resource"] for state in tasks(machine).values()}
    assert all(resource.startswith("arn:${Partition}:states:::") for resource in resources)
