"""Lambda and Step Functions of the engine, as the front's integrations call them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from devstack.engine import client_config, session
from devstack.gateway.responses import GatewayError

_TIMEOUT_SECONDS = 29.0
_MAX_INPUT = 262_144


class EngineBackend:
    """`endpoint` is the engine's URL. Thread-safe: boto3 clients are."""

    def __init__(self, endpoint: str) -> None:
        boto = session()
        config = client_config(read_timeout=_TIMEOUT_SECONDS, connections=100)
        self._lambda = boto.client("lambda", endpoint_url=endpoint, config=config)
        self._states = boto.client("stepfunctions", endpoint_url=endpoint, config=config)

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> tuple[bytes, bool]:
        answer = _guarded(
            lambda: self._lambda.invoke(
                FunctionName=function_arn, Payload=json.dumps(event).encode()
            )
        )
        return answer["Payload"].read(), "FunctionError" in answer

    def states(self, action: str, arguments: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        from botocore.exceptions import ClientError, ParamValidationError  # noqa: PLC0415

        calls: dict[str, Callable[..., Any]] = {
            "StartExecution": self._states.start_execution,
            "StartSyncExecution": self._states.start_sync_execution,
            "StopExecution": self._states.stop_execution,
            "DescribeExecution": self._states.describe_execution,
        }
        if (
            len(str(arguments.get("input", "")).encode(errors="surrogatepass")) > _MAX_INPUT
        ):  # the engine would take it
            return 400, {
                "__type": "com.amazon.coral.validate#ValidationException",
                "message": "1 validation error detected: Value at 'input' failed to satisfy"
                f" constraint: Member must have length less than or equal to {_MAX_INPUT}",
            }
        if action not in calls:
            raise GatewayError("API_CONFIGURATION_ERROR", f"The action {action} is not known here.")
        try:
            answer = _guarded(lambda: calls[action](**arguments))
        except ClientError as error:
            status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
            details = error.response["Error"]
            return status, {"__type": details["Code"], "message": details.get("Message", "")}
        except ParamValidationError as error:
            return 400, {"__type": "ValidationException", "message": str(error)}
        answer.pop("ResponseMetadata", None)
        return 200, answer


def _guarded(call: Callable[[], Any]) -> Any:
    from botocore.exceptions import (  # noqa: PLC0415
        ConnectionError as BotoConnectionError,
    )
    from botocore.exceptions import HTTPClientError, ReadTimeoutError  # noqa: PLC0415

    try:
        return call()
    except ReadTimeoutError:
        raise GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out") from None
    except (BotoConnectionError, HTTPClientError):
        raise GatewayError("INTEGRATION_FAILURE", "Internal server error") from None
