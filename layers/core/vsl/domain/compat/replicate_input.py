"""From the provider's input to a model's parameters: `catalogue.mapping` read backwards.

What it finds is proved by mapping it forwards again: a size that stands for an aspect ratio is taken only
if it becomes this very ratio.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vsl.domain.catalogue.mapping import derive, direct_inputs, provider_inputs
from vsl.domain.catalogue.models import Derived, Model, Parameter
from vsl.domain.catalogue.uploads import handle_of, is_handle, upload_id_of
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.compat.replicate_problems import InvalidField
from vsl.domain.errors import InvalidParameters
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.suggestions import named

_FILES = "/files/"


def parameters_of(
    model: Model, given: Mapping[str, Any], files: Sequence[str], *, allow_http: bool
) -> tuple[dict[str, Any], list[InvalidField]]:
    """The parameters that the provider's input stands for, and what cannot be expressed by them.

    `files` are the addresses of this API's protocol: an input below one of them is an upload's handle.
    """
    reader = _Reader(model, given, files)
    parameters = reader.read()
    faults = reader.faults
    if not faults:
        try:
            validate_parameters(model, parameters, allow_http=allow_http)
        except InvalidParameters as error:
            faults = [_renamed(model, name, message) for name, message in error.faults]
    return parameters, faults


def field_names(model: Model) -> dict[str, str]:
    """The protocol's names for the fields of our faults."""
    return {
        f"parameters.{name}": f"input.{', '.join(provider_inputs(model, name))}"
        for name in model.parameters
    } | {"callbackUrl": "webhook", "callbackEvents": "webhook_events_filter"}


def as_sent(
    model: Model | None,
    parameters: Mapping[str, Any],
    names: Sequence[str] | None,
    files: str,
) -> dict[str, Any]:
    """The input of a job's parameters in the provider's words: `names` of it, or all of it.

    `model` is None when the catalogue has lost it: then the parameters stand under our names. Uploads have
    the addresses that they were named by, below `files`.
    """
    from vsl.domain.catalogue.mapping import provider_call

    shown = {name: _shown(value, files) for name, value in parameters.items()}
    if model is None:
        return shown
    known = {name: value for name, value in shown.items() if name in model.parameters}
    try:
        made = provider_call(model, known).input(known)
    except (KeyError, ValueError, ZeroDivisionError):  # the catalogue has changed
        return shown
    return made if names is None else {name: made[name] for name in names if name in made}


class _Reader:
    def __init__(self, model: Model, given: Mapping[str, Any], files: Sequence[str]) -> None:
        self._model = model
        self._given = given
        self._files = files
        self.faults: list[InvalidField] = []

    def read(self) -> dict[str, Any]:
        direct = {target: name for name, target in direct_inputs(self._model).items()}
        parameters: dict[str, Any] = {}
        for target, value in self._given.items():
            if target in direct:
                parameter = self._model.parameters[direct[target]]
                parameters[direct[target]] = self._value(target, parameter, value)
            elif target in self._model.fixed:
                if value != self._model.fixed[target]:
                    self._one_of(target, [self._model.fixed[target]])
            elif target not in self._model.derived:
                told = f"Additional property {named(target)} is not allowed"
                self._wrong("additional_property_not_allowed", "input", told)
        for sources, derived in self._groups().items():
            parameters |= self._size(sources, derived)
        return parameters

    def _value(self, target: str, parameter: Parameter, value: object) -> object:
        if parameter.values and value is not None:
            for member in parameter.enum or ():
                if _same(parameter.values[str(member)], value):
                    return member
            self._one_of(target, list(parameter.values.values()))
            return None
        if parameter.value_type == "uri":
            return self._handles(value)
        return value

    def _handles(self, value: object) -> object:
        if isinstance(value, list):
            return [self._handles(each) for each in value]
        if isinstance(value, str):
            for base in self._files:
                upload = value.removeprefix(f"{base}{_FILES}")
                if upload != value and is_job_id(upload):
                    return handle_of(upload)
        return value

    def _groups(self) -> dict[tuple[str, str], dict[str, Derived]]:
        """The derived inputs by the parameters they are derived from, where one of them is given."""
        groups: dict[tuple[str, str], dict[str, Derived]] = {}
        for target, derived in self._model.derived.items():
            groups.setdefault(derived.sources, {})[target] = derived
        return {
            sources: group
            for sources, group in groups.items()
            if any(target in self._given for target in group)
        }

    def _size(self, sources: tuple[str, str], group: Mapping[str, Derived]) -> dict[str, Any]:
        wanted: dict[str, str] = {}
        for target, derived in group.items():
            choice = self._given.get(target, derive(derived, self._usual(sources)))
            if not isinstance(choice, str) or choice not in derived.choices:
                self._one_of(target, list(derived.choices))
                return {}
            wanted[target] = choice
        for width, height in self._sizes(sources, group, wanted):
            size = {sources[0]: width, sources[1]: height}
            if all(derive(group[target], size) == choice for target, choice in wanted.items()):
                return size
        told = " and ".join(f"{target} {choice}" for target, choice in wanted.items())
        for target in group.keys() & self._given.keys():
            message = f"{target} cannot be expressed here: no size stands for {told}"
            self._wrong("enum", f"input.{target}", message)
        return {}

    def _usual(self, sources: tuple[str, str]) -> dict[str, Any]:
        """The sizes where nothing is asked for: the defaults, or any size that is allowed."""
        parameters = self._model.parameters
        return {name: parameters[name].default or parameters[name].maximum or 1 for name in sources}

    def _sizes(
        self, sources: tuple[str, str], group: Mapping[str, Derived], wanted: Mapping[str, str]
    ) -> Iterator[tuple[int, int]]:
        """Candidates, the likeliest first: the choices' own sizes, then all of the ratio by area."""
        named_sizes = [group[target].choices[choice] for target, choice in wanted.items()]
        yield from (size for size in named_sizes if self._allowed(sources, size))
        ratio, area = named_sizes[0], math.prod(named_sizes[-1])
        first, second = (self._steps(name) for name in sources)
        pairs = [(width, _nearest(second, width * ratio[1] / ratio[0])) for width in first]
        yield from sorted(pairs, key=lambda pair: abs(math.log(math.prod(pair) / area)))

    def _steps(self, name: str) -> Sequence[int]:
        parameter = self._model.parameters[name]
        if parameter.enum is not None:
            return sorted(int(each) for each in parameter.enum)
        step = parameter.multiple_of or 1
        low = math.ceil((parameter.minimum or 1) / step) * step
        return range(low, int(parameter.maximum or low) + 1, step)

    def _allowed(self, sources: tuple[str, str], size: tuple[int, int]) -> bool:
        return all(value in self._steps(name) for name, value in zip(sources, size, strict=True))

    def _one_of(self, target: str, offered: Sequence[object]) -> None:
        listed = ", ".join(f'"{each}"' for each in offered)
        message = f"{target} must be one of the following: {listed}"
        self._wrong("enum", f"input.{target}", message)

    def _wrong(self, kind: str, place: str, message: str) -> None:
        self.faults.append(InvalidField(kind, place, message))


def _nearest(steps: Sequence[int], wanted: float) -> int:
    """Of steps that ascend."""
    place = bisect_left(steps, wanted)
    near = steps[max(0, place - 1) : place + 1]
    return min(near, key=lambda step: abs(step - wanted))


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _renamed(model: Model, name: str, message: str) -> InvalidField:
    bare = name.removeprefix("parameters.")
    target = ", ".join(provider_inputs(model, bare)) if bare in model.parameters else bare
    if message == "is required":
        return InvalidField("required", "input", f"{target} is required")
    return InvalidField("invalid", f"input.{target}", f"{target} {message}")


def _shown(value: object, files: str) -> object:
    if isinstance(value, list | tuple):
        return [_shown(each, files) for each in value]
    if is_handle(value):
        try:
            return f"{files}{_FILES}{upload_id_of(str(value))}"
        except ValueError:
            return value
    return value
