"""The text of the catalogue, changed at one entry: everything else stays as it was written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_STEP = "  "
# Keys of an entry whose members stand on lines of their own.
_SPREAD = {"parameters", "derived"}
_BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Member:
    """`"key": value` in the text: where it begins, where its value does, and where it ends."""

    key: str
    begin: int
    value: int
    end: int


def entries(text: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """By the model's id: (kind of media, entry), in the text's order."""
    groups = json.loads(text).items()
    return {name: (media, entry) for media, group in groups for name, entry in group.items()}


def put_entry(text: str, media: str, model_id: str, entry: Mapping[str, Any]) -> str:
    """In the place of the entry of this id, else at the end of its kind of media."""
    written = f"{json.dumps(model_id)}: {entry_text(entry)}"
    sections = _members(text, 0)
    for section in sections:
        for member in _members(text, section.value):
            if member.key == model_id and section.key == media:
                return text[: member.begin] + written + text[member.end :]
            if member.key == model_id:
                return put_entry(remove_entry(text, model_id), media, model_id, entry)
    for section in sections:
        if section.key == media:
            return _append(text, section.value, written, 2)
    return _append(text, 0, f'"{media}": {{\n{_STEP * 2}{written}\n{_STEP}}}', 1)


def remove_entry(text: str, model_id: str) -> str:
    """Without the entry, and without its kind of media if it was the last. Raises KeyError."""
    sections = _members(text, 0)
    for section in sections:
        models = _members(text, section.value)
        for member in models:
            if member.key == model_id:
                return (
                    _cut(text, models, member) if len(models) > 1 else _cut(text, sections, section)
                )
    raise KeyError(model_id)


def entry_text(entry: Mapping[str, Any]) -> str:
    """As config/models.json has them: one line a key, one line a parameter."""
    lines = []
    for key, value in entry.items():
        if key in _SPREAD and value:
            inner = ",\n".join(
                f"{_STEP * 4}{json.dumps(name)}: {_one_line(each)}" for name, each in value.items()
            )
            lines.append(f'{_STEP * 3}"{key}": {{\n{inner}\n{_STEP * 3}}}')
        else:
            lines.append(f'{_STEP * 3}"{key}": {_one_line(value)}')
    return "{\n" + ",\n".join(lines) + f"\n{_STEP * 2}}}"


def _one_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _append(text: str, opening: int, written: str, depth: int) -> str:
    """A member at the end of the object that begins at `opening`."""
    members = _members(text, opening)
    if members:
        at = members[-1].end
        return f"{text[:at]},\n{_STEP * depth}{written}{text[at:]}"
    begin = text.index("{", opening) + 1
    end = _skip(text, begin)
    return f"{text[:begin]}\n{_STEP * depth}{written}\n{_STEP * (depth - 1)}{text[end:]}"


def _cut(text: str, members: list[Member], member: Member) -> str:
    place = members.index(member)
    if place + 1 < len(members):
        return text[: member.begin] + text[members[place + 1].begin :]
    begin = members[place - 1].end if place else member.begin
    return text[:begin] + text[member.end :]


def _members(text: str, opening: int) -> list[Member]:
    """Of the object that begins at `opening`; the text is JSON."""
    decode = json.JSONDecoder().raw_decode
    at = _skip(text, text.index("{", opening) + 1)
    found = []
    while text[at] != "}":
        begin = at
        key, at = decode(text, at)
        value = _skip(text, _skip(text, at) + 1)
        _, end = decode(text, value)
        found.append(Member(key, begin, value, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _skip(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at
