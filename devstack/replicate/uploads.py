"""The Files API's store: uploads that can be named as inputs, kept 24 hours."""

import base64
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import urlencode, urlsplit

from devstack.replicate.clock import NANOSECONDS, now, rfc3339

LIFETIME = 24 * 3600 * NANOSECONDS
MAX_BYTES = 100 * 1024**2


@dataclass(frozen=True, slots=True)
class Upload:
    """`created` in nanoseconds since 1970."""

    id: str
    name: str
    content_type: str
    content: bytes
    metadata: dict[str, Any]
    base_url: str
    created: int

    def view(self) -> dict[str, Any]:
        md5 = hashlib.md5(self.content, usedforsecurity=False).hexdigest()
        return {
            "id": self.id,
            "name": self.name,
            "content_type": self.content_type,
            "size": len(self.content),
            "etag": md5,
            "checksums": {"sha256": hashlib.sha256(self.content).hexdigest(), "md5": md5},
            "metadata": self.metadata,
            "created_at": rfc3339(self.created, 3),
            "expires_at": rfc3339(self.created + LIFETIME, 3),
            "urls": {"get": f"{self.base_url}/v1/files/{self.id}"},
        }


class UploadStore:
    def __init__(self) -> None:
        self._uploads: dict[str, Upload] = {}
        self._signing_key = secrets.token_bytes(32)

    def add(
        self, name: str, content_type: str, content: bytes, metadata: dict[str, Any], base_url: str
    ) -> Upload:
        identifier = base64.b64encode(str(uuid.uuid4()).encode()).decode()
        upload = Upload(identifier, name, content_type, content, metadata, base_url, now())
        self._uploads[identifier] = upload
        return upload

    def get(self, upload_id: str) -> Upload | None:
        upload = self._uploads.get(upload_id)
        return None if upload is None or now() - upload.created >= LIFETIME else upload

    def newest_first(self) -> list[Upload]:
        return [upload for upload in reversed(self._uploads.values()) if self.get(upload.id)]

    def delete(self, upload_id: str) -> bool:
        return self._uploads.pop(upload_id, None) is not None

    def clear(self) -> None:
        self._uploads.clear()

    def content_at(self, url: str) -> bytes | None:
        """The content behind an upload's own address, which needs no token from the inside."""
        path = urlsplit(url).path
        upload = self.get(path.removeprefix("/v1/files/"))
        return upload.content if upload and url == upload.view()["urls"]["get"] else None

    def signature(self, owner: str, upload_id: str, expiry: int) -> str:
        content = f"{owner} {upload_id} {expiry}".encode()
        digest = hmac.new(self._signing_key, content, hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    def download_url(self, upload: Upload, owner: str, seconds: int) -> str:
        """An address that needs no token."""
        expiry = now() // NANOSECONDS + seconds
        query = urlencode(
            {
                "owner": owner,
                "expiry": expiry,
                "signature": self.signature(owner, upload.id, expiry),
            }
        )
        return f"{upload.base_url}/v1/files/{upload.id}/download?{query}"


def parse_multipart(content_type: str, body: bytes) -> dict[str, Message]:
    """The parts of a multipart/form-data body by their names. Raises ValueError."""
    message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not message.is_multipart():
        raise ValueError("not a multipart body")
    parts: dict[str, Message] = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            parts[name] = part
    return parts


def payload(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
