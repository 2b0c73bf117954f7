"""Where the catalogue comes from: a file, inline JSON, or an SSM parameter (`ssm:/vsl/models`).

An SSM parameter holds 8 KB at most: `packed_catalogue` tells how a catalogue is put into several.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vsl.adapters.aws.clients import client, error_code, translated
from vsl.adapters.aws.packed_catalogue import read_text
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.hardware import rates_of
from vsl.domain.errors import ConfigurationError, StoreUnavailable

SSM_TTL_SECONDS = 60
HARDWARE = "/opt/config/hardware.json"
_SSM_PREFIX = "ssm:"


@dataclass(frozen=True, slots=True)
class _Loaded:
    """`stamp` is what must be unchanged for the copy to be good: a file's, or the time it was read;
    `value` is the parameter that `text` came from."""

    catalogue: Catalogue
    stamp: tuple[float, ...]
    value: str = ""
    text: str | None = None


_loaded: dict[str, _Loaded] = {}


def load_catalogue(source: str, hardware: str = HARDWARE) -> Catalogue:
    """The catalogue behind MODELS_CONFIG, kept until its file changes or SSM's minute is over.

    `hardware` is the file with the rates of the hardware that prices name.

    Raises ConfigurationError when it is missing or not valid, StoreUnavailable when SSM does not
    answer and no earlier copy is at hand.
    """
    source = source.strip()
    if source.startswith("{"):
        return _parse(source, _rates(hardware))
    if source.startswith(_SSM_PREFIX):
        return _from_ssm(source.removeprefix(_SSM_PREFIX), hardware)
    return _from_file(source, hardware)


@lru_cache(maxsize=4)
def _parse(text: str, rates: str) -> Catalogue:
    return Catalogue.parse(text, rates_of(rates))


def _rates(path: str) -> str:
    """The text of the table. Without a file there is no hardware, and prices that name some are faults."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return "{}"
    except (OSError, ValueError):
        message = f"HARDWARE_CONFIG: {path!r} cannot be read."
        raise ConfigurationError(message, variable="HARDWARE_CONFIG") from None


def _stamp_of(path: str) -> tuple[float, ...]:
    status = Path(path).stat()
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _from_file(path: str, hardware: str) -> Catalogue:
    try:
        stamp = _stamp_of(path)
        if Path(hardware).is_file():
            stamp += _stamp_of(hardware)
        kept = _loaded.get(path)
        if kept is not None and kept.stamp == stamp:
            return kept.catalogue
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        message = f"MODELS_CONFIG: the catalogue {path!r} cannot be read: {reason}."
        raise ConfigurationError(message, variable="MODELS_CONFIG") from None
    catalogue = _parse(text, _rates(hardware))
    _loaded[path] = _Loaded(catalogue, stamp)
    return catalogue


def _from_ssm(name: str, hardware: str) -> Catalogue:
    key = _SSM_PREFIX + name
    kept = _loaded.get(key)
    now = time.monotonic()
    if kept is not None and now - kept.stamp[0] < SSM_TTL_SECONDS:
        return kept.catalogue
    try:
        value = _ssm_value(name)
        text = kept.text if kept and kept.value == value else None
        if text is None:
            value, text = _ssm_text(name, value)
    except StoreUnavailable:
        if kept is None:
            raise
        return kept.catalogue
    catalogue = _parse(text, _rates(hardware))
    _loaded[key] = _Loaded(catalogue, (now,), value, text)
    return catalogue


def _ssm_text(name: str, value: str) -> tuple[str, str]:
    """The catalogue's text, with the value that led to it: not this one, if it was written meanwhile."""
    for tried in (value, None):
        head = tried or _ssm_value(name)
        with translated("SSM"):
            text = read_text(client("ssm"), name, head)
        if text is not None:
            return head, text
    message = f"MODELS_CONFIG: parts of the SSM parameter {name} do not exist."
    raise ConfigurationError(message, variable="MODELS_CONFIG")


def _ssm_value(name: str) -> str:
    from botocore.exceptions import ClientError

    try:
        with translated("SSM"):
            answer = client("ssm").get_parameter(Name=name, WithDecryption=True)
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise
        message = f"MODELS_CONFIG: the SSM parameter {name} does not exist."
        raise ConfigurationError(message, variable="MODELS_CONFIG") from None
    value: str = answer["Parameter"]["Value"]
    return value.strip()
