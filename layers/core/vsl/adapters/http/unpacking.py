"""What `Content-Encoding` says of an answer's body, undone in bounded memory.

Nothing but `identity` is asked for, yet servers send what they please: nothing at all, the name of a
way of uploading (`aws-chunked`), a charset, a packed body, or one that is not packed whatever the
header says. The body itself decides.
"""

import zlib
from collections.abc import Iterator

_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP = b"\x1f\x8b"
_PIECE = 256 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS

type Chunk = bytes | memoryview


def is_packed(content_encoding: str) -> bool:
    """Whether the header names a packing that can be undone."""
    return not _PACKED.isdisjoint(token.strip().lower() for token in content_encoding.split(","))


def unpacked(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The content of a body that may be packed; one that is not passes as it is.

    Raises zlib.error when a packed body is damaged or ends too early.
    """
    begun = b""
    for chunk in chunks:
        begun += chunk
        if len(begun) >= 2:
            break
    if _looks_packed(begun):
        yield from _inflated(begun, chunks)
        return
    if begun:
        yield begun
    yield from chunks


def _inflated(begun: bytes, chunks: Iterator[Chunk]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
    rest = begun
    while True:
        while rest:
            if inflater.eof:  # another member of the same file, or what only fills it up
                if not rest.startswith(_GZIP[: len(rest)]):
                    return
                inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
            if piece := inflater.decompress(rest, _PIECE):
                yield piece
            rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        chunk = next(chunks, None)
        if chunk is None:
            break
        rest = bytes(chunk)
    if piece := inflater.flush():
        yield piece
    if not inflater.eof:
        raise zlib.error("the packed body ends too early")


def _looks_packed(begun: bytes) -> bool:
    """A head of gzip (RFC 1952), or of zlib (RFC 1950), which is what `deflate` means."""
    if begun[:2] == _GZIP:
        return True
    return len(begun) >= 2 and begun[0] & 0x8F == 0x08 and int.from_bytes(begun[:2]) % 31 == 0
