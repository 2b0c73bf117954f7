"""Words for people: what was given, shown safely, and what was probably meant."""

from collections.abc import Iterable

_SHOWN_CHARACTERS = 60


def shown(value: object) -> str:
    """The value shortened and with control characters escaped; text stands in quotes."""
    text = value if isinstance(value, str) else str(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "…"
    if not isinstance(value, str):
        return text
    return f"'{text}'" if text.isprintable() else ascii(text)


def listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """`Did you mean 'x' or 'y'? ` for the nearest known names, empty when none is near."""
    import difflib

    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(given[:100].casefold(), by_folded, n=3, cutoff=0.6)
    if not near:
        return ""
    return f"Did you mean {' or '.join(shown(by_folded[name]) for name in near)}? "
