"""Presigned addresses of S3 objects, by botocore's signer.

A client's `generate_presigned_url` makes the same address and takes four times as long
(docs/decisions/0020-the-named-libraries.md).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from vsl.adapters.aws import clients
from vsl.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials


class BucketAddresses:
    """The objects of one bucket, where the S3 client of this process finds them."""

    def __init__(self, bucket: str) -> None:
        with clients.translated("S3"):
            client = clients.client("s3")
            # By the client's own rules of regions, partitions, FIPS and other endpoints.
            example = client.generate_presigned_url(
                "head_bucket", Params={"Bucket": bucket}, ExpiresIn=1
            )
        self._base = str(example.partition("?")[0])
        self._region = client.meta.region_name

    def plain(self, key: str) -> str:
        return self._base + path_of(key)

    def presigned(
        self, key: str, query: Mapping[str, str], seconds: int, credentials: "ReadOnlyCredentials"
    ) -> str:
        """Readable for so many seconds by anyone who has the address."""
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        url = self.plain(key)
        if query:
            url += "?" + urlencode(query, quote_via=quote)
        request = AWSRequest(method="GET", url=url)
        S3SigV4QueryAuth(credentials, "s3", self._region, expires=seconds).add_auth(request)
        return str(request.url)


def path_of(key: str) -> str:
    """Of an object, from the bucket's address on."""
    return f"/{quote(key, safe='/~')}"


def credentials() -> "ReadOnlyCredentials":
    """Those of now: a role's are renewed while the process lives."""
    found = clients.session().get_credentials()
    if found is None:
        raise ConfigurationError("There are no AWS credentials.", service="S3")
    frozen: ReadOnlyCredentials = found.get_frozen_credentials()
    return frozen
