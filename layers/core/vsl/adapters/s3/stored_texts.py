"""The text of a small stored file; implements `services.ports.compat.StoredTexts`."""

from typing import Any

from botocore.exceptions import ClientError

from vsl.adapters.aws.clients import error_code, translated
from vsl.adapters.s3.objects import ABSENT

# What fits into an answer beside the rest of it.
MAX_BYTES = 1024**2


class S3StoredTexts:
    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket = bucket
        self._client = client

    def read(self, s3_key: str) -> str | None:
        with translated("S3"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=s3_key)
                if found["ContentLength"] > MAX_BYTES:
                    found["Body"].close()
                    return None
                content: bytes = found["Body"].read()
            except ClientError as error:
                if error_code(error) in ABSENT:
                    return None
                raise
        return content.decode("utf-8", "replace")
