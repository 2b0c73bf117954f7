"""The `Prefer` header (RFC 7240): how long a client would wait for its job's end."""

import re

LONGEST_WAIT = 25

# A text that is not closed is taken to the end: to look for its end at each quote is quadratic.
_MEMBER = re.compile(r'(?:"(?:[^"\\]|\\.)*+"?|[^,"])+')
_PREFERENCE = re.compile(
    r'\s*(?P<name>[!#$%&\'*+.^_`|~\w-]+)\s*(?:=\s*"?(?P<value>\d*)"?\s*)?(?:;.*)?'
)


def preferred_wait(header: object) -> int:
    """Seconds of `wait=N`, at most LONGEST_WAIT, which `wait` without a number stands for; 0 for none.

    As the RFC has it the first `wait` counts, and what cannot be read is ignored: a preference is
    no demand.
    """
    if not isinstance(header, str):
        return 0
    for member in _MEMBER.findall(header):
        if re.match(r"\s*wait\b(?!-)", member, re.IGNORECASE) is None:
            continue
        found = _PREFERENCE.fullmatch(member)
        if found is None or not (found["value"] or "").isascii():
            return 0
        if not found["value"]:
            return LONGEST_WAIT
        digits = found["value"].lstrip("0") or "0"
        return LONGEST_WAIT if len(digits) > 2 else min(int(digits), LONGEST_WAIT)
    return 0
