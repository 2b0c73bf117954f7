"""Integrations: Lambda proxy, Step Functions actions with templates, and MOCK."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from devstack.gateway.document import ApiDocument, Match
from devstack.gateway.request import Request
from devstack.gateway.responses import Answer, GatewayError
from devstack.gateway.velocity import TemplateFailedError, render

_LAMBDA_URI = re.compile(r".*:lambda:path/2015-03-31/functions/([^/]+)/invocations")
_ACTION_URI = re.compile(r".*:states:action/(\w+)")
_MAX_EVENT = 6 * 1024 * 1024
_SERVER_ERROR = "Internal server error"


class Backend(Protocol):
    """The AWS services behind the front (devstack/gateway/backend.py); calls may block."""

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> tuple[bytes, bool]:
        """The function's answer, and whether it is an error. Raises GatewayError."""
        ...

    def states(self, action: str, arguments: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """HTTP status and body of a Step Functions action, also of a refused one. Raises GatewayError."""
        ...


@dataclass(frozen=True, slots=True)
class Integration:
    """The integration of one request."""

    api: ApiDocument
    match: Match
    request: Request
    stage: str
    backend: Backend

    def answer(self) -> Answer:
        """Raises GatewayError where API Gateway answers by itself."""
        kind = str(self._definition.get("type", "")).lower()
        kinds = {"aws_proxy": self._call_function, "mock": self._mock, "aws": self._call_states}
        if kind not in kinds:
            message = f"Integration type {kind!r} is not supported here."
            raise GatewayError("API_CONFIGURATION_ERROR", message)
        return kinds[kind]()

    @property
    def _definition(self) -> Mapping[str, Any]:
        return self.match.operation.integration

    def _call_function(self) -> Answer:
        event = self.request.proxy_event(self.match, self.stage, self.api.binary_types)
        if len(event["body"] or "") > _MAX_EVENT:  # as Lambda refuses it
            raise GatewayError("REQUEST_TOO_LARGE", "Request Too Long")
        payload, failed = self.backend.invoke(self._uri(_LAMBDA_URI), event)
        if failed:
            raise GatewayError("DEFAULT_5XX", _SERVER_ERROR)
        return proxy_answer(payload)

    def _call_states(self) -> Answer:
        action = self._uri(_ACTION_URI)
        try:
            arguments = json.loads(self._rendered_request())
        except ValueError:
            raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR) from None
        status, body = self.backend.states(action, arguments)
        return self._response(status, json.dumps(body))

    def _mock(self) -> Answer:
        """A MOCK integration answers with the status its request template names."""
        try:
            status = int(json.loads(self._rendered_request() or "{}").get("statusCode", 200))
        except (ValueError, AttributeError, TypeError):
            raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR) from None
        return self._response(status, "{}")

    def _uri(self, pattern: re.Pattern[str]) -> str:
        found = pattern.fullmatch(str(self._definition["uri"]))
        if found is None:
            raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR)
        return found[1]

    def _rendered_request(self) -> str:
        templates = self._definition.get("requestTemplates") or {}
        template = templates.get(self.request.content_type)
        if template is None and self._definition.get("passthroughBehavior") == "never":
            raise GatewayError("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
        if template is None and str(self._definition["type"]).lower() == "mock":
            template = templates.get("application/json")
        text = self.request.text
        return text if template is None else self._rendered(template, text)[0]

    def _response(self, status: int, body: str) -> Answer:
        """Choose the response by the pattern its key is, set headers, render the template."""
        responses: Mapping[str, Any] = self._definition.get("responses") or {}
        named = (key for key in responses if key != "default" and re.fullmatch(key, str(status)))
        chosen = responses.get(next(named, "default"))
        if chosen is None:
            raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR)
        headers = {"Content-Type": "application/json"}
        for target, source in (chosen.get("responseParameters") or {}).items():
            headers[target.removeprefix("method.response.header.")] = _literal(source)
        templates = chosen.get("responseTemplates") or {}
        final = int(chosen["statusCode"])
        if templates:
            content_type, template = next(iter(templates.items()))
            headers.setdefault("Content-Type", content_type)
            body, override = self._rendered(template, body)
            headers |= {name: _text(value) for name, value in override["header"].items()}
            final = int(override.get("status", final))
        # One value for each name, whatever its case: the last one set.
        names = {name.lower(): name for name in headers}
        return Answer(final, body.encode(), tuple((name, headers[name]) for name in names.values()))

    def _rendered(self, template: str, body: str) -> tuple[str, dict[str, Any]]:
        try:
            return render(
                template,
                body=body,
                parameters=self.request.parameters(self.match),
                context=self.request.context(self.match.operation.resource, self.stage),
            )
        except TemplateFailedError as error:
            raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR, str(error)) from error


def proxy_answer(payload: bytes) -> Answer:
    """The HTTP answer in a proxy integration's output. Raises GatewayError (502) if there is none."""
    try:
        output = json.loads(payload)
        status = int(output["statusCode"])
        headers = [(name, _text(value)) for name, value in (output.get("headers") or {}).items()]
        for name, values in (output.get("multiValueHeaders") or {}).items():
            headers = [pair for pair in headers if pair[0].lower() != name.lower()]
            headers += [(name, _text(value)) for value in values]
        body = output.get("body") or ""
        encoded = output.get("isBase64Encoded")
        raw = base64.b64decode(body, validate=True) if encoded else body.encode()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise GatewayError("DEFAULT_5XX", _SERVER_ERROR) from None
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return Answer(status, raw, tuple(headers))


def _literal(source: str) -> str:
    """`'text'`: the only kind of header mapping that our document has."""
    if not source.startswith("'"):
        message = f"The header mapping {source} is not supported here."
        raise GatewayError("API_CONFIGURATION_ERROR", message)
    return source[1:-1]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
