"""A Lambda runtime loop for systems on which awslambdaric has no wheel (macOS).

It speaks the Lambda Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)
and gives errors the shapes of AWS's own client; tests/contract/test_runtime_loop.py compares them.
"""

import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from decimal import Decimal
from pathlib import Path
from typing import Any

_API = "/2018-06-01/runtime"


class FaultException(Exception):
    """A fault of the function's package, such as `Runtime.ImportModuleError`; not of its handler."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Context:
    """Lambda's context object, as far as Python functions have one."""

    def __init__(self, request_id: str, deadline_ms: int, arn: str | None) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.client_context = None
        self.identity = None
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))


def run(handler: str, address: str) -> None:
    """Serve invocations until the Runtime API goes away. An import error ends the process."""
    _log_to_stdout()
    connection = http.client.HTTPConnection(address)  # `next` waits for as long as there is no work
    try:
        function = _find(handler)
    except Exception as error:  # noqa: BLE001 - whatever it was, the engine is told
        _post(connection, "init/error", error_document(error, ""))
        sys.exit(1)
    while True:
        connection.request("GET", f"{_API}/invocation/next")
        answer = connection.getresponse()
        payload = answer.read()
        if answer.status != http.client.OK:
            return
        _serve(connection, function, answer.headers, payload)


def _serve(
    connection: http.client.HTTPConnection, function: Any, headers: Any, payload: bytes
) -> None:
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    context = Context(
        request_id,
        int(headers["Lambda-Runtime-Deadline-Ms"]),
        headers.get("Lambda-Runtime-Invoked-Function-Arn"),
    )
    try:
        body = _marshal(function(_unmarshal(payload), context))
    except Exception as error:  # noqa: BLE001 - becomes the invocation's error
        document = error_document(error, request_id)
        print(f"[ERROR] {document['errorType']}: {document['errorMessage']}", flush=True)
        _post(connection, f"invocation/{request_id}/error", document)
    else:
        _send(connection, f"invocation/{request_id}/response", body)


def error_document(error: Exception, request_id: str) -> dict[str, Any]:
    """Class name, text and frames of an exception; our own frames are left out, as AWS leaves out its."""
    if isinstance(error, FaultException):
        kind, frames = error.kind, []
    else:
        kind = type(error).__name__
        frames = list(traceback.extract_tb(error.__traceback__))
        while frames and Path(frames[0].filename).name == Path(__file__).name:
            frames.pop(0)
    return {
        "errorMessage": str(error),
        "errorType": kind,
        "requestId": request_id,
        "stackTrace": traceback.format_list(frames),
    }


def _find(handler: str) -> Any:
    module, _, attribute = handler.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _unmarshal(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError as error:
        raise FaultException(
            "Runtime.UnmarshalError", f"Unable to unmarshal input: {error}"
        ) from error


def _marshal(result: Any) -> bytes:
    try:
        return json.dumps(result, default=_number).encode()
    except (TypeError, ValueError) as error:
        text = f"Unable to marshal response: {error}"
        raise FaultException("Runtime.MarshalError", text) from error


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _post(connection: http.client.HTTPConnection, path: str, document: dict[str, Any]) -> None:
    _send(connection, path, json.dumps(document).encode(), document["errorType"])


def _send(
    connection: http.client.HTTPConnection, path: str, body: bytes, error_type: str | None = None
) -> None:
    headers = {"Content-Type": "application/json"}
    if error_type is not None:
        headers["Lambda-Runtime-Function-Error-Type"] = error_type
    connection.request("POST", f"{_API}/{path}", body, headers)
    connection.getresponse().read()


def _log_to_stdout() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
    )
    logging.Formatter.converter = time.gmtime
    logging.getLogger().addHandler(handler)
