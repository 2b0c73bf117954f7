"""A stored object as a seekable file."""

import io
from collections.abc import Callable

import av
import pytest

from tests.support import media_files
from vsl.adapters.media.ranged_reader import BLOCK_SIZE, KEPT_BLOCKS, RangedReader

CONTENT = bytes(range(251)) * 25_000  # six blocks, the last one not whole


class Source:
    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.fetched: list[int] = []

    def fetch(self, start: int, length: int) -> bytes:
        self.fetched.append(start // BLOCK_SIZE)
        return self.content[start : start + length]

    def reader(self, budget: int = 100 * BLOCK_SIZE) -> RangedReader:
        return RangedReader(self.fetch, len(self.content), budget=budget)


def test_it_reads_like_a_file() -> None:
    reader, file = Source().reader(), io.BytesIO(CONTENT)
    for offset, whence, length in [
        (0, io.SEEK_SET, 10),
        (BLOCK_SIZE - 5, io.SEEK_SET, 10),
        (-7, io.SEEK_END, 100),
        (-100, io.SEEK_CUR, 50),
        (10, io.SEEK_END, 5),
        (3, io.SEEK_SET, 2 * BLOCK_SIZE),
    ]:
        assert reader.seek(offset, whence) == file.seek(offset, whence)
        assert reader.read(length) == file.read(length)
        assert reader.tell() == file.tell()
    reader.seek(0)
    assert reader.read() == CONTENT
    with pytest.raises(ValueError, match="before the start"):
        reader.seek(-1)


def test_only_what_is_needed_is_fetched_and_kept_for_a_while() -> None:
    source = Source()
    reader = source.reader()
    reader.read(10)
    reader.seek(-10, io.SEEK_END)
    reader.read()
    reader.seek(0)
    reader.read(20)
    assert source.fetched == [0, 5]
    for block in range(1, KEPT_BLOCKS + 1):
        reader.seek(block * BLOCK_SIZE)
        reader.read(1)
    reader.seek(0)
    reader.read(1)
    assert source.fetched == [0, 5, 1, 2, 3, 4, 0]


@pytest.mark.parametrize("expired", [lambda: True, None])
def test_reading_is_bounded(expired: Callable[[], bool] | None) -> None:
    source = Source()
    if expired is None:
        reader = source.reader(budget=2 * BLOCK_SIZE)
        reader.read(2 * BLOCK_SIZE)
    else:
        reader = RangedReader(source.fetch, len(CONTENT), budget=BLOCK_SIZE, expired=expired)
    with pytest.raises(OSError, match="out of"):
        reader.read(1)


def test_an_object_shorter_than_recorded_is_no_endless_file() -> None:
    reader = RangedReader(Source(b"abc").fetch, 10, budget=BLOCK_SIZE)
    with pytest.raises(OSError, match="shorter"):
        reader.read(10)


def test_a_decoder_reads_a_video_through_it_whose_index_is_at_the_end() -> None:
    video = media_files.video_file(frames=3)
    head, zeros = media_files.padded(video[: video.index(b"moov") - 4], 20 * BLOCK_SIZE)
    source = Source(head + bytes(zeros) + video[video.index(b"moov") - 4 :])
    with av.open(source.reader(), "r") as container:
        assert len([*container.decode(video=0)]) == 3
    assert len(set(source.fetched)) <= 4
