"""A stored object as a seekable file, read in blocks on demand: probing without a disk."""

import io
from collections import OrderedDict
from collections.abc import Buffer, Callable

BLOCK_SIZE = 1024**2
KEPT_BLOCKS = 4


class RangedReader(io.RawIOBase):
    """`fetch(start, length)` gives the bytes of a range of a file of `size` bytes.

    At most `KEPT_BLOCKS` blocks are in memory. Once `budget` bytes have been fetched, or
    `expired()` says so, reading raises OSError: no file may keep its prober busy for ever.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        size: int,
        *,
        budget: int,
        expired: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._budget = budget
        self._expired = expired
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("seek before the start of the file")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:
        """Fills the buffer completely unless the file ends."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and self._position < self._size:
            number, offset = divmod(self._position, BLOCK_SIZE)
            piece = self._block(number)[offset : offset + len(view) - filled]
            if not piece:
                raise OSError("the stored object is shorter than recorded")
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._position += len(piece)
        return filled

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        start = number * BLOCK_SIZE
        length = min(BLOCK_SIZE, self._size - start)
        if self._expired():
            raise OSError("out of time")
        if length > self._budget:
            raise OSError("out of budget for reading")
        self._budget -= length
        if len(self._blocks) >= KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        self._blocks[number] = self._fetch(start, length)
        return self._blocks[number]
