"""The provider's texts as the catalogue keeps them: one line, no control characters, not too long."""

import re

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_LONGEST = 400


def one_line(text: object, longest: int = _LONGEST) -> str:
    """Cut at a word where it is longer."""
    if not isinstance(text, str):
        return ""
    line = re.sub(r"\s+", " ", _UNFIT.sub(" ", text)).strip()
    if len(line) <= longest:
        return line
    return line[: longest - 1].rsplit(" ", 1)[0].rstrip(",;: ") + "…"


def label(title: object, name: str) -> str:
    """A title that says more than the name does, else an empty text."""
    line = one_line(title, 80)
    return "" if _letters(line) in {_letters(name), ""} else line


def shown(value: object) -> str:
    """A value in a sentence."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return one_line(value if isinstance(value, str) else repr(value), 60)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
