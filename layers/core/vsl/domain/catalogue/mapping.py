"""From public parameters to the provider's input: names, values and the named transforms."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from vsl.domain.catalogue.models import Derived, Model
from vsl.domain.catalogue.uploads import handles_in
from vsl.domain.jobs.terms import ProviderCall


def provider_call(model: Model, parameters: Mapping[str, Any]) -> ProviderCall:
    """How the provider is asked for validated parameters: only inputs that the catalogue names."""
    values: dict[str, Any] = dict(model.fixed)
    taken: dict[str, str] = {}
    for name, target in direct_inputs(model).items():
        if name not in parameters:
            continue
        translations = model.parameters[name].values
        if translations and parameters[name] is not None:
            values[target] = translations[str(parameters[name])]
        else:
            taken[target] = name
    for target, derived in model.derived.items():
        values[target] = derive(derived, parameters)
    uploads = tuple(name for name, value in parameters.items() if _is_upload(model, name, value))
    return ProviderCall(model.reference, values, taken, uploads)


def _is_upload(model: Model, name: str, value: object) -> bool:
    """Text may look like a handle and is none."""
    known = model.parameters.get(name)
    return known is not None and known.value_type == "uri" and any(handles_in(value))


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
