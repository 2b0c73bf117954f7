"""Conditional requests: a tag for what was answered, so that nothing is sent twice (RFC 9110, 8.8.3).

The tag is a weak one: addresses are signed anew for every answer, and yet the answers are as good.
"""

import hashlib
import json
import re

# Made once: `json.dumps` with arguments makes an encoder for each call.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_TAG = re.compile(r'(?:W/)?("[^"]*")')


def entity_tag(*parts: object) -> str:
    """The same parts give the same tag, whatever process makes it."""
    return f'W/"{hashlib.sha256(_encode(parts).encode()).hexdigest()[:32]}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether the header names the tag, compared weakly: W/"x" and "x" are the same."""
    if if_none_match is None:
        return False
    known = _TAG.findall(if_none_match)
    return if_none_match.strip() == "*" or tag.removeprefix("W/") in known
