"""What one job does, by function: counted in the fault tests' harness, sized by the template."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS
from benchmarks.work import CountingWorld, count
from tests.fault.harness import handlers
from tests.fault.harness.scenarios import scenario
from tests.support.jobs import catalogue
from tests.support.template import REPOSITORY, resource, template
from vsl.domain.catalogue.models import Model
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.money.pricing import estimate, estimated_time

_FILE = Path(__file__).with_name("prices.json")


@cache
def facts() -> dict[str, Any]:
    """Prices, quotas and assumptions, each with its source or its reason."""
    loaded: dict[str, Any] = json.loads(_FILE.read_text())
    return loaded


def assumed(name: str) -> float:
    """Raises KeyError: what a job newly asks must be said in prices.json."""
    return float(facts()["assumed"][name]["value"])


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation of a function: memory in MB, and how often it asks each store."""

    function: str
    megabytes: int
    calls: Mapping[str, float]
    processor: float
    """Seconds on a whole processor."""

    def seconds(self, transferred: float = 0) -> float:
        """How long it is billed for; `transferred` in megabytes counts for StoreMedia alone."""
        share = min(1.0, self.megabytes / assumed("fullVcpuMegabytes"))
        waits = sum(
            number * assumed(f"{store}Milliseconds") / 1000 for store, number in self.calls.items()
        )
        moved = transferred / assumed("transferMegabytesPerSecond")
        return self.processor / share + waits + (moved if self.function == "store_media" else 0)


@dataclass(frozen=True, slots=True)
class Work:
    """One job: the Lambda calls of the API workflow, of media_job and of the webhooks, in their order."""

    api_workflow: tuple[Call, ...]
    steps: tuple[Call, ...]
    webhooks: tuple[Call, ...]
    status: Call
    authorizer: Call
    """Before each request of a client with `ApiAuth=KEYS`; as if no process had kept the key."""
    transitions: int
    api_workflow_transitions: int
    write_units: int
    write_requests: Mapping[str, int]
    """By function, without the API workflow's."""
    in_flight_writes: int
    """Entries that come to the in-flight index or leave it."""
    read_units: int
    events: int
    puts: int
    gets: int


@cache
def work() -> Work:
    """Counted anew: a step more, or a larger function, shows in the page."""
    with handlers.installed():
        found, effects = count()
    invoked = [effect.operation for effect in effects if effect.store == "lambda"]
    posted = sum(effect.store == "webhook" for effect in effects)
    calls: dict[str, Counter[str]] = {}
    for effect in effects:
        calls.setdefault(effect.actor, Counter())[effect.store] += 1
    processor = _processor_seconds() / (len(invoked) + posted)

    def call(function: str, share: int = 1) -> Call:
        each = {store: number / share for store, number in calls.get(function, {}).items()}
        return Call(function, megabytes(function), each, processor)

    operations = Counter(effect.operation for effect in effects if effect.store == "dynamodb")
    s3 = Counter(effect.operation for effect in effects if effect.store == "s3")
    states = api_workflow_states()
    api_workflow = tuple(call(_snake(name)) for name, state in states.items() if _invokes(state))
    return Work(
        api_workflow=api_workflow,
        steps=tuple(call(_snake(name)) for name in invoked),
        webhooks=tuple(call("process_webhook", posted) for _ in range(posted)),
        status=Call("get_status", megabytes("get_status"), {"redis": 1, "dynamodb": 1}, processor),
        authorizer=Call("authorize_key", megabytes("authorize_key"), {"dynamodb": 1}, processor),
        transitions=found["state transitions"],
        api_workflow_transitions=len(states) + 1,
        # The API workflow writes the job first, with a record for its Idempotency-Key; media_job's own
        # write then finds it there, which is paid all the same.
        write_units=found["DynamoDB write units"] + 1 + 2,
        write_requests=Counter(
            effect.actor
            for effect in effects
            if effect.store == "dynamodb" and effect.operation != "get_item"
        ),
        in_flight_writes=_in_flight_writes(),
        read_units=operations["get_item"] + 1,
        events=sum(effect.store == "events" for effect in effects),
        puts=s3["put_object"],
        gets=s3["get_object"],
    )


class _IndexWorld(CountingWorld):
    """A run that watches the in-flight index."""

    entries = 0

    def _written(self, item: Mapping[str, Any]) -> None:
        old, new = (
            tuple(it.get(name) for name in ("inFlightShard", "nextCheckAt"))
            for it in (getattr(self, "before", {}), item)
        )
        if old != new:
            self.entries += (None not in old) + (None not in new)
        super()._written(item)


def _in_flight_writes() -> int:
    with handlers.installed():
        world = _IndexWorld(scenario("image"))
        world.run()
    return world.entries


def api_workflow_states() -> dict[str, Any]:
    """The states of generate_media on its way to an accepted job that no client waits for."""
    machine = definition("generate_media")
    found, name = {}, machine["StartAt"]
    while name != "Accepted":
        found[name] = state = machine["States"][name]
        name = state.get("Next") or state["Default"]
    return found | {name: machine["States"][name]}


def _invokes(state: Mapping[str, Any]) -> bool:
    return str(state.get("Resource", "")).endswith("lambda:invoke")


def definition(machine: str) -> dict[str, Any]:
    text = (REPOSITORY / "statemachines" / f"{machine}.asl.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def machine_type(machine: str) -> str:
    """STANDARD or EXPRESS."""
    name = "".join(part.capitalize() for part in machine.split("_")) + "StateMachine"
    return str(resource(name)["Properties"]["Type"])


def architecture() -> str:
    return str(template()["Parameters"]["LambdaArchitecture"]["Default"])


def in_vpc(function: str) -> bool:
    return "VpcConfig" in resource(_camel(function))["Properties"]


def parameter(name: str) -> float:
    return float(template()["Parameters"][name]["Default"])


def job_seconds(model_id: str) -> float:
    """How long the model of the example works."""
    return estimated_time(*_example(model_id))


def job_price(model_id: str) -> float:
    """US dollars to the provider for the example."""
    return float(estimate(*_example(model_id)) or 0)


def _example(model_id: str) -> tuple[Model, dict[str, Any]]:
    model = catalogue().models[model_id]
    return model, validate_parameters(model, model.example, allow_http=False)


def _processor_seconds() -> float:
    """Of all steps and webhooks of a job, as last measured for docs/performance.md."""
    row = json.loads((RESULTS / "overhead.json").read_text())["rows"][0]
    milliseconds, unit = row[1].split()
    assert unit == "ms", row
    return float(milliseconds) / 1000


def megabytes(function: str) -> int:
    properties = resource(_camel(function))["Properties"]
    return int(properties.get("MemorySize", template()["Globals"]["Function"]["MemorySize"]))


def _camel(function: str) -> str:
    return "".join(part.capitalize() for part in function.split("_")) + "Function"


def _snake(state: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in state).lstrip("_")
