"""A running local stack, with what a test may do to it and ask of it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast

import boto3
from botocore.config import Config

from devstack.replicate.control import Control
from tests.support.api import Api
from tests.support.template import REPOSITORY
from vsl.adapters.aws import clients
from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore

# By endpoint and service.
_made: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Stack:
    """`document` is what `vsl up --json` printed."""

    document: Mapping[str, Any]

    @cached_property
    def api(self) -> Api:
        return Api(self.document["apiUrl"])

    @cached_property
    def control(self) -> Control:
        return Control(self.document["replicateUrl"])

    @property
    def database_url(self) -> str:
        return str(self.document["databaseUrl"])

    @property
    def webhook_secret(self) -> str:
        return str(self.document["webhookSecret"])

    def now(self) -> datetime:
        return datetime.now(UTC)

    def client(self, service: str) -> Any:
        return _client(service, self.document["awsEndpointUrl"])

    def tracking_store(self) -> DynamoTrackingStore:
        """The product's own adapter on this stack's table."""
        endpoint = self.document["awsEndpointUrl"]
        if os.environ.get("AWS_ENDPOINT_URL") != endpoint:
            os.environ["AWS_ENDPOINT_URL"] = endpoint
            clients.forget()
        return DynamoTrackingStore(self.document["table"])

    def invoke(self, function: str, event: object) -> Any:
        """Call a function by its resource name; raises AssertionError if it failed."""
        answer = self.client("lambda").invoke(
            FunctionName=self.document["functions"][function], Payload=json.dumps(event).encode()
        )
        content = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, content
        return content

    def execution(self, job_id: str) -> dict[str, Any]:
        """The job's execution, once it has ended."""
        machine = str(self.document["stateMachineArn"]).replace(":stateMachine:", ":execution:")
        client = self.client("stepfunctions")
        return cast("dict[str, Any]", client.describe_execution(executionArn=f"{machine}:{job_id}"))

    def close(self) -> None:
        """End the connections: an open socket at the end of a test run is a warning, hence an error."""
        self.control.close()
        for client in _made.pop(self.document["awsEndpointUrl"], {}).values():
            client.close()
        self.forget_clients()

    def forget_clients(self) -> None:
        """So that the product finds no address of this stack in the next test of this process."""
        clients.forget()
        os.environ.pop("AWS_ENDPOINT_URL", None)

    def pid_of(self, process: str) -> int:
        """The process id of one of the stack's servers."""
        recorded = json.loads((Path(self.document["state"]) / "processes.json").read_text())
        (pid,) = [each["pid"] for each in recorded if each["name"] == process]
        return int(pid)


@cache
def _session() -> boto3.Session:
    """Of the tests alone: the product's ends with its clients, and what it has read of AWS with it."""
    return boto3.Session()


def _client(service: str, endpoint: str) -> Any:
    made = _made.setdefault(endpoint, {})
    if service not in made:
        made[service] = _session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=endpoint,
            config=Config(inject_host_prefix=False, connect_timeout=5, read_timeout=60),
        )
    return made[service]


def vsl(*words: str, state: Path) -> str:
    """Run the command line as a person would; what it printed. Raises AssertionError if it failed."""
    command = [str(Path(sys.executable).parent / "vsl"), *words, "--state", str(state)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
