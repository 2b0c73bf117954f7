"""What a file is, by its first bytes; what its server or its name says it is, is not believed.

Signatures: the formats' own specifications, as collected in the WHATWG MIME Sniffing standard.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from vsl.domain.errors import OutputInvalid
from vsl.domain.job import MediaType

HEAD_SIZE = 4096
"""How many first bytes `sniff` wants to see (fewer only if the file ends)."""

MEDIA_TYPES: dict[str, str] = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "image/jxl": ".jxl",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/ogg": ".ogg",
    "audio/flac": ".flac",
    "audio/mp4": ".m4a",
    "audio/aac": ".aac",
    "audio/aiff": ".aiff",
}
"""Every content type that is media, with its usual suffix."""

_OTHER_SUFFIXES = {
    "image/jpeg": {".jpeg"},
    "image/tiff": {".tif"},
    "image/heic": {".heif"},
    "video/mp4": {".m4v"},
    "audio/ogg": {".oga", ".opus"},
    "audio/aiff": {".aif"},
}
_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"PK\x03\x04", "application/zip"),
    (b"glTF", "model/gltf-binary"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
}
_TEXT_SUFFIXES = {".json": "application/json"} | dict.fromkeys(
    (".txt", ".srt", ".vtt", ".csv", ".obj"), "text/plain"
)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """`media` is None for a file that is not media: it is stored, and not looked into."""

    content_type: str
    media: MediaType | None

    def file_name(self, name: str) -> str:
        """`name` (may be empty) with a suffix that fits what the file is."""
        path = PurePosixPath(name or "output")
        usual = MEDIA_TYPES.get(self.content_type)
        if usual is None:
            return path.name
        fitting = {usual} | _OTHER_SUFFIXES.get(self.content_type, set())
        if path.suffix.lower() in fitting:
            return path.name
        wrong = path.suffix.lower() in _KNOWN_SUFFIXES
        return (path.stem if wrong else path.name) + usual


_KNOWN_SUFFIXES = set(MEDIA_TYPES.values()).union(*_OTHER_SUFFIXES.values())


def sniff(head: bytes, name: str = "") -> Sniffed:
    """Judge a file by its head; `name` only decides whether text is welcome (`.json`, `.srt` …).

    Raises OutputInvalid for HTML, XML (SVG too: it can carry scripts) and unexpected text: that is
    how an error page looks that was served with status 200.
    """
    content_type = _binary_type(head) or _text_type(head, name) or "application/octet-stream"
    family = content_type.partition("/")[0]
    return Sniffed(content_type, MediaType(family) if content_type in MEDIA_TYPES else None)


def _binary_type(head: bytes) -> str | None:
    for prefix, content_type in _PREFIXES:
        if head.startswith(prefix) and not (prefix == b"BM" and _is_text(head)):
            return content_type
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return "audio/aiff"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    return _iso_media_type(head) or _mpeg_audio_type(head)


def _iso_media_type(head: bytes) -> str | None:
    """ISO base media files: the major brand decides, for generic image brands the compatible ones."""
    kind, major = head[4:8], head[8:12]
    if kind in {b"moov", b"mdat", b"wide"}:
        return "video/quicktime"  # QuickTime of old has no brand
    if kind != b"ftyp":
        return None
    box = head[: min(int.from_bytes(head[:4]), len(head))]
    brands = {box[at : at + 4] for at in range(16, len(box), 4)}
    if major == b"mif1" and brands & {b"avif", b"avis"}:
        return "image/avif"
    return _BRANDS.get(major, "video/mp4")


def _mpeg_audio_type(head: bytes) -> str | None:
    """A frame header of MPEG layer III or ADTS AAC without a tag before it."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    layer_3 = head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08
    usable = head[2] >> 4 not in {0, 15} and head[2] & 0x0C != 0x0C
    return "audio/mpeg" if layer_3 and usable else None


def _text_type(head: bytes, name: str) -> str | None:
    if not _is_text(head):
        return None
    if _is_markup(head):
        raise OutputInvalid("The output is not media: its server sent an HTML or XML page.")
    content_type = _TEXT_SUFFIXES.get(PurePosixPath(name).suffix.lower())
    if content_type is None:
        raise OutputInvalid("The output is not media: its server sent text.")
    return content_type


def _is_text(head: bytes) -> bool:
    """UTF-8, UTF-16 with a byte order mark, or markup in any superset of ASCII."""
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return True
    if _CONTROL.search(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        cut_off = error.start > len(head) - 4  # a character on the edge of the head
        return cut_off or _is_markup(head)
    return True


def _is_markup(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00").startswith(b"<")
