"""The engine's own process, with IAM on: `engine_process.py CALLS`, run by the engine's interpreter.

Functions run a few at a time (hosting/places.py), in workers made by fork servers (Linux).

Each function acts with the role that the template gives it, and is refused what the role does not
allow. What was asked is written to the file CALLS, each thing once: function, action, resource,
whether it was allowed. The engine knows the resource or the condition key of a few calls less than
AWS does; those are added here, after AWS's service authorization reference.
"""

import importlib
import json
import os
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

# The caller that completes a task token needs the right at the machine of the token. The call does not
# show the machine; one machine hands out tokens.
_TOKEN_ACTIONS = {"SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"}
_MACHINE = "vsl-local-media-job"
_ACCOUNT = "000000000000"

_asked: ContextVar[dict[str, Any]] = ContextVar("asked", default={})  # noqa: B039 - never changed in place


class Permissions:
    """`evaluator` and `actions` are the engine's modules of IAM; `calls` takes the record."""

    def __init__(self, evaluator: Any, actions: Any, calls: TextIO) -> None:
        self._evaluator = evaluator
        self._enforce = evaluator.enforce
        self._resource_of = actions.extract_resource_arn
        self._calls = calls
        self._written: set[str] = set()

    def resource_of(
        self, service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any
    ) -> str:
        """In the place of the engine's `extract_resource_arn`; `more` ends with region and account."""
        _asked.set(_object(body) if service in {"events", "ssm"} else {})
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if service == "states" and action in _TOKEN_ACTIONS:
            region, account = more[-2:]
            return f"arn:aws:states:{region}:{account}:stateMachine:{_MACHINE}"
        return str(self._resource_of(service, method, path, headers, body, *more))

    def enforce(
        self,
        access_key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        """In the place of the engine's `enforce`: None if allowed."""
        context = dict(service_context or {})
        if action == "events:PutEvents":
            sources = {str(entry.get("Source")) for entry in _asked.get()["Entries"]}
            context["events:source"] = "|".join(sorted(sources))
        for resource in _resources(action, resource_arn, region):
            denied = self._enforce(access_key, action, service, region, resource, context)
            caller = self._evaluator.resolve_caller_identity(access_key) or {}
            _, assumed, role = str(caller.get("userArn", "")).rpartition("/")
            if assumed and ":assumed-role/" in caller["userArn"]:
                self._record(role, action, resource, denied is None)
            if denied is not None:
                return denied
        return None

    def _record(self, function: str, action: str, resource: str, allowed: bool) -> None:
        call = {"function": function, "action": action, "resource": resource, "allowed": allowed}
        line = json.dumps(call)
        if line not in self._written:
            self._written.add(line)
            self._calls.write(line + "\n")


def _resources(action: str, resource: str, region: str) -> list[str]:
    """A call for parameters by name needs the right at each of them."""
    if action != "ssm:GetParameters":
        return [resource]
    names = [str(name).lstrip("/") for name in _asked.get().get("Names", ())]
    return [f"arn:aws:ssm:{region}:{_ACCOUNT}:parameter/{name}" for name in names] or [resource]


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def main(calls: str) -> None:
    # A call passes through some of the engine's threads, each of which may wait so long for another.
    sys.setswitchinterval(0.0005)
    os.environ["AUTH"] = "true"
    app: Any = importlib.import_module("ministack.app")
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    with Path(calls).open("w", buffering=1) as target:
        permissions = Permissions(evaluator, actions, target)
        evaluator.enforce = permissions.enforce
        actions.extract_resource_arn = permissions.resource_of
        pin = app.pin_request_origin
        app.pin_request_origin = lambda address, _: pin(address, True)  # loopback counts as TLS
        sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: it hides no library
        hosting: Any = importlib.import_module("devstack.hosting.install")
        service: Any = importlib.import_module("ministack.services.lambda_svc")
        hosting.host_functions(service, Path(os.environ["VSL_WORKER_QUEUE"]))
        app.main()


if __name__ == "__main__":
    main(sys.argv.pop())
