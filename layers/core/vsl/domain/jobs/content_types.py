"""Every content type that is media, its suffixes, and what a browser is told of a stored file."""

from pathlib import PurePosixPath

OPAQUE = "application/octet-stream"

SUFFIXES: dict[str, tuple[str, ...]] = {
    "image/png": (".png", ".apng"),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "image/avif": (".avif",),
    "image/heic": (".heic", ".heif", ".hif"),
    "image/heif": (".heif", ".heic", ".hif"),
    "image/jxl": (".jxl",),
    "image/jp2": (".jp2", ".jpx", ".jpf"),
    "image/j2c": (".j2c", ".j2k", ".jpc"),
    "image/bmp": (".bmp",),
    "image/tiff": (".tiff", ".tif"),
    "video/mp4": (".mp4", ".m4v", ".m4a", ".m4b"),
    "video/quicktime": (".mov", ".qt"),
    "video/3gpp": (".3gp",),
    "video/3gpp2": (".3g2",),
    "video/mj2": (".mj2",),
    "video/webm": (".webm",),
    "video/x-matroska": (".mkv", ".mka"),
    "video/ogg": (".ogv", ".ogg"),
    "video/x-msvideo": (".avi",),
    "video/mpeg": (".mpg", ".mpeg"),
    "video/mp2t": (".ts", ".mts", ".m2ts"),
    "video/x-flv": (".flv",),
    "video/x-ms-wmv": (".wmv", ".asf"),
    "audio/mpeg": (".mp3", ".mp2", ".mpga"),
    "audio/wav": (".wav", ".wave"),
    "audio/ogg": (".ogg", ".oga", ".opus"),
    "audio/flac": (".flac",),
    "audio/mp4": (".m4a", ".m4b", ".mp4"),
    "audio/3gpp": (".3gp",),
    "audio/3gpp2": (".3g2",),
    "audio/webm": (".weba", ".webm"),
    "audio/x-matroska": (".mka", ".mkv"),
    "audio/aac": (".aac",),
    "audio/aiff": (".aiff", ".aif"),
    "audio/x-ms-wma": (".wma", ".asf"),
}
"""The usual suffix first. A container's suffix says nothing of the streams in it, so that of a file
whose name was chosen before they were read may be any of the container's.
"""

MEDIA_TYPES = frozenset(SUFFIXES)
_KNOWN = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)


def served_as(content_type: str | None) -> tuple[str, str | None]:
    """`Content-Type` and `Content-Disposition` under which a stored file is handed out.

    What is not media goes out as an opaque attachment, so that no stored file ever runs as a page.
    """
    if content_type is not None and content_type in MEDIA_TYPES:
        return content_type, None
    return OPAQUE, "attachment"


def with_suffix(name: str, content_type: str) -> str:
    """`name` (may be empty) with a suffix that fits what the file is."""
    path = PurePosixPath(name or "output")
    fitting = SUFFIXES.get(content_type)
    if fitting is None or path.suffix.lower() in fitting:
        return path.name
    wrong = path.suffix.lower() in _KNOWN
    return (path.stem if wrong else path.name) + fitting[0]
