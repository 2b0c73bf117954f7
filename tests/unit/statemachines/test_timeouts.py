"""Time limits nest and add up, and statemachines/README.md says so."""

from collections.abc import Callable

import pytest

from tests.support.machines import MACHINE_NAMES, STATE_MACHINES, definition, snake
from tests.support.template import api_source, resource
from tests.unit.statemachines.graph import (
    State,
    edges,
    function_tasks,
    happy_path,
    reachable,
    states,
    tasks,
)
from tests.unit.statemachines.profiles import PROFILES, profile_name

API_GATEWAY_SECONDS = 29
LAMBDA_MOST = 900
# How often a job may submit again: as the catalogue's `reruns`, and once because nobody saw the first.
MOST_REPEATS = 4
# Errors that a row of the README names one by one.
MOST_NAMED = 8


def lambda_seconds(state: str) -> int:
    found: int = resource(f"{state}Function")["Properties"]["Timeout"]
    return found


def retry_delay(state: State) -> float:
    """The longest the delays between attempts can be together; jitter only shortens them."""
    delays = (
        min(r["IntervalSeconds"] * r["BackoffRate"] ** n, r["MaxDelaySeconds"])
        for r in state.get("Retry", ())
        for n in range(r["MaxAttempts"])
    )
    return float(sum(delays))


def worst_case(name: str, state: State) -> float:
    """Seconds in a state if every attempt fails as late as it can.

    Where States.Timeout is not retried, all attempts but the last end by the function's own limit.
    """
    if state["Type"] != "Task":
        return 0
    retries = sum(retrier["MaxAttempts"] for retrier in state["Retry"])
    limit = state["TimeoutSeconds"]
    again = any("States.Timeout" in retrier["ErrorEquals"] for retrier in state["Retry"])
    calls_function = "FunctionName" in state["Parameters"]
    per_retry = limit if again or not calls_function else lambda_seconds(name)
    return float(limit + retries * per_retry + retry_delay(state))


def longest(machine: str) -> float:
    """Seconds of the longest way to an end, with every repeat of what lies on a loop."""
    loops = [
        name
        for name, state in states(machine).items()
        if any(name in reachable(machine, target) for _, target in edges(state))
    ]
    repeats = sum(worst_case(name, states(machine)[name]) for name in loops)
    return _straight(machine, definition(machine)["StartAt"], ()) + MOST_REPEATS * repeats


def _straight(machine: str, name: str, way: tuple[str, ...]) -> float:
    state = states(machine)[name]
    way = (*way, name)
    following = [_straight(machine, t, way) for _, t in edges(state) if t not in way]
    return worst_case(name, state) + max(following, default=0.0)


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_function_state_and_machine_nest(machine: str) -> None:
    whole = definition(machine)["TimeoutSeconds"]
    for name, state in function_tasks(machine).items():
        assert lambda_seconds(name) < state["TimeoutSeconds"] < whole
        assert lambda_seconds(name) <= LAMBDA_MOST
    assert all(state["TimeoutSeconds"] < whole for state in tasks(machine).values())


def test_a_job_outlives_all_its_retries() -> None:
    """An execution that runs out of time runs no catcher, and nobody records the failure."""
    worst = longest("media_job")
    assert worst <= definition("media_job")["TimeoutSeconds"]
    assert worst > states("media_job")["AwaitPrediction"]["TimeoutSeconds"]


def test_the_door_answers_before_api_gateway_gives_up() -> None:
    machine = definition("generate_media")
    assert machine["TimeoutSeconds"] < API_GATEWAY_SECONDS
    operation = api_source()["paths"]["/generate-media"]["post"]
    integration = operation["x-amazon-apigateway-integration"]
    assert machine["TimeoutSeconds"] * 1000 < integration["timeoutInMillis"]
    # Without retries every state may take all its time, up to the moment the job is started.
    accepting = [n for n in happy_path("generate_media") if n in tasks("generate_media")]
    assert len(accepting) == 4
    limits = [machine["States"][name]["TimeoutSeconds"] for name in accepting]
    assert sum(limits) <= machine["TimeoutSeconds"]


def test_no_model_may_repeat_more_often_than_is_reckoned_with() -> None:
    from vsl.domain.catalogue.models import ModelEntry

    (most,) = [m.le for m in ModelEntry.model_fields["reruns"].metadata if hasattr(m, "le")]
    assert most + 1 == MOST_REPEATS


def test_the_wait_outlasts_every_job_and_ends_while_the_output_still_lives() -> None:
    """A prediction that finished unseen at the start of the wait is found by ResolveTimeout; the
    provider deletes its files after an hour."""
    from vsl.domain.jobs.job import MAX_TIMEOUT_SECONDS, SUBMISSION_SLACK

    wait = states("media_job")["AwaitPrediction"]["TimeoutSeconds"]
    deadline = MAX_TIMEOUT_SECONDS + SUBMISSION_SLACK.total_seconds()
    assert deadline < wait < 3600 - lambda_seconds("ResolveTimeout")


def test_api_functions_answer_before_api_gateway_gives_up() -> None:
    for name in ("GetStatus", "CancelJob", "ListModels", "GetModel", "ProcessWebhook"):
        assert lambda_seconds(name) < API_GATEWAY_SECONDS


def table(machine: str) -> str:
    """The table of statemachines/README.md."""
    rows = [
        "| State | Function | Lambda / state limit | Retried | On error | Worst case |",
        "|---|---|---|---|---|---|",
    ]
    for name, state in states(machine).items():
        if state["Type"] != "Task":
            rows.append(f"| {name} | ({state['Type']}) | | | | |")
            continue
        calls_function = name in function_tasks(machine)
        function = f"`{snake(name)}`" if calls_function else "states:startExecution"
        own = f"{lambda_seconds(name)} s" if calls_function else "-"
        retried = ", ".join(
            f"{profile_name(machine, retrier)} x{retrier['MaxAttempts']}"
            for retrier in state["Retry"]
        )
        caught = ", ".join(
            f"{'/'.join(catcher['ErrorEquals'])} → {catcher['Next']}" for catcher in state["Catch"]
        )
        worst = f"{worst_case(name, state):.0f} s"
        rows.append(
            f"| {name} | {function} | {own} / {state['TimeoutSeconds']} s | {retried} | {caught} | {worst} |"
        )
    total = longest(machine)
    rows.append(
        f"| **machine** | | {definition(machine)['TimeoutSeconds']} s | | | {total:.0f} s |"
    )
    return "\n".join(rows)


def policies(machine: str) -> str:
    """The table of retry policies of statemachines/README.md."""
    rows = [
        "| Policy | Errors | First delay, growth, longest | Repeats |",
        "|---|---|---|---|",
    ]
    for name, policy in PROFILES[machine].items():
        errors = ", ".join(policy["ErrorEquals"])
        if len(policy["ErrorEquals"]) > MOST_NAMED:
            errors = "every error by which Lambda says that it cannot invoke the function now"
        growth = f"{policy['BackoffRate']:g}"
        delays = f"{policy['IntervalSeconds']} s, x{growth}, {policy['MaxDelaySeconds']} s"
        rows.append(f"| {name} | {errors} | {delays} | {policy['MaxAttempts']} |")
    return "\n".join(rows)


@pytest.mark.parametrize("machine", MACHINE_NAMES)
@pytest.mark.parametrize("make", [table, policies])
def test_the_readme_has_the_table(make: Callable[[str], str], machine: str) -> None:
    readme = (STATE_MACHINES / "README.md").read_text()
    expected = make(machine)
    assert expected in readme, f"statemachines/README.md should have:\n\n{expected}"


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_the_readme_draws_every_way(machine: str) -> None:
    readme = (STATE_MACHINES / "README.md").read_text()
    drawing = readme.split(f"## {machine}")[1].split("```mermaid")[1].split("```")[0]
    drawn = {
        tuple(part.strip() for part in line.split(":")[0].split("-->"))
        for line in drawing.splitlines()
        if "-->" in line
    }
    expected = {(n, target) for n, s in states(machine).items() for _, target in edges(s)}
    expected |= {("[*]", definition(machine)["StartAt"])}
    expected |= {(name, "[*]") for name, state in states(machine).items() if not set(edges(state))}
    expected |= {(name, "[*]") for name, state in states(machine).items() if state.get("End")}
    assert drawn == expected
