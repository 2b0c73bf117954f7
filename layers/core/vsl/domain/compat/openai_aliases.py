"""Names that an operator gives models for clients of OpenAI's API: `gpt-image-1=flux-dev,dall-e-3=sdxl`."""

import re
from collections.abc import Mapping

from vsl.domain.errors import ConfigurationError

# What stands before the sign is sent by a client and shown in a list; behind it is a catalogue's id.
_ALIAS = re.compile(r"([A-Za-z0-9][A-Za-z0-9._:/-]{0,99})=([a-z0-9][a-z0-9._-]{0,63})")


def read_aliases(text: str) -> Mapping[str, str]:
    """Catalogue ids by alias, in the order given. Raises ConfigurationError."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        alias = _ALIAS.fullmatch(part)
        if alias is None or alias[1] in found:
            message = (
                "ModelAliases must be pairs name=modelId, each name once, separated by commas."
            )
            raise ConfigurationError(message, parameter="ModelAliases")
        found[alias[1]] = alias[2]
    return found
