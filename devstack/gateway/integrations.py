"""Integrations: Lambda proxy, Step Functions actions with templates, and MOCK."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from devstack.gateway.document import ApiDocument, Match
from devstack.gateway.request import Request
from devstack.gateway.responses import Answer, GatewayError
from devstack.gateway.velocity import TemplateFailedError, find, render

_LAMBDA_URI = re.compile(r".*:lambda:path/2015-03-31/functions/(?P<arn>[^/]+)/invocations")
_ACTION_URI = re.compile(r".*:states:action/(?P<action>\w+)")
_SERVER_ERROR = "Internal server error"


class Backend(Protocol):
    """The AWS services behind the front (devstack/gateway/backend.py); calls may block."""

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> tuple[bytes, bool]:
        """The function's answer, and whether it is an error. Raises GatewayError."""
        ...

    def states(self, action: str, arguments: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """HTTP status and body of a Step Functions action, also of a refused one. Raises GatewayError."""
        ...


def integrate(
    api: ApiDocument, match: Match, request: Request, stage: str, backend: Backend
) -> Answer:
    """Raises GatewayError for whatever ends in a gateway response."""
    kind = str(match.operation.integration.get("type", "")).lower()
    if kind == "aws_proxy":
        return _proxy(api, match, request, stage, backend)
    if kind == "mock":
        return _mock(match, request, stage)
    if kind == "aws":
        return _states(match, request, stage, backend)
    raise GatewayError(
        "API_CONFIGURATION_ERROR", f"Integration type {kind!r} is not supported here."
    )


def _proxy(
    api: ApiDocument, match: Match, request: Request, stage: str, backend: Backend
) -> Answer:
    uri = _LAMBDA_URI.fullmatch(str(match.operation.integration["uri"]))
    if uri is None:
        raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR)
    event = request.proxy_event(match, stage, api.binary_types)
    payload, failed = backend.invoke(uri["arn"], event)
    if failed:
        raise GatewayError("DEFAULT_5XX", _SERVER_ERROR)
    return proxy_answer(payload)


def proxy_answer(payload: bytes) -> Answer:
    """The HTTP answer in a proxy integration's output. Raises GatewayError (502) if there is none."""
    import base64  # noqa: PLC0415
    import binascii  # noqa: PLC0415

    try:
        output = json.loads(payload)
        status = int(output["statusCode"])
        headers = [(name, _text(value)) for name, value in (output.get("headers") or {}).items()]
        for name, values in (output.get("multiValueHeaders") or {}).items():
            headers = [pair for pair in headers if pair[0].lower() != name.lower()]
            headers += [(name, _text(value)) for value in values]
        body = output.get("body") or ""
        raw = (
            base64.b64decode(body, validate=True)
            if output.get("isBase64Encoded")
            else body.encode()
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise GatewayError("DEFAULT_5XX", _SERVER_ERROR) from None
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return Answer(status, raw, tuple(headers))


def _mock(match: Match, request: Request, stage: str) -> Answer:
    """A MOCK integration answers with the status its request template names."""
    text, _ = _rendered_request(match, request, stage)
    try:
        status = int(json.loads(text or "{}").get("statusCode", 200))
    except (ValueError, AttributeError, TypeError):
        raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR) from None
    return _integration_response(match, request, stage, status, "{}")


def _states(match: Match, request: Request, stage: str, backend: Backend) -> Answer:
    uri = _ACTION_URI.fullmatch(str(match.operation.integration["uri"]))
    if uri is None:
        raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR)
    text, _ = _rendered_request(match, request, stage)
    try:
        arguments = json.loads(text)
    except ValueError:
        raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR) from None
    status, body = backend.states(uri["action"], arguments)
    return _integration_response(match, request, stage, status, json.dumps(body, default=_epoch))


def _rendered_request(match: Match, request: Request, stage: str) -> tuple[str, dict[str, Any]]:
    integration = match.operation.integration
    templates = integration.get("requestTemplates") or {}
    template = templates.get(request.content_type)
    if template is None:
        behaviour = str(integration.get("passthroughBehavior", "when_no_match")).lower()
        if behaviour == "never" or (behaviour == "when_no_templates" and templates):
            raise GatewayError("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
        if str(integration.get("type", "")).lower() == "mock" and "application/json" in templates:
            template = templates["application/json"]
        else:
            return request.text, {}
    return _render(template, match, request, stage, request.text)


def _integration_response(
    match: Match, request: Request, stage: str, status: int, body: str
) -> Answer:
    """Choose the response by the pattern its key is, map headers, render the template."""
    responses: Mapping[str, Any] = match.operation.integration.get("responses") or {}
    chosen = next(
        (
            response
            for pattern, response in responses.items()
            if pattern != "default" and re.fullmatch(str(pattern), str(status))
        ),
        responses.get("default"),
    )
    if chosen is None:
        raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR)
    headers = {"Content-Type": "application/json"}
    for target, source in (chosen.get("responseParameters") or {}).items():
        value = _mapped(source, request, match, stage, body)
        if target.startswith("method.response.header.") and value is not None:
            headers[target.removeprefix("method.response.header.")] = value
    templates = chosen.get("responseTemplates") or {}
    final = int(chosen["statusCode"])
    if templates:
        content_type, template = next(iter(templates.items()))
        headers.setdefault("Content-Type", content_type)
        body, override = _render(template, match, request, stage, body)
        headers |= {name: _text(value) for name, value in override["header"].items()}
        final = int(override.get("status", final))
    return Answer(final, body.encode(), tuple(_deduplicated(headers).items()))


def _render(
    template: str, match: Match, request: Request, stage: str, body: str
) -> tuple[str, dict[str, Any]]:
    try:
        return render(
            template,
            body=body,
            parameters=request.parameters(match),
            context=request.context(match.operation.resource, stage),
        )
    except TemplateFailedError as error:
        raise GatewayError("API_CONFIGURATION_ERROR", _SERVER_ERROR, str(error)) from error


def _mapped(source: str, request: Request, match: Match, stage: str, body: str) -> str | None:
    """`'text'`, `context.x` or `integration.response.body[.path]`."""
    if source.startswith("'"):
        return source[1:-1]
    if source.startswith("context."):
        value = find(request.context(match.operation.resource, stage), "$." + source[8:])
    elif source.startswith("integration.response.body"):
        value = find(json.loads(body), "$" + source.removeprefix("integration.response.body"))
    else:
        return None
    return None if value is None else _text(value)


def _deduplicated(headers: Mapping[str, str]) -> dict[str, str]:
    """One value a name, the last one set, whatever its case."""
    names: dict[str, str] = {}
    for name in headers:
        names[name.lower()] = name
    return {name: headers[name] for name in names.values()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _epoch(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(type(value).__name__)
