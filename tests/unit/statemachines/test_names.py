"""Names agree: folders, resources, substitutions, states, errors, and the fields that travel."""

import inspect
from pathlib import Path

import pytest

from tests.support.machines import MACHINE_NAMES, STATE_MACHINES, camel, snake
from tests.support.template import resource, template
from tests.unit.statemachines.graph import function_tasks, states, substitutions, tasks
from vsl.domain import errors
from vsl.domain.errors import error_classes
from vsl.domain.predictions.prediction import Outcome, PredictionStatus

FUNCTIONS = STATE_MACHINES.parent / "functions"
ENGINES_OWN = ("States.", "Lambda.", "Runtime.", "Sandbox.", "StepFunctions.")
# How a local engine spells StepFunctions.ExecutionAlreadyExistsException.
LOCAL_SPELLING = {"ExecutionAlreadyExists"}
# Errors whose docstrings promise that trying again may help: each must be retried somewhere.
RETRYABLE = {
    "StoreUnavailable",
    "ProviderThrottled",
    "ProviderUnavailable",
    "SubmissionUncertain",
    "DownloadFailed",
    "RequestInProgress",
}


def machine_resource(machine: str) -> str:
    return f"{camel(machine)}StateMachine"


def folders() -> set[str]:
    return {path.parent.name for path in FUNCTIONS.glob("*/app.py")}


def test_folder_resource_substitution_and_state_share_a_name() -> None:
    checked = 0
    for machine in MACHINE_NAMES:
        given = resource(machine_resource(machine))["Properties"]["DefinitionSubstitutions"]
        for state, task in function_tasks(machine).items():
            function = f"{state}Function"
            assert task["Parameters"]["FunctionName"] == f"${{{function}Arn}}"
            assert given[f"{function}Arn"] == {"Ref": f"{function}Aliaslive"}
            assert resource(function)["Properties"]["CodeUri"] == f"functions/{snake(state)}"
            assert snake(state) in folders()
            checked += 1
    assert checked == 15


def test_every_folder_is_a_function_and_the_reverse() -> None:
    resources = {
        name: part
        for name, part in template()["Resources"].items()
        if part["Type"] == "AWS::Serverless::Function"
    }
    assert {f"{camel(folder)}Function" for folder in folders()} == set(resources)
    assert len(resources) >= 17
    for name, part in resources.items():
        folder = snake(name.removesuffix("Function"))
        assert part["Properties"]["CodeUri"] == f"functions/{folder}"
        kebab = folder.replace("_", "-")
        assert part["Properties"]["FunctionName"] == {"Fn::Sub": f"vsl-${{Stage}}-{kebab}"}


@pytest.mark.parametrize("machine", MACHINE_NAMES)
def test_substitutions_are_those_the_machine_asks_for(machine: str) -> None:
    properties = resource(machine_resource(machine))["Properties"]
    assert substitutions(machine) == set(properties["DefinitionSubstitutions"])
    assert properties["DefinitionUri"] == f"statemachines/{machine}.asl.json"
    kebab = machine.replace("_", "-")
    assert properties["Name"] == {"Fn::Sub": f"vsl-${{Stage}}-{kebab}"}
    assert Path(properties["DefinitionUri"]).name in {p.name for p in STATE_MACHINES.iterdir()}


def named_errors() -> set[str]:
    return {
        error
        for machine in MACHINE_NAMES
        for state in tasks(machine).values()
        for part in ("Retry", "Catch")
        for block in state[part]
        for error in block["ErrorEquals"]
    }


def test_machines_name_no_error_that_does_not_exist() -> None:
    ours = {error for error in named_errors() if not error.startswith(ENGINES_OWN)}
    assert ours - LOCAL_SPELLING <= set(error_classes())
    assert len(ours) >= len(RETRYABLE)


def test_every_error_worth_a_retry_is_retried() -> None:
    retried = {
        error
        for machine in MACHINE_NAMES
        for state in tasks(machine).values()
        for retrier in state["Retry"]
        for error in retrier["ErrorEquals"]
        if not error.startswith(ENGINES_OWN)
    }
    assert retried == RETRYABLE
    promised = {
        name
        for name, kind in error_classes().items()
        if kind.__module__ == errors.__name__
        and (
            "retrying is safe" in (inspect.getdoc(kind) or "")
            or "try again" in (kind.__doc__ or "")
        )
    }
    assert promised
    assert promised <= RETRYABLE


def test_a_resolved_timeout_looks_like_any_other_outcome() -> None:
    outcome = Outcome("r1", PredictionStatus.SUCCEEDED, "timeout").document()
    selected = states("media_job")["ResolveTimeout"]["ResultSelector"]
    told = {*outcome, "attempt"}
    assert selected == {f"{key}.$": f"$.Payload.{key}" for key in told}
