"""A parameter as an entry writes it, by the catalogue's own rules."""

import json
from collections.abc import Mapping
from typing import Any

from vsl.domain.catalogue.models import Parameter
from vsl.domain.catalogue.validation import checked


def rule_of(entry: Mapping[str, Any]) -> Parameter:
    return Parameter.model_validate_json(json.dumps(entry))


def fault_of(rule: Parameter, value: Any) -> str | None:
    """Why the parameter does not take the value; None where it does."""
    try:
        checked(rule, value, allow_http=False)
    except ValueError as error:
        return str(error)
    return None


def by_input(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The public name of each parameter, by the provider's."""
    return {str(each.get("input", name)): name for name, each in parameters.items()}
