"""A model's own log: its end, small enough to keep, and the progress it tells of.

Models that work in steps draw a progress bar of tqdm (https://github.com/tqdm/tqdm), such as
` 40%|████      | 10/25 [00:02<00:03, 4.81it/s]`, one after the other, often on the same line.
"""

import re

from vsl.domain.predictions.provider_values import clean_text

TAIL_CHARACTERS = 2000
_PERCENT = re.compile(r"\b(\d{1,3})%\|")


def log_tail(text: str) -> str:
    """The last TAIL_CHARACTERS characters; of a line that overwrote itself what was left standing."""
    # A character may be drawn over many times: look at enough of the end, not at all of it.
    recent = text[-20 * TAIL_CHARACTERS :].replace("\r\n", "\n")
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in recent.split("\n"))
    return clean_text("\n".join(lines))[-TAIL_CHARACTERS:]


def log_progress(text: str) -> float | None:
    """From 0 to 1, out of the last progress bar; None if there is none."""
    found = _PERCENT.findall(text[-2 * TAIL_CHARACTERS :])
    return min(int(found[-1]) / 100, 1.0) if found else None
