"""A boto3 client in the place of our own signed one: moto hears boto3 alone."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from vsl.adapters.json_client import refusal


class ByBoto3:
    """Answers and refuses as `adapters.json_client.JsonClient` does."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self._client, operation)

        def call(**arguments: Any) -> Any:
            try:
                return method(**arguments)
            except ClientError as error:
                code = str(error.response["Error"]["Code"])
                raise refusal("moto", code, error.response) from error

        return call
