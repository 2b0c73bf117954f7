"""Executions that are kept for what must not wait behind clients that do."""

import tomllib
from typing import Any

import pytest

from cli.release.reserves import UNRESERVED_LEAST, reserved
from tests.support.deployed import of_type, resolved, transformed
from tests.support.machines import camel
from tests.support.template import REPOSITORY
from tests.unit.statemachines.graph import function_tasks

GIVEN = {"ReservedPerStep": "50", "ReservedForStoreMedia": "200"}
# They make good what a webhook that found no execution left open, or wake what waits for a slot.
MAKE_GOOD = {
    "DispatchQueueFunction": 5,
    "PollPredictionsFunction": 10,
    "RepairExecutionFunction": 10,
}
USUAL_QUOTA = 1000


def reserves(parameters: dict[str, str]) -> dict[str, Any]:
    functions = of_type(resolved(transformed(), parameters), "AWS::Lambda::Function")
    found = {n: f["Properties"].get("ReservedConcurrentExecutions") for n, f in functions.items()}
    return {name: int(kept) for name, kept in found.items() if kept is not None}


def test_webhooks_and_every_step_of_a_job_have_a_reserve_of_their_own() -> None:
    steps = {f"{name}Function" for name in function_tasks("media_job")}
    assert len(steps) == 10
    assert reserves(GIVEN).keys() == steps | {"ProcessWebhookFunction"} | MAKE_GOOD.keys()
    for name, kept in reserves(GIVEN).items():
        most = {"StoreMediaFunction": 200} | MAKE_GOOD
        assert kept == most.get(name, 50)


def test_nothing_that_clients_hold_open_takes_from_a_reserve() -> None:
    for folder in ("get_status", "wait_for_job", "get_operations", "get_usage", "deliver_callback"):
        assert f"{camel(folder)}Function" not in reserves(GIVEN)


def test_an_account_that_has_none_to_give_deploys_without() -> None:
    """A new account's quota is 10, of which Lambda lets nothing be reserved."""
    assert reserves({}) == {}


def test_what_is_reserved_together_is_known_beforehand() -> None:
    assert reserved(GIVEN) == sum(reserves(GIVEN).values()) == 10 * 50 + 25 + 200
    assert reserved({}) == 0


@pytest.mark.parametrize("given", [{"ReservedPerStep": "5"}, {"ReservedForStoreMedia": "7"}])
def test_each_reserve_can_be_given_alone(given: dict[str, str]) -> None:
    assert reserved(given) == sum(reserves(given).values()) > 0


def test_both_stages_fit_into_an_account() -> None:
    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
    together = 0
    for stage in ("homolog", "production"):
        pairs = config[stage]["deploy"]["parameters"]["parameter_overrides"]
        kept = reserved(dict(pair.split("=", 1) for pair in pairs))
        assert kept > 0, stage
        together += kept
    assert together <= USUAL_QUOTA - UNRESERVED_LEAST - 100, "and clients have some left"
