"""What is made once for the folder of a stack, such as a key, and found there by all who come later."""

import os
from collections.abc import Callable
from pathlib import Path


def kept(file: Path, make: Callable[[], str]) -> str:
    """The text that `file` holds; made, for its owner's eyes only, when it is not there."""
    try:
        return file.read_text()
    except FileNotFoundError:
        made = make()
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(made)
    try:
        os.link(draft, file)  # a second process takes what the first has made
    except FileExistsError:
        return file.read_text()
    finally:
        draft.unlink()
    return made
