"""Video and audio through PyAV (FFmpeg's libraries), with everything switched off we do not need.

The whitelists keep playlists from opening other files, `max_pixels` refuses a frame before memory
is taken for it (it reads the real size, not the container's claim), one thread keeps a frame from
being decoded in many copies. Damage is stepped over: what comes after it still counts.
"""

import io
import math
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any, SupportsFloat

import av
from av.stream import Disposition

from vsl.adapters.media import thumbnails
from vsl.adapters.media.av_display import Display, Undecoded
from vsl.adapters.media.av_sound import Sound
from vsl.adapters.media.facts import Probe, measure

if TYPE_CHECKING:
    from av.container import InputContainer

MAX_FRAME_PIXELS = 7680 * 4320
MAX_PACKETS = 1000
"""Packets looked at until a first frame must have come out."""
MAX_AUDIO_SECONDS = 600
"""A waveform shows at most this much; longer material is drawn up to here."""
MAX_DAMAGE = 1000
"""Damaged places that are stepped over in one file."""
OPEN_SECONDS = 10.0
OPTIONS = {
    "protocol_whitelist": "none",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mp3,wav,ogg,flac,aac,aiff"
    ",mpeg,mpegts,flv,asf",
    "max_pixels": str(MAX_FRAME_PIXELS),
    "max_streams": "32",
    "threads": "1",
}
_STILLS = Disposition.attached_pic | Disposition.timed_thumbnails
_SOUND_ALONE = {
    "video/mp4": "audio/mp4",
    "video/quicktime": "audio/mp4",
    "video/3gpp": "audio/3gpp",
    "video/3gpp2": "audio/3gpp2",
    "video/webm": "audio/webm",
    "video/x-matroska": "audio/x-matroska",
    "video/ogg": "audio/ogg",
    "video/x-ms-wmv": "audio/x-ms-wma",
}
_WITH_PICTURE = {sound: film for film, sound in _SOUND_ALONE.items() if film != "video/quicktime"}
# Their headers may say nothing, and what FFmpeg says then is a guess from the first packets.
_ESTIMATED = {"mp3", "aac", "wav"}
_BY_FORMAT = {"mp3": "audio/mpeg", "flac": "audio/flac", "aac": "audio/aac"}


def probe_stream(
    file: IO[bytes] | io.RawIOBase, content_type: str, expired: Callable[[], bool], found: Probe
) -> None:
    """Fill `found` as far as the file allows; raises when it cannot be opened at all."""
    with av.open(file, "r", options=OPTIONS, timeout=OPEN_SECONDS) as container:
        pictures = [s for s in container.streams.video if not s.disposition & _STILLS]
        sounds = list(container.streams.audio)
        found.content_type = _type(container, content_type, bool(pictures), bool(sounds))
        found.duration = measure(_seconds(container.duration, 1 / av.time_base))
        with found.attempt():
            if pictures:
                _probe_video(container, _decodable(pictures), expired, found)
            elif sounds:
                _probe_audio(container, _decodable(sounds), expired, found)
            else:
                raise ValueError("the file holds neither pictures nor sound")
    if found.duration is None and (pictures or sounds):
        with found.attempt():
            found.duration = measure(_length_of_packets(file, expired))


def probe_still(
    file: IO[bytes] | io.RawIOBase,
    size: tuple[int, int],
    expired: Callable[[], bool],
    found: Probe,
) -> None:
    """The thumbnail of a picture of `size` in a container for films: HEIF, and AVIF at need."""
    file.seek(0)
    with av.open(file, "r", options=OPTIONS, timeout=OPEN_SECONDS) as container:
        for stream in container.streams.video:
            whole = not stream.disposition & (_STILLS | Disposition.dependent)
            if whole and _has_decoder(stream) and Display.of_stream(stream).size == size:
                _limit(stream)
                frame = _first_frame(container, stream, expired, found)
                found.thumbnail = thumbnails.of_frame(frame, Display.of_frame(frame, stream))
                return
    raise ValueError("there is no decoder for this kind of picture")


def _limit(stream: av.VideoStream) -> None:
    """Before the decoder is opened, that is before the first frame."""
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}


def _type(container: "InputContainer", sniffed: str, pictures: bool, sounds: bool) -> str:
    """What the file is by its streams; `sniffed` names the container."""
    if pictures:
        return _WITH_PICTURE.get(sniffed, sniffed)
    if sounds and sniffed.startswith("audio/"):
        return _BY_FORMAT.get(container.format.name, sniffed)
    return _SOUND_ALONE.get(sniffed, sniffed) if sounds else sniffed


def _decodable[S: av.VideoStream | av.AudioStream](streams: list[S]) -> S:
    return next((stream for stream in streams if _has_decoder(stream)), streams[0])


def _has_decoder(stream: av.VideoStream | av.AudioStream) -> bool:
    return stream.codec_context is not None


def _probe_video(
    container: "InputContainer", stream: av.VideoStream, expired: Callable[[], bool], found: Probe
) -> None:
    found.fps = measure(stream.average_rate, 1000)
    if not _has_decoder(stream):
        undecoded = Undecoded.of(container, stream)
        found.codec = undecoded.codec
        if undecoded.display:
            found.width, found.height = undecoded.display.size
        raise ValueError(f"there is no decoder for {undecoded.codec or 'the codec'}")
    context = stream.codec_context
    _limit(stream)
    found.codec = context.codec.canonical_name
    if context.width and context.height:
        found.width, found.height = Display.of_stream(stream).size
    frame = _first_frame(container, stream, expired, found)
    display = Display.of_frame(frame, stream)
    found.width, found.height = display.size
    found.thumbnail = thumbnails.of_frame(frame, display)


def _first_frame(
    container: "InputContainer", stream: av.VideoStream, expired: Callable[[], bool], found: Probe
) -> av.VideoFrame:
    """The first frame that came through undamaged, else the first that came at all."""
    damaged: av.VideoFrame | None = None
    for number, packet in enumerate(_packets(container, stream)):
        if expired() or number >= MAX_PACKETS:
            break
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            found.note(error)
            continue
        for frame in frames:
            if not frame.is_corrupt:
                return frame
            damaged = damaged or frame
    else:
        if damaged is None:
            raise ValueError("the video holds no frame")
    if damaged is None:
        raise TimeoutError("no frame could be decoded within the limits")
    return damaged


def _probe_audio(
    container: "InputContainer", stream: av.AudioStream, expired: Callable[[], bool], found: Probe
) -> None:
    if not _has_decoder(stream):
        found.codec = Undecoded.of(container, stream).codec
        raise ValueError(f"there is no decoder for {found.codec or 'the codec'}")
    stream.codec_context.thread_count = 1
    found.codec = stream.codec_context.codec.canonical_name
    sound, whole = Sound(), False
    with found.attempt():  # what has been heard until reading fails is drawn
        whole = _hear(container, stream, expired, sound, found)
    if whole and (found.duration is None or container.format.name in _ESTIMATED):
        found.duration = measure(sound.seconds)
    if not sound.seconds:
        raise ValueError("the sound cannot be decoded")
    found.thumbnail = thumbnails.of_waveform(sound.peaks())


def _hear(
    container: "InputContainer",
    stream: av.AudioStream,
    expired: Callable[[], bool],
    sound: Sound,
    found: Probe,
) -> bool:
    """Whether everything was heard, to the end and without damage."""
    damaged = False
    for packet in _packets(container, stream):
        try:
            frames: list[av.AudioFrame] = packet.decode()  # type: ignore[assignment]
            for frame in frames:
                sound.add(frame)
        except av.FFmpegError as error:
            damaged = True
            found.note(error)
        if sound.seconds >= MAX_AUDIO_SECONDS or expired():
            return False
    return not damaged


def _packets(container: "InputContainer", *streams: Any) -> Iterator["av.Packet[Any]"]:
    """Every packet there is, also those behind a place that cannot be read."""
    for _ in range(MAX_DAMAGE):
        try:
            yield from container.demux(*streams)
        except av.InvalidDataError:
            continue
        return


def _length_of_packets(file: IO[bytes] | io.RawIOBase, expired: Callable[[], bool]) -> float | None:
    """From the first packet to the end of the last: what a header tells that was written last."""
    file.seek(0)
    first, last = math.inf, -math.inf
    with av.open(file, "r", options=OPTIONS, timeout=OPEN_SECONDS) as container:
        streams = [s for s in container.streams if s.type in {"video", "audio"}]
        for packet in _packets(container, *streams):
            if expired():
                raise TimeoutError("the length could not be measured within the limits")
            begin = _seconds(packet.pts, packet.time_base)
            if begin is not None:
                first = min(first, begin)
                last = max(last, begin + (_seconds(packet.duration, packet.time_base) or 0))
    return last - first


def _seconds(ticks: int | None, unit: SupportsFloat | None) -> float | None:
    return None if ticks is None or unit is None else ticks * float(unit)
