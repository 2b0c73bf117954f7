"""Small real media, made on the spot by Pillow and PyAV, and some that mean harm."""

import io
import lzma
import math
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
    return buffer.getvalue()


def video_file(
    container: str = "mp4",
    codec: str = "libx264",
    *,
    width: int = 320,
    height: int = 192,
    fps: int = 12,
    frames: int = 24,
    fragmented: bool = False,
) -> bytes:
    """Frames of a bar that moves over a background that changes its colour."""
    buffer = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov"} if fragmented else {}
    with av.open(buffer, "w", format=container, options=options) as output:
        stream: Any = output.add_stream(codec, rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if codec == "libx264":
            stream.options = {"preset": "ultrafast"}
        for number in range(frames):
            image = Image.new("RGB", (width, height), (200, 10 * number % 255, 30))
            left = width * number // frames
            ImageDraw.Draw(image).rectangle((left, 0, left + 20, height), fill=(255, 255, 255))
            frame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def audio_file(container: str = "wav", codec: str = "pcm_s16le", seconds: float = 2.0) -> bytes:
    """A tone of 440 Hz that swells from silence to full loudness."""
    rate = 48_000
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=rate)
        stream.layout = "mono"
        count = round(rate * seconds)
        wave = array(
            "h",
            (
                int(32_000 * (at / count) * math.sin(2 * math.pi * 440 * at / rate))
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
    return buffer.getvalue()


def turned(video: bytes) -> bytes:
    """The MP4 with the matrix of its track header changed: players turn it by 90 degrees."""
    at = video.index(b"tkhd") + 4 + 40  # version 0: 40 bytes before the matrix
    one = 1 << 16
    matrix = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    return video[:at] + matrix + video[at + len(matrix) :]


def padded(video: bytes, size: int) -> tuple[bytes, int]:
    """Head and number of zero bytes to follow, which together are an MP4 of `size` bytes.

    The zeros are the body of a `free` box with a 64-bit size, which every reader skips.
    """
    rest = size - len(video)
    box = struct.pack(">I4sQ", 1, b"free", rest)
    return video + box, rest - len(box)


def png_claiming(width: int, height: int, rows: int | None = None) -> bytes:
    """A small PNG whose pixels would take `width * height` bytes: a decompression bomb.

    With `rows` it holds only so many of the rows it claims, and is made quickly.
    """

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(width + 1)
    pixels = b"".join(packer.compress(row) for _ in range(rows or height)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
ERROR_PAGE = b"<!DOCTYPE html><html><head><title>502</title></head><body>Bad gateway</body></html>"
XML_ERROR = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'


def frame_bomb() -> bytes:
    """An MP4 of 0.75 MB with one black H.264 frame of 16000 x 16000 pixels, made by x264."""
    return lzma.decompress(Path(__file__).with_name("h264_16000x16000.mp4.xz").read_bytes())
