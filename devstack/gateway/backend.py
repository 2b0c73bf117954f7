"""Lambda and Step Functions of the engine, as the front's integrations call them.

By plain HTTP: boto3's clients take 20 MiB and a quarter of a second to start, and the front needs
five calls of them. The engine takes the keys of its root account without looking at the signature.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import urllib3

from devstack.engine import unchecked_signature
from devstack.gateway.responses import GatewayError

_TIMEOUT_SECONDS = 29.0
_CONNECT_SECONDS = 5.0
_MAX_INPUT = 262_144
_CONNECTIONS = 100
_ACTIONS = {"StartExecution", "StartSyncExecution", "StopExecution", "DescribeExecution"}


class EngineBackend:
    """`endpoint` is the engine's URL. Thread-safe."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._pool = urllib3.PoolManager(
            maxsize=_CONNECTIONS,
            retries=False,  # what is called may have begun
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_TIMEOUT_SECONDS),
        )

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> tuple[bytes, bool]:
        path = f"/2015-03-31/functions/{function_arn}/invocations"
        answer = self._post(path, "lambda", json.dumps(event).encode(), {})
        if answer.status != 200:
            raise GatewayError("INTEGRATION_FAILURE", "Internal server error")
        return answer.data, "X-Amz-Function-Error" in answer.headers

    def states(self, action: str, arguments: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        given = str(arguments.get("input", "")).encode(errors="surrogatepass")
        if len(given) > _MAX_INPUT:  # the engine would take it
            return 400, {
                "__type": "com.amazon.coral.validate#ValidationException",
                "message": "1 validation error detected: Value at 'input' failed to satisfy"
                f" constraint: Member must have length less than or equal to {_MAX_INPUT}",
            }
        if action not in _ACTIONS:
            raise GatewayError("API_CONFIGURATION_ERROR", f"The action {action} is not known here.")
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AWSStepFunctions.{action}",
        }
        answer = self._post("/", "states", json.dumps(arguments).encode(), headers)
        return answer.status, json.loads(answer.data)

    def put_metrics(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData",
        }
        body = json.dumps({"Namespace": namespace, "MetricData": data}).encode()
        self._post("/", "monitoring", body, headers)

    def _post(
        self, path: str, service: str, body: bytes, headers: Mapping[str, str]
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
                "POST",
                f"{self._endpoint}{path}",
                body=body,
                headers={**headers, "Authorization": unchecked_signature(service)},
            )
        except urllib3.exceptions.ReadTimeoutError:
            raise GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out") from None
        except urllib3.exceptions.HTTPError:
            raise GatewayError("INTEGRATION_FAILURE", "Internal server error") from None
