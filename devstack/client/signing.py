"""Requests signed with the AWS credentials of the environment, for an API that knows callers by IAM."""

from collections.abc import Generator

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from devstack.client.errors import CommandError, Exit


class SignedByAws(httpx.Auth):
    """SigV4 for the service `execute-api`; credentials are fetched (and renewed) by boto3."""

    requires_request_body = True

    def __init__(self) -> None:
        session = boto3.Session()
        credentials = session.get_credentials()
        if credentials is None or session.region_name is None:
            message = "The API wants AWS signatures, and there are no credentials or no region."
            hint = "AWS_PROFILE and AWS_REGION choose them."
            raise CommandError("NoCredentials", message, Exit.NOT_ALLOWED, hint)
        self._credentials = credentials
        self._region = session.region_name

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        kept = ("content-type", "host", "idempotency-key")
        headers = {name: value for name, value in request.headers.items() if name in kept}
        signed = AWSRequest(request.method, str(request.url), headers, request.content)
        frozen = self._credentials.get_frozen_credentials()
        SigV4Auth(frozen, "execute-api", self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        yield request
