"""Video and audio through PyAV (FFmpeg's libraries), with everything switched off we do not need.

The whitelists keep playlists from opening other files, `max_pixels` refuses a frame before memory
is taken for it (it reads the real size, not the container's claim), one thread keeps a frame from
being decoded in many copies.
"""

import io
import math
from array import array
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, SupportsFloat

import av

from vsl.adapters import thumbnails
from vsl.adapters.media_probe import Probe
from vsl.domain.job import MediaType

if TYPE_CHECKING:
    from av.container import InputContainer

MAX_FRAME_PIXELS = 7680 * 4320
MAX_PACKETS = 1000
"""Packets looked at until a first frame must have come out."""
MAX_AUDIO_SECONDS = 600
"""A waveform shows at most this much; longer material is drawn up to here."""
OPEN_SECONDS = 10.0
OPTIONS = {
    "protocol_whitelist": "none",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mp3,wav,ogg,flac,aac,aiff",
    "max_pixels": str(MAX_FRAME_PIXELS),
    "max_streams": "32",
    "threads": "1",
}
_RATE = 8000  # samples per second for the waveform
_WINDOW = 160  # samples behind one peak: 20 ms


def probe_stream(
    file: IO[bytes] | io.RawIOBase, media: MediaType, expired: Callable[[], bool], found: Probe
) -> None:
    """Fill `found` as far as the file allows; raises whatever the decoder raises."""
    with av.open(file, "r", options=OPTIONS, timeout=OPEN_SECONDS) as container:
        if media is MediaType.VIDEO and container.streams.video:
            _probe_video(container, expired, found)
        else:
            _probe_audio(container, expired, found)


def _probe_video(container: "InputContainer", expired: Callable[[], bool], found: Probe) -> None:
    stream = container.streams.video[0]
    context = stream.codec_context
    context.thread_count = 1
    context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
    found.codec = context.codec.canonical_name
    found.width, found.height = context.width or None, context.height or None
    found.fps = _measure(stream.average_rate, 1000)
    found.duration = _duration(container, stream)
    for number, packet in enumerate(container.demux(stream)):
        if expired() or number >= MAX_PACKETS:
            raise TimeoutError("no frame could be decoded within the limits")
        for frame in packet.decode():
            sideways = frame.rotation % 180 != 0
            found.width, found.height = (
                (frame.height, frame.width) if sideways else (frame.width, frame.height)
            )
            found.thumbnail = thumbnails.of_frame(frame)
            return
    raise ValueError("the video holds no frame")


def _probe_audio(container: "InputContainer", expired: Callable[[], bool], found: Probe) -> None:
    if not container.streams.audio:
        raise ValueError("the file holds no sound")
    stream = container.streams.audio[0]
    stream.codec_context.thread_count = 1
    found.codec = stream.codec_context.codec.canonical_name
    found.duration = _duration(container, stream)
    peaks, seconds, complete = _peaks(container, stream, expired)
    if complete and seconds:
        found.duration = _measure(seconds, math.inf)  # counted: headers may only estimate
    found.thumbnail = thumbnails.of_waveform(peaks)


def _peaks(
    container: "InputContainer", stream: av.AudioStream, expired: Callable[[], bool]
) -> tuple[list[float], float, bool]:
    """Amplitudes (0 to 1) every 20 ms, the seconds decoded, and whether that was all of it."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
    samples = array("h")
    peaks: list[float] = []
    seconds = 0.0
    complete = True
    for frame in container.decode(stream):
        seconds += frame.samples / frame.sample_rate
        for resampled in resampler.resample(frame):
            samples.frombytes(bytes(resampled.planes[0])[: resampled.samples * samples.itemsize])
        whole = len(samples) - len(samples) % _WINDOW
        peaks += [_peak(samples[at : at + _WINDOW]) for at in range(0, whole, _WINDOW)]
        del samples[:whole]
        if seconds >= MAX_AUDIO_SECONDS or expired():
            complete = False
            break
    if samples:
        peaks.append(_peak(samples))
    return peaks, seconds, complete


def _peak(samples: "array[int]") -> float:
    highest, lowest = max(samples), min(samples)
    return max(highest, -lowest) / 32768


def _duration(container: "InputContainer", stream: av.VideoStream | av.AudioStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return _measure(stream.duration * stream.time_base, math.inf)
    if container.duration is not None:
        return _measure(container.duration / av.time_base, math.inf)
    return None


def _measure(value: SupportsFloat | None, limit: float) -> float | None:
    """A positive, finite number to three decimals, else None: headers may claim anything."""
    number = 0.0 if value is None else float(value)
    return round(number, 3) if 0 < number <= limit and math.isfinite(number) else None
