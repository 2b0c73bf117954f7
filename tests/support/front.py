"""The local front with the product's own OpenAPI document, and a back end that only remembers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from devstack.gateway.access import Access
from devstack.gateway.app import Gateway
from devstack.gateway.document import ApiDocument
from devstack.gateway.request import Request
from devstack.gateway.responses import Answer
from devstack.intrinsics import Resolver
from devstack.paths import TEMPLATE
from devstack.template import load_template, without_aliases

ACCEPTED = {"statusCode": 202, "headers": {"Content-Type": "application/json"}, "body": "{}"}


@cache
def api_document(**parameters: str) -> ApiDocument:
    """The document as it would be deployed with these parameters of the template."""
    template = without_aliases(load_template(TEMPLATE))
    values: dict[str, Any] = {
        name: definition.get("Default", "") for name, definition in template["Parameters"].items()
    }
    values |= {"Stage": "local", "ApiAuth": "NONE", "CorsOrigins": "*"}
    values |= {"AWS::Partition": "aws", "AWS::Region": "here"}
    values |= parameters
    values |= {name: f"arn:physical:{name}" for name in template["Resources"]}
    resolver = Resolver(template, values, lambda name, what: f"{name}-{what}")
    body = template["Resources"]["Api"]["Properties"]["DefinitionBody"]
    return ApiDocument(resolver.resolve(body))


@dataclass
class Backend:
    """Answers what it is told to and keeps what it was asked."""

    output: Mapping[str, Any] = field(default_factory=lambda: ACCEPTED)
    run_status: str = "SUCCEEDED"
    http_status: int = 200
    function: Callable[[Mapping[str, Any]], tuple[bytes, bool]] = lambda _: (
        b'{"statusCode":200,"body":"{}"}',
        False,
    )
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> tuple[bytes, bool]:
        self.events.append((function_arn, event))
        return self.function(event)

    def states(self, action: str, arguments: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append((action, arguments))
        if self.http_status != 200:
            return self.http_status, {"__type": "ExecutionLimitExceeded", "message": "too many"}
        return 200, {"status": self.run_status, "output": json.dumps(self.output)}

    @property
    def started(self) -> dict[str, Any]:
        """The input of the one execution that was started."""
        ((action, arguments),) = self.calls
        assert action == "StartSyncExecution"
        decoded: dict[str, Any] = json.loads(arguments["input"])
        return decoded

    @property
    def request(self) -> Any:
        """What the machine reads in the text of the body."""
        return json.loads(self.started["body"])


@dataclass
class Front:
    backend: Backend
    parameters: Mapping[str, str] = field(default_factory=dict)
    access: Access = field(default_factory=Access)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> Answer:
        """One request; `Content-Type` is JSON unless `headers` say otherwise."""
        pairs = {"Host": "api.test", "X-Forwarded-Proto": "https"}
        pairs |= {"Content-Type": "application/json"} if headers is None else headers
        raw = body.encode() if isinstance(body, str) else body
        gateway = Gateway(api_document(**self.parameters), self.backend, "local", self.access)
        return gateway.handle(Request(method, path, query, tuple(pairs.items()), raw))

    def generate(self, request: object, headers: Mapping[str, str] | None = None) -> Answer:
        """POST /generate-media."""
        extra = {"Content-Type": "application/json", **(headers or {})}
        return self.send("POST", "/generate-media", json.dumps(request, ensure_ascii=False), extra)


def header(answer: Answer, name: str) -> str | None:
    """The value of a header that must not be there twice."""
    values = [value for key, value in answer.headers if key.lower() == name.lower()]
    assert len(values) < 2, (name, values)
    return values[0] if values else None
