"""The catalogue as SSM Parameter Store takes it: packed, and in parts where one parameter is too small.

The parameter itself then names its parts, `parts:<how many>:<digest>`, which lie below it under their
digest: a reader has all of one catalogue or all of another, however writers and readers meet.
https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
"""

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vsl.domain.errors import ConfigurationError

MOST_CHARACTERS = 8192
"""Of an advanced parameter, which the catalogue is while it fits."""
PART_CHARACTERS = 4096
"""Of a standard one, which costs nothing."""
MOST_READ = 10
"""Parameters that one request reads."""
# Who has read the old head may still ask for its parts, and a writer may go back to it.
PARTS_LIFE = timedelta(days=1)

_MAX_TEXT = 4_000_000
_HEAD = re.compile(r"parts:(?P<count>[1-9]\d{0,2}):(?P<digest>[0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Packed:
    """The parameter's own value, and those of its parts by their names."""

    value: str
    parts: Mapping[str, str]


def pack(name: str, text: str) -> Packed:
    """The JSON text of a catalogue, for the parameter of this name."""
    small = json.dumps(json.loads(text), separators=(",", ":")).encode()
    value = base64.b64encode(zlib.compress(small, 9)).decode()
    if len(value) <= MOST_CHARACTERS:
        return Packed(value, {})
    cut = [value[at : at + PART_CHARACTERS] for at in range(0, len(value), PART_CHARACTERS)]
    head = f"parts:{len(cut)}:{_digest(value)}"
    return Packed(head, dict(zip(part_names(name, head), cut, strict=True)))


def part_names(name: str, value: str) -> list[str]:
    """The parameters that belong to this value of the one of this name; none while it holds all."""
    head = _HEAD.fullmatch(value)
    if head is None:
        return []
    return [f"{name}/{head['digest']}/{number}" for number in range(1, int(head["count"]) + 1)]


def joined(name: str, value: str, parts: Mapping[str, str]) -> str | None:
    """The packed text, None where a part is missing. Raises ConfigurationError for parts of another one."""
    names = part_names(name, value)
    if not names:
        return value
    if any(part not in parts for part in names):
        return None
    packed = "".join(parts[part] for part in names)
    if _digest(packed) != value.rpartition(":")[2]:
        message = f"MODELS_CONFIG: the parts of the SSM parameter {name} are not what was written."
        raise ConfigurationError(message, variable="MODELS_CONFIG")
    return packed


def unpacked(name: str, value: str) -> str:
    """The JSON text of a packed one, or of one that is not packed. Raises ConfigurationError."""
    if value.startswith("{"):
        return value
    try:
        inflate = zlib.decompressobj()
        data = inflate.decompress(base64.b64decode(value, validate=True), _MAX_TEXT)
        if inflate.eof:
            return data.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        pass
    message = f"MODELS_CONFIG: the SSM parameter {name} is neither JSON nor base64 of zlib of JSON."
    raise ConfigurationError(message, variable="MODELS_CONFIG")


def read_text(ssm: Any, name: str, value: str) -> str | None:
    """The JSON text behind a value of the parameter, None where its parts are gone: the parameter has
    been written meanwhile. Raises ConfigurationError, and what boto3's client `ssm` raises."""
    names = part_names(name, value)
    parts: dict[str, str] = {}
    for at in range(0, len(names), MOST_READ):
        parts |= _values(ssm, names[at : at + MOST_READ])
    packed = joined(name, value, parts)
    return None if packed is None else unpacked(name, packed)


def store(ssm: Any, name: str, text: str) -> int:
    """Write a catalogue: its parts, then the parameter, whose new version is the answer."""
    packed = pack(name, text)
    for part, value in packed.parts.items():
        ssm.put_parameter(Name=part, Value=value, Type="String", Tier="Standard", Overwrite=True)
    # An advanced parameter stays one, whatever it holds.
    answer = ssm.put_parameter(
        Name=name, Value=packed.value, Type="String", Tier="Intelligent-Tiering", Overwrite=True
    )
    return int(answer["Version"])


def remove_old_parts(ssm: Any, name: str, now: datetime | None = None) -> list[str]:
    """The parts that the parameter has not named for a day."""
    current = ssm.get_parameter(Name=name)["Parameter"]["Value"].strip()
    named = set(part_names(name, current))
    before = (now or datetime.now(UTC)) - PARTS_LIFE
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=f"{name}/", Recursive=True)
    old = [
        str(found["Name"])
        for page in pages
        for found in page["Parameters"]
        if found["Name"] not in named and found["LastModifiedDate"] < before
    ]
    for at in range(0, len(old), MOST_READ):
        ssm.delete_parameters(Names=old[at : at + MOST_READ])
    return old


def _values(ssm: Any, names: Sequence[str]) -> dict[str, str]:
    found = ssm.get_parameters(Names=list(names), WithDecryption=True)["Parameters"]
    return {str(each["Name"]): str(each["Value"]) for each in found}


def _digest(packed: str) -> str:
    return hashlib.sha256(packed.encode()).hexdigest()[:16]
