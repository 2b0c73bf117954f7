"""Files that are no media: small, valid, and the same for the same text and seed."""

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from html import escape

from devstack.replicate.media.request import chance
from devstack.replicate.media.speech import generation_npz

_CORNERS = ((0.0, 0.9, 0.0), (-0.8, -0.5, 0.5), (0.8, -0.5, 0.5), (0.0, -0.5, -0.9))
_FACES = ((0, 1, 2), (0, 2, 3), (0, 3, 1), (1, 3, 2))


def document(kind: str, text: str, seed: int) -> bytes:
    """A file of this kind that says `text` wherever the kind can say something."""
    return _MAKERS[kind](text, seed)


def _svg(text: str, seed: int) -> bytes:
    """Circles, and the text below them."""
    rng = chance(text, seed, "svg")
    circles = "".join(
        f'<circle cx="{rng.randint(40, 472)}" cy="{rng.randint(40, 400)}" r="{rng.randint(20, 90)}"'
        f' fill="hsl({rng.randint(0, 359)} 60% 55%)" fill-opacity="0.7"/>'
        for _ in range(7)
    )
    words = escape("".join(c if c.isprintable() else " " for c in text[:80]))
    caption = f'<text x="256" y="490" font-size="18" text-anchor="middle">{words}</text>'
    opening = '<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512">'
    return f"{opening}{circles}{caption}</svg>\n".encode()


def _plain(text: str, _seed: int) -> bytes:
    return f"{text}\n".encode()


def _markdown(text: str, seed: int) -> bytes:
    return f"# Result\n\n{text}\n\nSeed {seed}.\n".encode()


def _json(text: str, seed: int) -> bytes:
    score = round(chance(text, seed).random(), 4)
    document = {"text": text, "seed": seed, "score": score}
    return json.dumps(document, ensure_ascii=False).encode()


def _csv(text: str, seed: int) -> bytes:
    rng = chance(text, seed, "csv")
    rows = "".join(f"{index},{rng.random():.4f}\r\n" for index in range(5))
    return f"index,value\r\n{rows}".encode()


def _subtitles(text: str, _seed: int) -> bytes:
    return f"1\n00:00:00,000 --> 00:00:02,500\n{' '.join(text.split())}\n".encode()


def _web_subtitles(text: str, _seed: int) -> bytes:
    return f"WEBVTT\n\n00:00.000 --> 00:02.500\n{' '.join(text.split())}\n".encode()


def _pdf(text: str, _seed: int) -> bytes:
    """One page with the text's ASCII characters."""
    shown = "".join(c for c in text[:90] if c.isascii() and c.isprintable() and c not in "()\\")
    drawing = f"BT /F1 14 Tf 40 780 Td ({shown}) Tj ET".encode()
    fonts = b"<</Font<</F1 5 0 R>>>>"
    bodies = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources %s>>" % fonts,
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    content, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(content)
    return bytes(content) + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def _zip(text: str, seed: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _members(text, seed).items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _tar(text: str, seed: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in _members(text, seed).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _members(text: str, seed: int) -> Mapping[str, bytes]:
    return {"readme.txt": _plain(text, seed), "data.json": _json(text, seed)}


def _glb(text: str, seed: int) -> bytes:
    """A tetrahedron in glTF 2.0's binary form; its name is the text."""
    corners = b"".join(struct.pack("<3f", *corner) for corner in _CORNERS)
    faces = b"".join(struct.pack("<3H", *face) for face in _FACES)
    box = {"min": [-0.8, -0.5, -0.9], "max": [0.8, 0.9, 0.5]}
    colour = [round(chance(text, seed).random(), 3) for _ in range(3)]
    scene = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": text[:80]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0}]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [*colour, 1.0]}}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", **box},
            {"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": len(corners)},
            {"buffer": 0, "byteOffset": len(corners), "byteLength": len(faces)},
        ],
        "buffers": [{"byteLength": len(corners) + len(faces)}],
    }
    described = _chunk(b"JSON", json.dumps(scene).encode(), b" ")
    chunks = described + _chunk(b"BIN\0", corners + faces, b"\0")
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _chunk(kind: bytes, content: bytes, filler: bytes) -> bytes:
    content += filler * (-len(content) % 4)
    return struct.pack("<I4s", len(content), kind) + content


def _ply(text: str, seed: int) -> bytes:
    rng = chance(text, seed, "ply")
    points = "".join(
        f"{rng.random():.4f} {rng.random():.4f} {rng.random():.4f}\n" for _ in range(64)
    )
    properties = "".join(f"property float {axis}\n" for axis in "xyz")
    return f"ply\nformat ascii 1.0\nelement vertex 64\n{properties}end_header\n{points}".encode()


_MAKERS: Mapping[str, Callable[[str, int], bytes]] = {
    "svg": _svg,
    "txt": _plain,
    "md": _markdown,
    "json": _json,
    "csv": _csv,
    "srt": _subtitles,
    "vtt": _web_subtitles,
    "pdf": _pdf,
    "zip": _zip,
    "tar": _tar,
    "glb": _glb,
    "ply": _ply,
    "npz": generation_npz,
}
