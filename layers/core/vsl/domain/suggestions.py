"""Words for people who sent something wrong: which part it is, and what was probably meant.

A refusal ends up in logs, in the runtime's own at the latest. So it quotes numbers, and names that can
be nothing else, but no text that a user wrote.
"""

import re
from collections.abc import Iterable

_SHOWN_DIGITS = 60
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_.$-]{0,39}")


def number(value: float) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN_DIGITS else text[:_SHOWN_DIGITS] + "…"


def named(key: object) -> str:
    """The name of a field as it was given, if it looks like one."""
    return key if isinstance(key, str) and _NAME.fullmatch(key) else "…"


def listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """`Did you mean 'x' or 'y'? ` for the nearest known names, empty when none is near."""
    import difflib

    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(given[:100].casefold(), by_folded, n=3, cutoff=0.6)
    if not near:
        return ""
    return f"Did you mean {' or '.join(f"'{by_folded[name]}'" for name in near)}? "
