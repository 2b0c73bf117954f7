"""What a well-shaped catalogue entry must fulfil to make sense: references, ranges, defaults."""

from collections.abc import Iterable, Iterator

from vsl.domain.catalogue.mapping import direct_inputs
from vsl.domain.catalogue.models import Duration, Model, Parameter, Price
from vsl.domain.catalogue.validation import checked, validate_parameters
from vsl.domain.errors import InvalidParameters
from vsl.domain.jobs.job import INPUT_MEDIA
from vsl.domain.suggestions import listed

Fault = tuple[str, str]

_NUMERIC = {"integer", "number"}


def faults_of(model: Model) -> list[Fault]:
    """Every fault of one entry as (path below the model, message)."""
    faults = [
        (f"parameters.{name}.{where}", what)
        for name, parameter in model.parameters.items()
        for where, what in _parameter_faults(parameter)
    ]
    faults += [
        (f"parameters.{name}.requires", f"there is no parameter {parameter.requires}")
        for name, parameter in model.parameters.items()
        if parameter.requires is not None and parameter.requires not in model.parameters
    ]
    faults += _input_faults(model)
    if model.price is not None:
        faults += _price_faults(model, model.price)
    faults += _duration_faults(model, "estimatedTime", model.estimated_time)
    if not faults:
        faults += _example_faults(model)
    return faults


def _parameter_faults(parameter: Parameter) -> Iterator[Fault]:
    yield from _array_faults(parameter)
    yield from _range_faults(parameter)
    if parameter.max_length is not None and parameter.value_type != "string":
        yield "maxLength", _does_not_apply(parameter)
    if parameter.media is not None and parameter.value_type != "uri":
        yield "media", _does_not_apply(parameter)
    elif parameter.media not in {None, *INPUT_MEDIA}:
        yield "media", f"must be one of {listed(sorted(INPUT_MEDIA))}"
    if parameter.required and parameter.default is not None:
        yield "default", "a required parameter has no default"
    member = parameter.member().model_copy(update={"enum": None})
    for index, value in enumerate(parameter.enum or ()):
        yield from _value_fault(f"enum.{index}", member, value)
    if parameter.default is not None:
        yield from _value_fault("default", parameter, parameter.default)
    if parameter.values is not None:
        expected = {str(value) for value in parameter.enum or ()}
        if parameter.type == "array":
            yield "values", _does_not_apply(parameter)
        elif set(parameter.values) != expected:
            yield "values", f"must translate exactly the members of enum: {listed(expected)}"


def _array_faults(parameter: Parameter) -> Iterator[Fault]:
    if parameter.type == "array":
        if parameter.items is None:
            yield "items", "an array needs the type of its members"
        if (parameter.min_items or 0) > parameter.most_items:
            yield "minItems", f"{parameter.min_items} is above the maximum {parameter.most_items}"
        return
    for name, value in [
        ("items", parameter.items),
        ("minItems", parameter.min_items),
        ("maxItems", parameter.max_items),
    ]:
        if value is not None:
            yield name, _does_not_apply(parameter)


def _range_faults(parameter: Parameter) -> Iterator[Fault]:
    bounds = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    numeric = parameter.value_type in _NUMERIC
    for name, bound in bounds.items():
        if not numeric and bound is not None:
            yield name, _does_not_apply(parameter)
        elif parameter.value_type == "integer" and isinstance(bound, float):
            yield name, "must be a whole number"
    if parameter.multiple_of is not None and parameter.value_type != "integer":
        yield "multipleOf", "applies to integers only"
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None and low > high:
        yield "minimum", f"{low} is above the maximum {high}"


def _does_not_apply(parameter: Parameter) -> str:
    members = f" with items of type {parameter.items}" if parameter.items else ""
    return f"does not apply to a parameter of type {parameter.type}{members}"


def _value_fault(where: str, parameter: Parameter, value: object) -> Iterator[Fault]:
    try:
        checked(parameter, value, allow_http=False)
    except ValueError as error:
        yield where, str(error)


def _input_faults(model: Model) -> Iterator[Fault]:
    taken: dict[str, str] = {}
    places = [(f"parameters.{name}", target) for name, target in direct_inputs(model).items()]
    places += [(f"derived.{target}", target) for target in model.derived]
    places += [(f"fixed.{target}", target) for target in model.fixed]
    for place, target in places:
        if target in taken:
            yield place, f"{taken[target]} already fills the provider's input {target}"
        taken[target] = place
    for target, derived in model.derived.items():
        yield from _numbers_faults(model, f"derived.{target}.from", derived.sources)


def _duration_faults(model: Model, where: str, duration: Duration) -> Iterator[Fault]:
    yield from _numbers_faults(model, f"{where}.of", duration.of)
    if bool(duration.per) != bool(duration.of):
        yield where, "per and of belong together"


def _numbers_faults(model: Model, where: str, names: Iterable[str]) -> Iterator[Fault]:
    """Each name must be a numeric parameter that always has a value, of a known range."""
    for name in names:
        parameter = model.parameters.get(name)
        if parameter is None:
            yield where, f"there is no parameter {name}"
        elif parameter.type not in _NUMERIC:
            yield where, f"{name} is no number"
        elif parameter.enum is None and None in {parameter.minimum, parameter.maximum}:
            yield where, f"{name} needs a minimum and a maximum"
        else:
            yield from _always_given_faults(where, name, parameter)


def _always_given_faults(where: str, name: str, parameter: Parameter) -> Iterator[Fault]:
    if parameter.nullable:
        yield where, f"{name} must not be nullable"
    elif not parameter.required and parameter.default is None:
        yield where, f"{name} needs a default"


def _price_faults(model: Model, price: Price) -> Iterator[Fault]:
    if sum(rate is not None for rate in (price.amount, price.amounts, price.hardware)) != 1:
        yield "price", "needs one of amount, amounts and hardware"
    if (price.amounts is None) != (price.by is None):
        yield "price", "amounts and by belong together"
    if price.hardware is not None and price.unit != "gpu_second":
        yield "price.hardware", f"does not apply to a price per {price.unit}"
    if (price.unit == "gpu_second") != (price.predict_time is not None):
        yield "price.predictTime", "belongs to a price per gpu_second, and only there"
    if price.predict_time is not None:
        yield from _duration_faults(model, "price.predictTime", price.predict_time)
    if price.by is not None and price.amounts is not None:
        yield from _amounts_faults(model, price.by, set(price.amounts))
    yield from _count_faults(model, price)


def _count_faults(model: Model, price: Price) -> Iterator[Fault]:
    if price.count is None:
        if price.unit == "output_second":
            yield "price.count", "must name the parameter that holds the seconds of output"
    elif price.unit in {"run", "gpu_second"}:
        yield "price.count", f"does not apply to a price per {price.unit}"
    else:
        yield from _numbers_faults(model, "price.count", [price.count])


def _amounts_faults(model: Model, by: str, priced: set[str]) -> Iterator[Fault]:
    parameter = model.parameters.get(by)
    offered = () if parameter is None or parameter.type == "array" else parameter.enum or ()
    if parameter is None or priced != {str(value) for value in offered}:
        yield "price.amounts", f"must price exactly each member of the enum of {by}"
    else:
        yield from _always_given_faults("price.by", by, parameter)


def _example_faults(model: Model) -> Iterator[Fault]:
    try:
        parameters = validate_parameters(model, model.example, allow_http=False)
    except InvalidParameters as error:
        yield "example", error.message
        return
    if model.estimated_time.seconds(parameters) > model.timeout:
        yield "timeout", "is shorter than the estimated time of the example"
