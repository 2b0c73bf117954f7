"""One output file, from the provider to the bucket: stream, look into it, make a thumbnail.

Running it again is cheap and changes nothing. Keys are a function of job and index, and a record
in `temp/` (removed by the bucket's lifecycle after a day) notes how far an output got:
`probing` once the file is stored, `complete` with everything known of it. The SHA-256 of a
multipart upload is only known when it has ended, too late for the object's own metadata. A second
run that finds the object in its recorded size uploads nothing; if it finds `probing`, the process
died while decoding, and the file is delivered without a further look rather than dying again.
"""

import hashlib
import io
import itertools
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, Any

from vsl.adapters.http.download import Downloads
from vsl.adapters.media.facts import Probe
from vsl.adapters.media.probe import probe
from vsl.adapters.media.ranged_reader import RangedReader
from vsl.adapters.media.sniff import HEAD_SIZE, Sniffed, sniff
from vsl.adapters.s3.objects import MAX_COPY, Chunk, ObjectStore
from vsl.domain.errors import DownloadFailed, VslError
from vsl.domain.jobs import object_keys
from vsl.domain.jobs.content_types import OPAQUE
from vsl.domain.jobs.job import INPUT_MEDIA, Job, MediaAsset, MediaType
from vsl.domain.jobs.owner_names import BY_USER_ID, OwnerNames
from vsl.domain.predictions.output import OutputKind

PROBE_BUDGET = 128 * 1024**2
"""Bytes that may be read back from the bucket to look into one file."""

_logger = logging.getLogger(__name__)
# Decoding takes memory in proportion to the picture: one at a time bounds the whole process.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Record:
    """`state` is `stored`, `probing` or `complete`."""

    state: str
    asset: MediaAsset


class StoredMedia:
    """Implements `services.ports.media.Media`."""

    def __init__(
        self, objects: ObjectStore, downloads: Downloads, owners: OwnerNames = BY_USER_ID
    ) -> None:
        self._objects = objects
        self._downloads = downloads
        self._owners = owners

    def store(self, job: Job, index: int, url: str) -> MediaAsset:
        record_key = object_keys.record_key(job, index)
        source = hashlib.sha256(url.encode(errors="surrogatepass")).hexdigest()

        def note(state: str, asset: MediaAsset) -> None:
            document = {"state": state, "source": source, "asset": asset.document()}
            self._objects.put(record_key, json.dumps(document).encode(), "application/json")

        record = self._recall(record_key, source)
        if record and record.state == "complete":
            return record.asset
        body: bytearray | None = None
        if record is None:
            try:
                asset, body = self._transfer(job, index, url)
            except DownloadFailed as error:
                failures = self._count_failure(object_keys.failures_key(job, index), source)
                raise DownloadFailed(error.message, **error.details, failures=failures) from error
        else:
            asset = record.asset
        media = _media_type(asset)
        if record and record.state == "probing":
            _logger.warning(
                "output delivered unprobed: an earlier attempt died while looking into it",
                extra={"output_index": index, "content_type": asset.content_type},
            )
        elif media is not None:
            note("probing", asset)
            try:
                asset = self._look_into(job, asset, media, body)
            except VslError:
                with suppress(VslError):
                    note("stored", asset)
                raise
        note("complete", asset)
        return asset

    def _recall(self, record_key: str, source: str) -> _Record | None:
        """What an earlier run noted, provided that it is of this file and the object is there."""
        content = self._objects.get(record_key)
        if content is None:
            return None
        document: dict[str, Any] = json.loads(content)
        record = _Record(document["state"], MediaAsset.from_document(document["asset"]))
        same = document["source"] == source
        if same and self._objects.size(record.asset.s3_key) == record.asset.file_size:
            return record
        return None

    def _count_failure(self, key: str, source: str) -> int:
        """How many runs have failed to fetch this file, the present one included."""
        content = self._objects.get(key)
        noted = json.loads(content) if content else {}
        failures = 1 + (noted["failures"] if noted.get("source") == source else 0)
        document = {"source": source, "failures": failures}
        self._objects.put(key, json.dumps(document).encode(), "application/json")
        return failures

    def _transfer(self, job: Job, index: int, url: str) -> tuple[MediaAsset, bytearray | None]:
        with self._downloads.open(url) as download:
            head, chunks = _behead(download.chunks)
            sniffed, given_name = _what_it_is(job, head, download.file_name)
            if download.declared_type not in {None, OPAQUE, sniffed.content_type}:
                _logger.info(
                    "output is not of the type its server declared",
                    extra={
                        "output_index": index,
                        "content_type": sniffed.content_type,
                        "declared_type": download.declared_type,
                    },
                )
            name = object_keys.file_name(index, sniffed.file_name(given_name))
            key = self._owners.current(object_keys.media_prefix(job) + name)
            expected = download.declared_length or 0
            uploaded = self._objects.upload(key, chunks, sniffed.content_type, expected)
        asset = MediaAsset(
            index=index,
            s3_key=key,
            content_type=sniffed.content_type,
            file_size=uploaded.size,
            sha256=uploaded.sha256,
        )
        return asset, uploaded.body

    def _look_into(
        self, job: Job, asset: MediaAsset, media: MediaType, body: bytearray | None
    ) -> MediaAsset:
        def open_file(expired: Callable[[], bool]) -> IO[bytes] | io.RawIOBase:
            if body is not None:
                return io.BytesIO(body)
            return RangedReader(
                lambda start, length: self._objects.read_range(asset.s3_key, start, length),
                asset.file_size,
                budget=PROBE_BUDGET,
                expired=expired,
            )

        with _one_at_a_time:
            found = probe(open_file, Sniffed(asset.content_type, media))
        for fault in found.faults:
            _logger.warning(
                "output could not be looked into completely",
                extra={
                    "output_index": asset.index,
                    "content_type": asset.content_type,
                    "reason": fault,
                },
            )
        content_type = found.content_type or asset.content_type
        if content_type != asset.content_type and asset.file_size <= MAX_COPY:
            self._objects.retype(asset.s3_key, content_type)
        return replace(
            asset,
            content_type=content_type,
            width=found.width,
            height=found.height,
            duration=found.duration,
            fps=found.fps,
            codec=found.codec,
            thumbnail_key=self._store_thumbnail(job, asset, found),
        )

    def _store_thumbnail(self, job: Job, asset: MediaAsset, found: Probe) -> str | None:
        if found.thumbnail is None:
            return None
        key = self._owners.current(object_keys.thumbnail_key(job, asset.s3_key))
        self._objects.put(key, found.thumbnail, "image/webp")
        return key


def _what_it_is(job: Job, head: bytes, file_name: str) -> tuple[Sniffed, str]:
    """The type and the name to keep. A text that a model wrote is a text, whatever it begins with."""
    if job.output is OutputKind.TEXT:
        return Sniffed.of("text/plain"), "output.txt"
    if job.output is OutputKind.JSON:
        return Sniffed.of("application/json"), "output.json"
    return sniff(head, file_name), file_name


def _media_type(asset: MediaAsset) -> MediaType | None:
    family = asset.content_type.partition("/")[0]
    return MediaType(family) if family in INPUT_MEDIA else None


def _behead(chunks: Iterator[Chunk]) -> tuple[bytes, Iterator[Chunk]]:
    """The first bytes, as many as `sniff` wants, and the whole file again."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_SIZE:
            break
    return head[:HEAD_SIZE], itertools.chain([head], chunks)
