"""The OpenAPI document as API Gateway reads it: routes, validators, gateway responses, extensions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}
_ANY = "x-amazon-apigateway-any-method"
_SCHEMES = {
    "x-api-key": "API_KEY",
    "cognito_user_pools": "COGNITO",
    "awsSigv4": "IAM",
    "custom": "KEYS",
}
_LAMBDA_URI = re.compile(r".*:lambda:path/2015-03-31/functions/([^/]+)/invocations")
_VARIABLE = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one resource. `method` is `ANY` for the catch-all."""

    resource: str
    method: str
    definition: Mapping[str, Any]
    integration: Mapping[str, Any]
    required_parameters: tuple[tuple[str, str], ...]
    """(place, name) pairs, place as in OpenAPI: `query`, `header`, `path`."""
    schemas: Mapping[str, Mapping[str, Any]]
    """JSON Schemas of the request body by content type."""
    validates_body: bool
    validates_parameters: bool
    access: str
    """How callers are known: `NONE`, `API_KEY`, `COGNITO`, `IAM` or, by a Lambda authorizer, `KEYS`."""
    authorizer: str = ""
    """ARN of that authorizer's function."""


@dataclass(frozen=True, slots=True)
class Match:
    operation: Operation
    path_parameters: Mapping[str, str]


class ApiDocument:
    """Raises ValueError for a document without integrations."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.gateway_responses: Mapping[str, Any] = document.get(
            "x-amazon-apigateway-gateway-responses", {}
        )
        self.binary_types: tuple[str, ...] = tuple(
            document.get("x-amazon-apigateway-binary-media-types", ())
        )
        self.minimum_compression: int | None = document.get(
            "x-amazon-apigateway-minimum-compression-size"
        )
        """The size in bytes from which answers are compressed; None means never."""
        self._routes = [
            (_pattern(resource), resource, self._operations(resource, item))
            for resource, item in document["paths"].items()
        ]
        self._routes.sort(key=lambda route: _specificity(route[1]))

    def match(self, path: str, method: str) -> Match | None:
        """The operation for a request: literal segments win over variables, those over `{proxy+}`."""
        trimmed = path.rstrip("/") or "/"
        for pattern, _, operations in self._routes:
            found = pattern.fullmatch(trimmed)
            if found is None:
                continue
            operation = operations.get(method)
            if operation is None and method.lower() in _METHODS:
                operation = operations.get("ANY")
            if operation is not None:
                return Match(operation, found.groupdict())
        return None

    def operations(self) -> list[Operation]:
        return [operation for _, _, methods in self._routes for operation in methods.values()]

    def _operations(self, resource: str, item: Mapping[str, Any]) -> dict[str, Operation]:
        shared = item.get("parameters", ())
        return {
            "ANY" if name == _ANY else name.upper(): self._operation(
                resource, name, definition, shared
            )
            for name, definition in item.items()
            if name in _METHODS or name == _ANY
        }

    def _operation(
        self, resource: str, name: str, definition: Mapping[str, Any], shared: Any
    ) -> Operation:
        integration = definition.get("x-amazon-apigateway-integration")
        if integration is None:
            raise ValueError(f"{name.upper()} {resource} has no x-amazon-apigateway-integration.")
        validator = self._validator(definition)
        parameters = [self._follow(each) for each in (*shared, *definition.get("parameters", ()))]
        content = self._follow(definition.get("requestBody", {})).get("content", {})
        return Operation(
            resource=resource,
            method="ANY" if name == _ANY else name.upper(),
            definition=definition,
            integration=integration,
            required_parameters=tuple(
                (each["in"], each["name"]) for each in parameters if each.get("required")
            ),
            schemas={kind: media["schema"] for kind, media in content.items() if "schema" in media},
            validates_body=bool(validator.get("validateRequestBody")),
            validates_parameters=bool(validator.get("validateRequestParameters")),
            **self._access(definition),
        )

    def _validator(self, definition: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises ValueError for one that the document does not define: API Gateway takes no such document."""
        key = "x-amazon-apigateway-request-validator"
        name = definition.get(key, self.document.get(key))
        known = self.document.get("x-amazon-apigateway-request-validators", {})
        if name is not None and name not in known:
            raise ValueError(f"The document defines no request validator {name!r}.")
        found: Mapping[str, Any] = known.get(name, {})
        return found

    def _access(self, definition: Mapping[str, Any]) -> dict[str, str]:
        """Raises ValueError for a scheme the local front does not know: better than letting everything in."""
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        required = definition.get("security", self.document.get("security", ()))
        names = [name for alternative in required for name in alternative]
        if not names:
            return {"access": "NONE"}
        if len(names) > 1:
            raise ValueError(f"An operation asks for {', '.join(names)}; the front checks one.")
        scheme = schemes[names[0]]
        kind = scheme.get("x-amazon-apigateway-authtype", scheme["name"].lower())
        if kind not in _SCHEMES:
            raise ValueError(f"The security scheme {names[0]} ({kind}) is not known to the front.")
        function = _authorizer(scheme) if kind == "custom" else ""
        return {"access": _SCHEMES[kind], "authorizer": function}

    def _follow(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in part:
            target: Any = self.document
            for step in part["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            part = target
        return part


def _authorizer(scheme: Mapping[str, Any]) -> str:
    """The function that decides on each request. Raises ValueError for an authorizer of another kind."""
    authorizer = scheme.get("x-amazon-apigateway-authorizer", {})
    found = _LAMBDA_URI.fullmatch(str(authorizer.get("authorizerUri", "")))
    if authorizer.get("type") != "request" or found is None:
        raise ValueError("The front knows authorizers of type request, by a function.")
    if authorizer.get("authorizerResultTtlInSeconds") != 0 or authorizer.get("identitySource"):
        raise ValueError("The front asks an authorizer about each request: it keeps no answers.")
    return found[1]


def _pattern(resource: str) -> re.Pattern[str]:
    text, position = "", 0
    for variable in _VARIABLE.finditer(resource):
        text += re.escape(resource[position : variable.start()])
        text += f"(?P<{variable[1]}>{'.+' if variable[2] else '[^/]+'})"
        position = variable.end()
    return re.compile(text + re.escape(resource[position:]))


def _specificity(resource: str) -> tuple[tuple[int, str], ...]:
    return tuple(
        (2 if "+}" in segment else 1 if segment.startswith("{") else 0, segment)
        for segment in resource.split("/")
    )
