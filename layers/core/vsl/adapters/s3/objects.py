"""The media bucket: streaming uploads in bounded memory, ranged reads, small documents.

A file that ends within one part goes up as one PutObject with its SHA-256, which S3 verifies. A
larger one goes up in parts, each with its CRC32; while one part is on its way the next one fills,
so that two parts (16 MiB) are in memory whatever the size, in the same two buffers all the way.
Encryption is the bucket's default.
"""

import base64
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from vsl.adapters.aws.clients import error_code, translated
from vsl.domain.errors import VslError
from vsl.domain.jobs.content_types import served_as

PART_SIZE = 8 * 1024**2
MAX_COPY = 5 * 1024**3
"""The largest object in bytes that S3 copies in one go."""
# Without the right to list, S3 answers 403 for what is not there; lost rights show when writing.
ABSENT = frozenset({"404", "NoSuchKey", "NotFound", "403", "AccessDenied"})
_SERVICE = "S3"

type Chunk = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Size in bytes, SHA-256 in hexadecimal; `body` is the whole file if it fitted in one part."""

    size: int
    sha256: str
    body: bytearray | None = field(default=None, repr=False)


class ObjectStore:
    """One bucket. `client` is a boto3 S3 client; every method raises StoreUnavailable."""

    def __init__(self, bucket: str, client: Any, part_size: int = PART_SIZE) -> None:
        self._bucket = bucket
        self._client = client
        self._part_size = part_size

    def upload(
        self, key: str, chunks: Iterable[Chunk], content_type: str, expected_size: int = 0
    ) -> Uploaded:
        """Stream the chunks to `key`. Whatever the chunks raise leaves no half-written object.

        What is not media is stored as the opaque attachment as which it is served: in a public bucket
        the object's own headers are the ones that a browser gets.

        `expected_size` is what the sender declared: the upload of a file in several parts begins while
        its first part comes in, and a small one takes no more memory than it needs.
        """
        digest = hashlib.sha256()
        size = 0
        body: bytearray | None = None
        headers = _headers(content_type)
        with _Multipart(self._client, self._bucket, key, headers) as multipart:
            if expected_size > self._part_size:
                multipart.begin()
            for part, last in _parts(chunks, self._part_size, expected_size):
                size += len(part)
                if last and not multipart.begun:
                    body = part
                else:
                    multipart.send(part)
                digest.update(part)  # while the part is on its way
            if body is not None:
                self._put(key, body, headers, digest.digest())
        return Uploaded(size, digest.hexdigest(), body)

    def retype(self, key: str, content_type: str) -> None:
        """Let an object be served as something else; S3 copies it onto itself."""
        with translated(_SERVICE):
            self._client.copy_object(
                Bucket=self._bucket,
                Key=key,
                CopySource={"Bucket": self._bucket, "Key": key},
                MetadataDirective="REPLACE",
                **_headers(content_type),
            )

    def put(
        self, key: str, body: bytes, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        """A small object as a whole; `metadata` is told with it, in ASCII."""
        # boto3 asks S3 whether it may go on (Expect: 100-continue) before it sends `bytes`, and
        # waits for the answer. It does not for a bytearray.
        headers: dict[str, Any] = {"ContentType": content_type}
        if metadata is not None:
            headers["Metadata"] = dict(metadata)
        self._put(key, bytearray(body), headers, hashlib.sha256(body).digest())

    def _put(self, key: str, body: bytearray, headers: Mapping[str, Any], sha256: bytes) -> None:
        with translated(_SERVICE):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                **headers,
                ChecksumSHA256=base64.b64encode(sha256).decode(),
            )

    def get(self, key: str) -> bytes | None:
        """A small object as a whole; None when there is none."""
        from botocore.exceptions import ClientError

        with translated(_SERVICE):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) in ABSENT:
                    return None
                raise
            content: bytes = answer["Body"].read()
            return content

    def size(self, key: str) -> int | None:
        """None when there is no such object."""
        from botocore.exceptions import ClientError

        with translated(_SERVICE):
            try:
                answer = self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) in ABSENT:
                    return None
                raise
            return int(answer["ContentLength"])

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """The bytes `start` to `start + length - 1`."""
        with translated(_SERVICE):
            answer = self._client.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes={start}-{start + length - 1}"
            )
            content: bytes = answer["Body"].read()
            return content


def _headers(content_type: str) -> dict[str, str]:
    kind, disposition = served_as(content_type)
    return {"ContentType": kind} | ({"ContentDisposition": disposition} if disposition else {})


class _Multipart:
    """A multipart upload: begins with its first part if not before, completes on exit, aborts on an error."""

    def __init__(self, client: Any, bucket: str, key: str, headers: dict[str, str]) -> None:
        self._client = client
        self._target = {"Bucket": bucket, "Key": key}
        self._headers = headers
        self._begun: Future[str] | None = None
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._pending: Future[dict[str, Any]] | None = None
        self._sent: list[dict[str, Any]] = []

    @property
    def begun(self) -> bool:
        return self._begun is not None

    def begin(self) -> Future[str]:
        """Ask for an upload, once: its id, to come."""
        if self._begun is None:
            self._begun = self._sender.submit(self._create)
        return self._begun

    def send(self, part: bytearray) -> None:
        """Hand one part over, once the part before it has arrived."""
        self.begin()
        self._settle()
        self._pending = self._sender.submit(self._send, len(self._sent) + 1, part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None and self.begun:
                self._settle()
                self._complete()
        except BaseException:
            self._abort()
            raise
        if error is not None:
            self._abort()
        else:
            self._sender.shutdown()

    def _create(self) -> str:
        with translated(_SERVICE):
            answer = self._client.create_multipart_upload(
                **self._target, **self._headers, ChecksumAlgorithm="CRC32"
            )
        return str(answer["UploadId"])

    def _send(self, number: int, part: bytearray) -> dict[str, Any]:
        checksum = base64.b64encode(zlib.crc32(part).to_bytes(4)).decode()
        with translated(_SERVICE):
            answer = self._client.upload_part(
                **self._target,
                UploadId=self.begin().result(),
                PartNumber=number,
                Body=part,
                ChecksumCRC32=checksum,
            )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": checksum}

    def _settle(self) -> None:
        if self._pending is not None:
            self._sent.append(self._pending.result())
            self._pending = None

    def _complete(self) -> None:
        with translated(_SERVICE):
            self._client.complete_multipart_upload(
                **self._target,
                UploadId=self.begin().result(),
                MultipartUpload={"Parts": self._sent},
            )

    def _abort(self) -> None:
        """Best effort: the bucket's lifecycle removes what an abort could not."""
        self._sender.shutdown(cancel_futures=True)
        if self.begun:
            with suppress(VslError, CancelledError), translated(_SERVICE):
                self._client.abort_multipart_upload(**self._target, UploadId=self.begin().result())


def _parts(
    chunks: Iterable[Chunk], part_size: int, expected_size: int
) -> Iterator[tuple[bytearray, bool]]:
    """The chunks regrouped in parts of `part_size` bytes, each with whether it is the last one.

    A part is allocated at once in its full size, or in that of the file if that is smaller: growing it
    would copy it over and over. It is filled anew two parts later, when it has long been sent.
    """
    part, other, filled = bytearray(min(part_size, expected_size or part_size)), None, 0
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            if filled == len(part) < part_size:  # more came than was expected
                part.extend(bytes(part_size - filled))
            if filled == part_size:
                yield part, False
                part, other, filled = other or bytearray(part_size), part, 0
            taken = min(len(rest), len(part) - filled)
            with memoryview(part) as room:
                room[filled : filled + taken] = rest[:taken]
            filled += taken
            rest = rest[taken:]
    del part[filled:]
    yield part, True
