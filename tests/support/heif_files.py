"""HEIF pictures built box by box: a single one, a turned one, and one laid out of tiles."""

import io
import struct
from typing import Any

import av
from PIL import Image


def heif(
    picture: Image.Image, *, brand: bytes = b"heic", quarter_turns: int = 0, tiles: int = 1
) -> bytes:
    """`picture` as HEVC. `quarter_turns` counterclockwise to see it upright; `tiles` side by side,
    each of which is the picture."""
    record, frame = _hevc(picture)
    width, height = picture.size
    shape = _box(b"ispe", bytes(4), struct.pack(">II", width, height))
    whole = _box(b"ispe", bytes(4), struct.pack(">II", width * tiles, height))
    rotation = _box(b"irot", bytes([quarter_turns]))
    properties = _box(b"ipco", _box(b"hvcC", record), shape, whole, rotation)
    turned = b"\x04" if quarter_turns else b""
    grid = struct.pack(">BBBBHH", 0, 0, 0, tiles - 1, width * tiles, height)
    if tiles == 1:
        items, contents = [(b"hvc1", b"\x81\x02" + turned)], [frame]
    else:
        items = [(b"grid", b"\x03" + turned)] + [(b"hvc1", b"\x81\x02")] * tiles
        contents = [grid] + [frame] * tiles
    links = b"".join(
        struct.pack(">HB", number, len(which)) + which for number, (_, which) in enumerate(items, 1)
    )
    kinds = b"".join(
        _box(b"infe", b"\2\0\0\0", struct.pack(">HH", number, 0), kind, b"\0")
        for number, (kind, _) in enumerate(items, 1)
    )
    references = b""
    if tiles > 1:
        inner = struct.pack(f">HH{tiles}H", 1, tiles, *range(2, tiles + 2))
        references = _box(b"iref", bytes(4), _box(b"dimg", inner))

    def meta(start: int) -> bytes:
        places = b""
        for number, content in enumerate(contents, 1):
            places += struct.pack(">HHHII", number, 0, 1, start, len(content))
            start += len(content)
        return _box(
            b"meta",
            bytes(4),
            _box(b"hdlr", bytes(8), b"pict", bytes(13)),
            _box(b"pitm", bytes(4), struct.pack(">H", 1)),
            _box(b"iloc", bytes(4), b"\x44\x00", struct.pack(">H", len(contents)), places),
            _box(b"iinf", bytes(4), struct.pack(">H", len(items)), kinds),
            references,
            _box(
                b"iprp", properties, _box(b"ipma", bytes(4), struct.pack(">I", len(items)), links)
            ),
        )

    head = _box(b"ftyp", brand, bytes(4), b"mif1", brand)
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + _box(b"mdat", *contents)


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _hevc(picture: Image.Image) -> tuple[bytes, bytes]:
    """The decoder's configuration and one frame."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        options = {"x265-params": "log-level=none", "preset": "ultrafast"}
        stream: Any = output.add_stream("libx265", rate=1, options=options)
        stream.width, stream.height, stream.pix_fmt = *picture.size, "yuv420p"
        frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
        for packet in (*stream.encode(frame), *stream.encode(None)):
            packet.pts = packet.dts = 0
            output.mux(packet)
    with av.open(io.BytesIO(buffer.getvalue()), "r") as source:
        inner: Any = source.streams.video[0]
        return bytes(inner.codec_context.extradata), bytes(next(source.demux(inner)))
