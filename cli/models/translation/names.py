"""Names of ours for what the provider names: parameters, and models in the catalogue."""

import re
from collections.abc import Collection

_PUBLIC = re.compile(r"[a-z][a-z0-9_]{0,63}")
_PROVIDER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONGEST = 64


def can_be_sent(provider_name: str) -> bool:
    return _PROVIDER.fullmatch(provider_name) is not None


def public_name(provider_name: str, taken: Collection[str]) -> str:
    """The provider's own name where it is one of ours; `numSteps` and `num.steps` become num_steps."""
    if _PUBLIC.fullmatch(provider_name) and provider_name not in taken:
        return provider_name
    words = re.sub(r"[^a-z0-9]+", "_", _CAMEL.sub("_", provider_name).lower()).strip("_")
    name = words if words[:1].isalpha() else f"input_{words}".rstrip("_")
    return _free(name[:_LONGEST], taken, "_")


def model_id(owner: str, name: str, taken: Collection[str]) -> str:
    """The model's name; with its owner's where another model has it already."""
    short = _identifier(name)
    return short if short not in taken else _free(_identifier(f"{owner}-{name}"), taken, "-")


def _identifier(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("._-")[:_LONGEST] or "model"


def _free(name: str, taken: Collection[str], separator: str) -> str:
    found, number = name, 2
    while found in taken:
        ending = f"{separator}{number}"
        found, number = name[: _LONGEST - len(ending)] + ending, number + 1
    return found
