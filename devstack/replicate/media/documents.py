"""Files that are no media: small, valid, and the same for the same text and seed."""

import io
import json
import math
import struct
import tarfile
import zipfile
from array import array
from collections.abc import Callable, Mapping
from html import escape

from devstack.replicate.media.request import chance

_TEXTS = {
    "txt": "{text}\n",
    "md": "# Result\n\n{text}\n",
    "csv": "index,seed\r\n0,{seed}\r\n",
    "srt": "1\n00:00:00,000 --> 00:00:02,500\n{line}\n",
    "vtt": "WEBVTT\n\n00:00.000 --> 00:02.500\n{line}\n",
    "svg": """\
<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512">
<circle cx="256" cy="240" r="180" fill="teal"/>
<text x="256" y="480" font-size="18" text-anchor="middle">{markup}</text>
</svg>
""",
    "ply": """\
ply
format ascii 1.0
element vertex 3
property float x
property float y
property float z
end_header
0 0.9 0
-0.8 -0.5 0
0.8 -0.5 0
""",
}


def document(kind: str, text: str, seed: int) -> bytes:
    """A file of this kind that says `text` wherever the kind can say something."""
    if kind in _MAKERS:
        return _MAKERS[kind](text, seed)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _TEXTS[kind].format(text=text, line=line, markup=escape(line[:80]), seed=seed).encode()


def _json(text: str, seed: int) -> bytes:
    return json.dumps({"text": text, "seed": seed}, ensure_ascii=False).encode()


def _zip(text: str, seed: int) -> bytes:
    return _archive({"readme.txt": text.encode(), "data.json": _json(text, seed)})


def _npz(text: str, seed: int) -> bytes:
    """The three arrays of a bark generation, each in NumPy's format 1.0: little-endian int64."""
    rng, steps, members = chance(text, seed), 64 + len(text), {}
    for name, shape in {"semantic": (steps,), "coarse": (2, steps), "fine": (8, steps)}.items():
        about = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}".encode()
        header = about + b" " * (-(10 + len(about) + 1) % 64) + b"\n"
        start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
        values = array("q", rng.choices(range(1024), k=math.prod(shape)))
        members[f"{name}_prompt.npy"] = start + values.tobytes()
    return _archive(members)


def _archive(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # of no date, unlike a name alone
    return buffer.getvalue()


def _tar(text: str, seed: int) -> bytes:
    buffer, content = io.BytesIO(), _json(text, seed)
    member = tarfile.TarInfo("data.json")
    member.size = len(content)
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _glb(text: str, _seed: int) -> bytes:
    """A triangle in glTF 2.0's binary form; its name is the text."""
    binary = struct.pack("<9f", 0.0, 0.9, 0.0, -0.8, -0.5, 0.0, 0.8, -0.5, 0.0)
    box = {"min": [-0.8, -0.5, 0.0], "max": [0.8, 0.9, 0.0]}
    scene = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": text[:80]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", **box}],
        "bufferViews": [{"buffer": 0, "byteLength": len(binary)}],
        "buffers": [{"byteLength": len(binary)}],
    }
    described = json.dumps(scene).encode()
    described += b" " * (-len(described) % 4)
    chunks = struct.pack("<I4s", len(described), b"JSON") + described
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


_MAKERS: Mapping[str, Callable[[str, int], bytes]] = {
    "json": _json,
    "zip": _zip,
    "tar": _tar,
    "npz": _npz,
    "glb": _glb,
}
