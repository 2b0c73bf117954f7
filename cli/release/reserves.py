"""How many executions a stage asks Lambda to keep for its functions."""

from collections.abc import Mapping

from cli.release.template import StageTemplate
from devstack.template import FUNCTION

# What Lambda leaves to the functions without a reserve: in a new account all that there is.
UNRESERVED_LEAST = 100


def reserves(parameters: Mapping[str, str]) -> dict[str, int]:
    """By the function's name, for these parameters of the template and the defaults of the others."""
    template = StageTemplate(parameters)
    found: dict[str, int] = {}
    for properties in template.of_type(FUNCTION):
        reserve = properties.get("ReservedConcurrentExecutions")
        resolved = template.resolve([reserve])  # empty for AWS::NoValue
        if reserve is not None and resolved:
            found[template.resolve(properties["FunctionName"])] = int(resolved[0])
    return found


def reserved(parameters: Mapping[str, str]) -> int:
    return sum(reserves(parameters).values())
