"""Routes about keys, by their functions alone: for who has AWS credentials and no key yet.

With ApiAuth KEYS the API lets nobody in without a key, so the first one cannot come through it.
"""

import json
from collections.abc import Mapping
from typing import Any

from cli.client.errors import CommandError, Exit, refusal
from cli.client.target import aws_client, aws_errors, valid_stage

# Stands for the AWS credentials that Lambda checked, where API Gateway would tell of a key.
_AUTHORIZER = {"keyId": "aws-credentials", "principalId": "aws-credentials"}

ALIAS = ":live"


class InvokedKeys:
    """The functions of a stage, called as API Gateway calls them for an operator's key."""

    def __init__(self, stage: str) -> None:
        self.stage = valid_stage(stage)

    def create_key(self, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        event = {"body": json.dumps(body), "headers": headers}
        return self._call("create-key", "POST", "/keys", event)

    def keys(self, **query: str | int | None) -> dict[str, Any]:
        given = {name: str(value) for name, value in query.items() if value is not None}
        return self._call("list-keys", "GET", "/keys", {"queryStringParameters": given or None})

    def revoke_key(self, key_id: str) -> None:
        path = {"pathParameters": {"keyId": key_id}}
        self._call("revoke-key", "DELETE", "/keys/{keyId}", path)

    def _call(
        self, function: str, method: str, resource: str, event: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The body of the answer. Raises CommandError for a refusal, as the API would give it."""
        name = f"vsl-{self.stage}-{function}"
        context = {"authorizer": _AUTHORIZER}
        whole = {"httpMethod": method, "resource": resource, "requestContext": context, **event}
        with aws_errors(f"The function {name} cannot be called"):
            answer = aws_client("lambda").invoke(
                FunctionName=f"{name}{ALIAS}", Payload=json.dumps(whole).encode()
            )
            payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            message = f"The function {name} failed: {payload.get('errorMessage', '')}"
            raise CommandError("FunctionFailed", message, Exit.UNAVAILABLE, "Try again.")
        body: dict[str, Any] = json.loads(payload["body"]) if payload.get("body") else {}
        if payload["statusCode"] >= 400:
            raise refusal(payload["statusCode"], body)
        return body
