"""Requests signed with AWS credentials, for an API that knows its callers by IAM."""

from collections.abc import Generator
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlencode

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cli.client.errors import CommandError, Exit

_SIGNED = ("content-type", "host", "idempotency-key")


class SignedByAws(httpx.Auth):
    """SigV4 for the service `execute-api`."""

    requires_request_body = True

    def __init__(self, credentials: Any, region: str) -> None:
        self._credentials = credentials
        self._region = region

    @classmethod
    def from_environment(cls) -> Self:
        """With the profile of the environment; boto3 renews what expires. Raises CommandError."""
        session = boto3.Session()
        credentials, region = session.get_credentials(), session.region_name
        if credentials is None or region is None:
            message = "The API wants AWS signatures, and there are no credentials or no region."
            hint = "AWS_PROFILE and AWS_DEFAULT_REGION choose them."
            raise CommandError("NoCredentials", message, Exit.NOT_ALLOWED, hint)
        return cls(credentials, region)

    @classmethod
    def by(cls, access_key_id: str, secret_access_key: str, region: str) -> Self:
        return cls(Credentials(access_key_id, secret_access_key), region)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        # What is signed is the query in AWS's own escapes and order: send it like that.
        pairs = sorted(parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True))
        if pairs:
            query = urlencode(pairs, quote_via=quote, safe="-_.~")
            request.url = request.url.copy_with(query=query.encode("ascii"))
        headers = {name: value for name, value in request.headers.items() if name in _SIGNED}
        signed = AWSRequest(request.method, str(request.url), headers, request.content)
        frozen = self._credentials.get_frozen_credentials()
        SigV4Auth(frozen, "execute-api", self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        yield request
