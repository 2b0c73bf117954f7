"""What the product's logger writes, heard by a test."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from vsl.runtime.observability import logger


@contextmanager
def written_to[Stream: TextIO | io.TextIOBase](stream: Stream) -> Iterator[Stream]:
    """Every line goes there, as long as this lasts."""
    handler: Any = logger.registered_handler
    before = handler.setStream(stream)
    try:
        yield stream
    finally:
        handler.setStream(before)
