"""Small real media, made on the spot by Pillow and PyAV, and some that mean harm."""

import io
import lzma
import math
import random
import struct
import zlib
from array import array
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageDraw


def picture(width: int = 320, height: int = 200, mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue (in the modes that have colours), so that turns show."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    ImageDraw.Draw(image).rectangle((width // 2, 0, width, height), fill=(30, 30, 200))
    return image.convert(mode)


def image_file(kind: str, width: int = 320, height: int = 200, **options: Any) -> bytes:
    mode = options.pop("mode", "RGB")
    buffer = io.BytesIO()
    picture(width, height, mode).save(buffer, kind, **options)
    content: bytes = buffer.getvalue()
    return content


def video_file(
    container: str = "mp4",
    codec: str = "libx264",
    *,
    width: int = 320,
    height: int = 192,
    fps: int = 12,
    frames: int = 24,
    keyframe_every: int | None = None,
    fragmented: bool = False,
    live: bool = False,
    pixel: Fraction | None = None,
    mark: bool = False,
    options: dict[str, str] | None = None,
) -> bytes:
    """Frames of a bar that moves over a background that changes its colour.

    `live` as a recorder writes it that never looks back; `pixel` the shape of a pixel (SAR), `mark` a blue
    corner at the upper left.
    """
    buffer: Any = _Pipe() if live else io.BytesIO()
    options = options or ({"movflags": "frag_keyframe+empty_moov"} if fragmented else {})
    with av.open(buffer, "w", format=container, options=options) as output:
        stream: Any = output.add_stream(codec, rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if codec == "libx264":
            stream.options = {"preset": "ultrafast"}
        if keyframe_every:
            stream.codec_context.gop_size = keyframe_every
        if pixel:
            stream.codec_context.sample_aspect_ratio = pixel
        for number in range(frames):
            image = Image.new("RGB", (width, height), (200, 10 * number % 255, 30))
            left = width * number // frames
            ImageDraw.Draw(image).rectangle((left, 0, left + 20, height), fill=(255, 255, 255))
            if mark:
                ImageDraw.Draw(image).rectangle((0, 0, width // 3, height // 3), fill=(0, 0, 255))
            frame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    content: bytes = buffer.getvalue()
    return content


def coloured_film(
    colour: tuple[int, int, int], tags: tuple[int, int, int], height: int = 192
) -> bytes:
    """One colour, in the matrix, primaries and transfer of `tags`; without a matrix by its height."""
    matrix, primaries, transfer = tags
    width = height * 5 // 3
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        stream: Any = output.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = tags
        context.color_range = 1
        made: Any = av.VideoFrame.from_image(Image.new("RGB", (width, height), colour))  # type: ignore[no-untyped-call]
        unsaid = 1 if height >= 720 else 5
        frame = made.reformat(format="yuv420p", dst_colorspace=unsaid if matrix == 2 else matrix)
        frame.colorspace, frame.color_primaries, frame.color_trc = matrix, primaries, transfer
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


class _Pipe(io.RawIOBase):
    """Takes what is written and cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._content = bytearray()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, piece: Any, /) -> int:
        self._content += piece
        return len(piece)

    def getvalue(self) -> bytes:
        return bytes(self._content)


def audio_file(
    container: str = "wav",
    codec: str = "pcm_s16le",
    seconds: float = 2.0,
    *,
    rate: int = 48_000,
    loudness: float = 1.0,
    live: bool = False,
    options: dict[str, str] | None = None,
) -> bytes:
    """A tone of 440 Hz that swells from silence to full loudness."""
    buffer: Any = _Pipe() if live else io.BytesIO()
    with av.open(buffer, "w", format=container, options=options) as output:
        stream: Any = output.add_stream(codec, rate=rate)
        stream.layout = "mono"
        if codec == "wmav2":
            stream.bit_rate = 64_000
        count = round(rate * seconds)
        wave = array(
            "h",
            (
                int(loudness * 32_000 * (at / count) * math.sin(2 * math.pi * 440 * at / rate))
                for at in range(count)
            ),
        )
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=rate, frame_size=stream.frame_size or None
        )
        frame = av.AudioFrame(format="s16", layout="mono", samples=count)
        frame.sample_rate, frame.pts = rate, 0
        frame.planes[0].update(wave.tobytes())
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    content: bytes = buffer.getvalue()
    return content


def with_cover(sound: bytes) -> bytes:
    """An M4A or MP3 with a picture of 2 x 2 pixels on its front, as music is sold."""
    picture = image_file("PNG", 2, 2)
    if sound[4:8] != b"ftyp":
        return id3(len(picture) + 34, b"\0image/png\0\x03\0" + picture) + sound

    def box(kind: bytes, *content: bytes) -> bytes:
        body = b"".join(content)
        return struct.pack(">I4s", 8 + len(body), kind) + body

    handler = box(b"hdlr", bytes(8), b"mdirappl", bytes(9))
    cover = box(b"covr", box(b"data", struct.pack(">II", 14, 0), picture))
    tags = box(b"udta", box(b"meta", bytes(4), handler, box(b"ilst", cover)))
    at = sound.rindex(b"moov") - 4  # behind the sound, which thus stays where it is
    size = int.from_bytes(sound[at : at + 4])
    assert at + size == len(sound)
    return sound[:at] + struct.pack(">I", size + len(tags)) + sound[at + 4 :] + tags


def film(video: bytes, sound: bytes, container: str = "mp4", *, live: bool = False) -> bytes:
    """Picture and sound in one container."""
    buffer: Any = _Pipe() if live else io.BytesIO()
    with (
        av.open(io.BytesIO(video)) as pictures,
        av.open(io.BytesIO(sound)) as sounds,
        av.open(buffer, "w", format=container) as output,
    ):
        sources: list[Any] = [pictures, sounds]
        streams = [output.add_stream_from_template(source.streams[0]) for source in sources]
        packets = [
            (packet, stream)
            for source, stream in zip(sources, streams, strict=True)
            for packet in source.demux(source.streams[0])
            if packet.dts is not None
        ]
        for packet, stream in sorted(packets, key=lambda p: p[0].dts * p[0].time_base):
            packet.stream = stream
            output.mux(packet)
    content: bytes = buffer.getvalue()
    return content


def id3(size: int, picture: bytes = b"") -> bytes:
    """An ID3 tag of `size` bytes with a cover in it, as it stands before the sound."""

    def syncsafe(number: int) -> bytes:
        return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))

    body = size - 20
    frame = b"APIC" + syncsafe(body) + b"\0\0" + picture.ljust(body, b"\xff")
    return b"ID3\x04\0\0" + syncsafe(len(frame)) + frame


def tiff(
    image: Image.Image,
    *,
    big_tiff: bool = False,
    big_endian: bool = False,
    orientation: int | None = None,
) -> bytes:
    """A TIFF written by hand: RGB, or 16-bit grey from a picture of mode `I;16`."""
    order = ">" if big_endian else "<"
    deep = image.mode == "I;16"
    pixels = image.tobytes()
    if deep and big_endian:
        swapped = array("H", pixels)
        swapped.byteswap()
        pixels = swapped.tobytes()
    bits = [16] if deep else [8] * 3
    size, count = ("Q", "Q") if big_tiff else ("I", "H")
    start = 16 if big_tiff else 8
    tags: list[tuple[int, int, list[int]]] = [
        (256, 3, [image.width]),
        (257, 3, [image.height]),
        (258, 3, bits),
        (259, 3, [1]),
        (262, 3, [1 if deep else 2]),
        (273, 4, [start]),
        (277, 3, [len(bits)]),
        (278, 3, [image.height]),
        (279, 4, [len(pixels)]),
    ]
    if orientation:
        tags.insert(6, (274, 3, [orientation]))
    entries, extra = b"", b""
    entry_size = 20 if big_tiff else 12
    directory = start + len(pixels)
    behind = (
        directory
        + struct.calcsize(order + count)
        + entry_size * len(tags)
        + struct.calcsize(order + size)
    )
    room = struct.calcsize(order + size)
    for tag, kind, values in tags:
        value = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(value) > room:
            value, extra = struct.pack(order + size, behind + len(extra)), extra + value
        entries += struct.pack(f"{order}HH{size}", tag, kind, len(values)) + value.ljust(
            room, b"\0"
        )
    mark = b"II" if order == "<" else b"MM"
    head = (
        struct.pack(f"{order}HHHQ", 43, 8, 0, directory)
        if big_tiff
        else struct.pack(f"{order}HI", 42, directory)
    )
    table = struct.pack(order + count, len(tags)) + entries + struct.pack(order + size, 0)
    return mark + head + pixels + table + extra


def theora_file(width: int, height: int) -> bytes:
    """The headers of a Theora stream in Ogg, at 25 frames a second, and no frame that can be decoded."""
    across, down = -(-width // 16), -(-height // 16)
    body = b"\x80theora" + bytes((3, 2, 1)) + struct.pack(">HH", across, down)
    body += width.to_bytes(3) + height.to_bytes(3) + bytes(2) + struct.pack(">II", 25, 1)
    body += (1).to_bytes(3) + (1).to_bytes(3) + bytes(1) + bytes(3) + struct.pack(">H", 6 << 5)
    comment = b"\x81theora" + struct.pack("<I", 1) + b"x" + struct.pack("<I", 0)
    setup = b"\x82theora" + bytes(64)
    frames = [(bytes(32), 0), (bytes(32), 4)]
    return b"".join(
        _ogg_page(packet, number, flags)
        for number, (packet, flags) in enumerate([(body, 2), (comment, 0), (setup, 0), *frames])
    )


def _ogg_page(packet: bytes, number: int, flags: int) -> bytes:
    lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    head = (
        struct.pack(
            "<4sBBqIIIB", b"OggS", 0, flags, max(0, number - 2) << 6, 1, number, 0, len(lacing)
        )
        + lacing
    )
    check = 0
    for byte in head + packet:
        check ^= byte << 24
        for _ in range(8):
            check = (check << 1 ^ (0x04C11DB7 if check & 0x80000000 else 0)) & 0xFFFFFFFF
    return head[:22] + struct.pack("<I", check) + head[26:] + packet


_CLOCKWISE = (0, 1 << 16, -1 << 16, 0)


def turned(video: bytes, by: tuple[int, int, int, int] = _CLOCKWISE) -> bytes:
    """The MP4 with the matrix of its track header changed: players turn it by 90 degrees."""
    at = video.index(b"tkhd") + 4 + 40  # version 0: 40 bytes before the matrix
    a, b, c, d = by
    matrix = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return video[:at] + matrix + video[at + len(matrix) :]


def index_first(video: bytes) -> bytes:
    """The MP4 with its index before its content, as films for the web have it."""
    at, body = video.rindex(b"moov") - 4, video.index(b"mdat") - 4
    index = bytearray(video[at:])
    table = index.index(b"stco") + 8
    for place in range(int.from_bytes(index[table : table + 4])):
        entry = slice(table + 4 + 4 * place, table + 8 + 4 * place)
        index[entry] = (int.from_bytes(index[entry]) + len(index)).to_bytes(4)
    return video[:body] + bytes(index) + video[body:at]


def padded(video: bytes, size: int) -> tuple[bytes, int]:
    """Head and number of zero bytes to follow, which together are an MP4 of `size` bytes.

    The zeros are the body of a `free` box with a 64-bit size, which every reader skips.
    """
    rest = size - len(video)
    box = struct.pack(">I4sQ", 1, b"free", rest)
    return video + box, rest - len(box)


def png_chunk(kind: bytes, body: bytes, *, sound: bool = True) -> bytes:
    """`sound`: whether its checksum is right."""
    check = zlib.crc32(kind + body) ^ (0 if sound else 1)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def with_chunks(png: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """More chunks, before the pixels and after them."""
    at, end = png.index(b"IDAT") - 4, png.rindex(b"IEND") - 4
    return png[:at] + before + png[at:end] + after + png[end:]


def profile(space: bytes = b"RGB ", *, gamma: float = 2.2, pad: int = 0) -> bytes:
    """An ICC profile: Display P3's primaries with a plain gamma, or grey; `pad` makes it larger."""

    def xyz(*values: float) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    title = b"desc" + bytes(4) + struct.pack(">I", 2) + b"P\0" + bytes(78)
    tags = {b"desc": title, b"cprt": b"text" + bytes(8), b"wtpt": xyz(0.9642, 1.0, 0.8249)}
    if space == b"RGB ":
        tags |= {
            b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
            b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
            b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        }
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    else:
        tags[b"kTRC"] = curve
    if pad:
        tags[b"view"] = b"data" + bytes(8) + random.Random(1).randbytes(pad)
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = start + len(body)
    head = struct.pack(">I4xI4s4s4s", size, 0x02400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def png_claiming(width: int, height: int, rows: int | None = None) -> bytes:
    """A small PNG whose pixels would take `width * height` bytes: a decompression bomb.

    With `rows` it holds only so many of the rows it claims, and is made quickly.
    """

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(width + 1)
    pixels = b"".join(packer.compress(row) for _ in range(rows or height)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", pixels)
        + png_chunk(b"IEND", b"")
    )


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
ERROR_PAGE = b"<!DOCTYPE html><html><head><title>502</title></head><body>Bad gateway</body></html>"
XML_ERROR = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'


def frame_bomb() -> bytes:
    """An MP4 of 0.75 MB with one black H.264 frame of 16000 x 16000 pixels, made by x264."""
    return lzma.decompress(Path(__file__).with_name("h264_16000x16000.mp4.xz").read_bytes())
