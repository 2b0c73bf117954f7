"""What picture a client has sent, by its first bytes; the name it gave says less (openai calls it
application/octet-stream where it was given bytes).

Of the types that an upload may have. Signatures: https://mimesniff.spec.whatwg.org/#image-type-pattern-matching-algorithm
"""

_PREFIXES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def image_type(content: bytes) -> str | None:
    """None for anything else."""
    if content[:4] == b"RIFF" and content[8:14] == b"WEBPVP":
        return "image/webp"
    return next((kind for prefix, kind in _PREFIXES if content.startswith(prefix)), None)
