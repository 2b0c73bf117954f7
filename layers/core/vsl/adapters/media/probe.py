"""What is inside a media file: size, duration, codec, and a thumbnail.

The files come from models that anyone may have written, so nothing in them is trusted: sizes are
checked before pixels are decoded, decoders run on one thread, and time and bytes are bounded.
"""

import io
import time
from collections.abc import Callable
from typing import IO

from vsl.adapters.media.facts import Probe
from vsl.adapters.media.sniff import Sniffed
from vsl.domain.jobs.job import MediaType

MAX_SECONDS = 20.0
MAX_SIDE = 10_000_000
"""Pixels; a longer side is a mistake, and PostgreSQL's integers end somewhat later."""


def probe(
    open_file: Callable[[Callable[[], bool]], IO[bytes] | io.RawIOBase], sniffed: Sniffed
) -> Probe:
    """Look into a file. Never raises on account of the file: what fails is a fault of the result.

    `open_file` is given a function that tells whether the time is over.
    """
    deadline = time.monotonic() + MAX_SECONDS

    def expired() -> bool:
        return time.monotonic() > deadline

    found = Probe(content_type=sniffed.content_type)
    with found.attempt(), open_file(expired) as file:
        if sniffed.media is MediaType.IMAGE:
            from vsl.adapters.media.image_probe import probe_image

            probe_image(file, sniffed.content_type, expired, found)
        elif sniffed.media is not None:
            from vsl.adapters.media.av_probe import probe_stream

            probe_stream(file, sniffed.content_type, expired, found)
    if not all(side and 0 < side <= MAX_SIDE for side in (found.width, found.height)):
        found.width = found.height = None
    return found
