"""Input files: what cog does before `predict()` runs with every input that is an address.

The texts of its failures are those of the `requests` library, as failed predictions show them.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import httpx

from devstack.replicate.media.request import Files, ModelFailed
from devstack.replicate.schemas.interface import Interface, Schema

Lookup = Callable[[str], bytes | None]


class InputFetcher:
    """Fetches input files with a time and a size limit. `uploaded` resolves our own Files API."""

    def __init__(self, timeout: float, max_bytes: int, uploaded: Lookup) -> None:
        self._max_bytes = max_bytes
        self._uploaded = uploaded
        self._timeout = timeout
        self._client = httpx.AsyncClient(follow_redirects=True, timeout=timeout, trust_env=False)

    async def fetch_all(self, interface: Interface, asked: Mapping[str, Any]) -> Files:
        """The bytes behind every given input, or member of one, of format uri. Raises ModelFailed."""
        files: Files = {}
        for name, schema in interface.inputs.items():
            value = asked.get(name)
            if schema.get("format") == "uri" and isinstance(value, str):
                files[name] = await self.fetch(value)
            elif isinstance(value, list) and _members(interface, schema).get("format") == "uri":
                for index, item in enumerate(value):
                    files[f"{name}.{index}"] = await self.fetch(item)
        return files

    async def fetch(self, url: str) -> bytes:
        """Raises ModelFailed with the words a real model's failure has."""
        if url.startswith("data:"):
            return _decode_data_url(url)
        own = self._uploaded(url)
        if own is not None:
            return own
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            raise ModelFailed(f"No connection adapters were found for {url!r}")
        pool = f"{parts.scheme.upper()}ConnectionPool(host={parts.hostname!r}, port={parts.port})"
        try:
            return await self._download(url)
        except httpx.TimeoutException:
            text = f"{pool}: Read timed out. (read timeout={self._timeout:g})"
            raise ModelFailed(text) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            text = f"{pool}: Max retries exceeded with url: {parts.path} (Caused by {error})"
            raise ModelFailed(text) from None

    async def close(self) -> None:
        await self._client.aclose()

    async def _download(self, url: str) -> bytes:
        content = bytearray()
        async with self._client.stream("GET", url) as response:
            if response.status_code >= 400:
                side = "Client" if response.status_code < 500 else "Server"
                reason = f"{response.status_code} {side} Error: {response.reason_phrase}"
                raise ModelFailed(f"{reason} for url: {url}")
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > self._max_bytes:
                    raise ModelFailed(f"Input file is larger than {self._max_bytes} bytes: {url}")
        return bytes(content)


def _members(interface: Interface, schema: Schema) -> Schema:
    return interface.resolve(schema.get("items", {}))


def _decode_data_url(url: str) -> bytes:
    header, separator, payload = url.partition(",")
    if not separator:
        raise ModelFailed("Invalid data URI")
    if not header.endswith(";base64"):
        return unquote_to_bytes(payload)
    try:
        return base64.b64decode(payload, validate=True)
    except binascii.Error as error:
        raise ModelFailed(str(error)) from None
