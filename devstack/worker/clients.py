"""Clients of AWS that a worker finds made: those of `vsl.adapters.aws.clients`, for the fork server.

A client is little memory of its own. But making one counts references all over botocore, and a
worker gets its own copy of each page it writes to: 5 to 10 MiB, and some 30 ms. A client opens no
connection before its first call, and asks for credentials then.
"""

import gc
import importlib
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

# Those that functions call.
SERVICES = ("cloudwatch", "dynamodb", "events", "lambda", "s3", "sqs", "ssm", "stepfunctions")
_CREDENTIALS = {
    "access_key": "AWS_ACCESS_KEY_ID",
    "secret_key": "AWS_SECRET_ACCESS_KEY",
    "token": "AWS_SESSION_TOKEN",
}


def describe() -> None:
    """Read into boto3's default session, which the clients come from, what describes AWS."""
    boto3: Any = importlib.import_module("boto3")
    session: Any = importlib.import_module("botocore.session").get_session()
    descriptions: Any = session.get_component("data_loader")
    for name in ("partitions", "sdk-default-configuration"):
        descriptions.load_data(name)
    for service in SERVICES:
        session.get_service_model(service)
        session.get_available_regions(service)
        descriptions.load_service_model(service, "endpoint-rule-set-1")
    session.register_component("credential_provider", _OfTheWorker())
    boto3.setup_default_session(botocore_session=session)


class Clients:
    """For the region and the endpoint of the first function that has a worker; they are those of all."""

    def __init__(self) -> None:
        self._place: dict[str, str] | None = None
        self._module: Any = None

    def make(self, environment: Mapping[str, str]) -> None:
        """In the server: also anew when our code has been imported anew."""
        module = sys.modules.get("vsl.adapters.aws.clients")
        if module is None or module is self._module:
            return
        self._module = module
        if self._place is None:
            self._place = _place(environment)
        before = dict(os.environ)
        os.environ |= self._place
        try:
            with suppress(Exception):  # the function that needs a client tells
                for service in SERVICES:
                    module.client(service)
        finally:
            os.environ.clear()
            os.environ.update(before)
        gc.collect()
        gc.freeze()

    def check(self, environment: Mapping[str, str]) -> None:
        """In a worker: let go of those that are for another place."""
        if self._module is not None and _place(environment) != self._place:
            self._module.forget()


def _place(environment: Mapping[str, str]) -> dict[str, str]:
    """What clients go by when they are made: the variables for AWS but those of one function."""
    own = {*_CREDENTIALS.values(), "AWS_EXECUTION_ENV"}
    return {
        name: value
        for name, value in environment.items()
        if name.startswith("AWS_") and not name.startswith("AWS_LAMBDA_") and name not in own
    }


class _OfTheWorker:
    """Credentials as the environment has them at the first call."""

    def load_credentials(self) -> Any:
        credentials: Any = importlib.import_module("botocore.credentials")
        return credentials.DeferredRefreshableCredentials(_from_environment, "env")


def _from_environment() -> dict[str, str | None]:
    found = {name: os.environ.get(variable) for name, variable in _CREDENTIALS.items()}
    if not found["access_key"] or not found["secret_key"]:
        exceptions: Any = importlib.import_module("botocore.exceptions")
        raise exceptions.NoCredentialsError
    return {**found, "expiry_time": "9999-01-01T00:00:00Z"}
