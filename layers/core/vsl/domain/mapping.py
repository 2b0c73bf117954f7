"""From public parameters to the provider's input: names, values and the named transforms."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from vsl.domain.catalogue import Derived, Model


def direct_inputs(model: Model) -> dict[str, str]:
    """Parameter → provider input, for the parameters that are sent as they are."""
    sources = {name for derived in model.derived.values() for name in derived.sources}
    return {
        name: parameter.input or name
        for name, parameter in model.parameters.items()
        if name not in sources
    }


def provider_inputs(model: Model, name: str) -> list[str]:
    """Every provider input the parameter has a part in."""
    direct = direct_inputs(model).get(name)
    if direct is not None:
        return [direct]
    return [target for target, derived in model.derived.items() if name in derived.sources]


def derive(derived: Derived, parameters: Mapping[str, Any]) -> str:
    """The choice whose size comes nearest; distance is measured as a factor, not a difference."""
    measure = _MEASURES[derived.transform]
    width, height = (float(parameters[name]) for name in derived.sources)
    wanted = measure(width, height)
    return min(
        derived.choices,
        key=lambda choice: abs(math.log(measure(*derived.choices[choice]) / wanted)),
    )


_MEASURES: Mapping[str, Callable[[float, float], float]] = {
    "nearest_aspect_ratio": lambda width, height: width / height,
    "nearest_megapixels": lambda width, height: width * height,
}
