"""What a file is, by its first bytes; what its server or its name says it is, is not believed.

Signatures: the formats' own specifications, as collected in the WHATWG MIME Sniffing standard. Which
streams a container holds is found out later (`media_probe`); until then it counts as the video that it
mostly is.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from vsl.domain.jobs.content_types import MEDIA_TYPES, OPAQUE, SUFFIXES, with_suffix
from vsl.domain.jobs.job import MediaType

HEAD_SIZE = 4096
"""How many first bytes `sniff` wants to see (fewer only if the file ends)."""

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),  # BigTIFF
    (b"MM\x00+", "image/tiff"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\xff\x4f\xff\x51", "image/j2c"),
    (b"fLaC", "audio/flac"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"PK\x03\x04", "application/zip"),
    (b"glTF", "model/gltf-binary"),
    (b"%PDF-", OPAQUE),
    (b"%!PS", OPAQUE),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_JPEG_2000 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_BRANDS = {
    "image/avif": {b"avif", b"avis"},
    "image/heic": {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"},
    # Pictures of any codec: another brand may say which.
    "image/heif": {b"mif1", b"mif2", b"msf1", b"miaf", b"avci", b"avcs", b"1pic", b"jpeg", b"jpgs"},
    "video/quicktime": {b"qt  "},
    "video/mj2": {b"mjp2"},
    "audio/mp4": {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "},
}
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_ASF_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_OGG_VIDEO = (b"\x80theora", b"\x01video\0\0\0", b"BBCD\0", b"OVP80")
_PACKET = 188  # bytes of MPEG-TS; with a time code before each packet 192
_TEXT_SUFFIXES = {".json": "application/json"}
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """`media` is None for a file that is not media: it is stored, and not looked into."""

    content_type: str
    media: MediaType | None

    @classmethod
    def of(cls, content_type: str) -> "Sniffed":
        family = content_type.partition("/")[0]
        return cls(content_type, MediaType(family) if content_type in MEDIA_TYPES else None)

    def file_name(self, name: str) -> str:
        """`name` (may be empty) with a suffix that fits what the file is."""
        return with_suffix(name, self.content_type)


def sniff(head: bytes, name: str = "") -> Sniffed:
    """Judge a file by its head; `name` decides only where the head leaves a choice.

    Markup, and what else a browser might run, is opaque: SVG and HTML, also when it is the page of an
    error that was served with status 200.
    """
    return Sniffed.of(_binary_type(head, name) or _text_type(head, name) or OPAQUE)


def _binary_type(head: bytes, name: str) -> str | None:
    for prefix, content_type in _PREFIXES:
        if head.startswith(prefix) and not (prefix == b"BM" and _is_text(head)):
            return content_type
    if head[:3] == b"ID3":
        return _tagged_type(head, name)
    finders = (_chunk_type, _stream_type, _iso_media_type, _mpeg_audio_type, _transport_type)
    return next((found for find in finders if (found := find(head))), None)


def _chunk_type(head: bytes) -> str | None:
    """RIFF and its kin: a name, a size and a second name."""
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[:4] in {b"RF64", b"BW64"} and head[8:12] == b"WAVE":
        return "audio/wav"
    return "audio/aiff" if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"} else None


def _stream_type(head: bytes) -> str | None:
    """Containers that name their streams early on."""
    if head[:4] == b"OggS":
        return "video/ogg" if any(mark in head for mark in _OGG_VIDEO) else "audio/ogg"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head[:16] != _ASF:
        return None
    sound = _ASF_AUDIO in head and _ASF_VIDEO not in head
    return "audio/x-ms-wma" if sound else "video/x-ms-wmv"


def _tagged_type(head: bytes, name: str) -> str:
    """What follows an ID3 tag. Covers make tags long: then the name says which of its users it is."""
    while head[:3] == b"ID3" and len(head) >= 10:
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        head = head[10 + size + (10 if head[5] & 0x10 else 0) :].lstrip(b"\0")
    if head[:4] == b"fLaC":
        return "audio/flac"
    if found := _mpeg_audio_type(head):
        return found
    suffix = PurePosixPath(name).suffix.lower()
    tagged = ("audio/mpeg", "audio/flac", "audio/aac")
    return next((kind for kind in tagged if not head and suffix in SUFFIXES[kind]), "audio/mpeg")


def _iso_media_type(head: bytes) -> str | None:
    """ISO base media files: the major brand decides, for generic image brands the compatible ones."""
    if head[:12] == _JPEG_2000:
        return "video/mj2" if head[20:24] == b"mjp2" else "image/jp2"
    kind, major = head[4:8], head[8:12]
    if kind in {b"moov", b"mdat", b"wide"}:
        return "video/quicktime"  # QuickTime of old has no brand
    if kind != b"ftyp":
        return None
    box = head[: min(int.from_bytes(head[:4]), len(head))]
    brands = {box[at : at + 4] for at in range(16, len(box), 4)}
    for content_type, known in _BRANDS.items():
        generic = major in _BRANDS["image/heif"] and content_type.startswith("image/")
        if major in known or (generic and brands & known):
            return content_type
    if major[:2] in {b"3g", b"3G"}:
        return "video/3gpp2" if major[:3] in {b"3g2", b"3G2"} else "video/3gpp"
    return "video/mp4"


def _mpeg_audio_type(head: bytes) -> str | None:
    """A frame header of MPEG layer II or III or ADTS AAC without a tag before it."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    layer_2_or_3 = head[1] & 0xE0 == 0xE0 and head[1] & 0x06 in {0x02, 0x04}
    version = head[1] & 0x18 != 0x08
    usable = head[2] >> 4 not in {0, 15} and head[2] & 0x0C != 0x0C
    return "audio/mpeg" if layer_2_or_3 and version and usable else None


def _transport_type(head: bytes) -> str | None:
    for start, step in ((0, _PACKET), (4, _PACKET + 4)):
        marks = head[start::step][:8]
        if len(marks) >= 3 and set(marks) == {0x47} and not _is_text(head):
            return "video/mp2t"
    return None


def _text_type(head: bytes, name: str) -> str | None:
    if not _is_text(head) or _is_markup(head):
        return None
    return _TEXT_SUFFIXES.get(PurePosixPath(name).suffix.lower(), "text/plain")


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
