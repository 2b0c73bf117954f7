"""A request of OpenAI's images API as the parameters of one of our models.

A model is asked for what it has, by its own names; what it does not have is refused and not passed over,
but for values that leave the choice to it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vsl.domain.catalogue.models import Model, Parameter
from vsl.domain.catalogue.validation import checked
from vsl.domain.compat.openai_request import NEUTRAL, ImageRequest, Size
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.job import MediaType
from vsl.domain.suggestions import listed, named

# What models call the same thing; the first one that a model has counts.
_COUNTS = ("num_outputs", "num_images", "number_of_images", "n", "batch_size", "max_images")
_IMAGES = ("image", "input_image", "images", "input_images", "image_input", "image_prompt")
_MASKS = ("mask", "mask_image", "inpaint_mask")
_COMPRESSIONS = ("output_compression", "output_quality")
_SAME_FORMAT = {"jpeg": "jpg", "jpg": "jpeg"}


class Faults:
    """What of a request the model cannot do, by the request's member."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._found: dict[str, str] = {}

    def add(self, member: str, what: str) -> None:
        self._found.setdefault(member, what)

    def lacks(self, member: str) -> None:
        self.add(member, f"is nothing that the model {self._model.model_id} can be told")

    def check(self) -> None:
        """Raises InvalidRequest."""
        if self._found:
            raise InvalidRequest.of(self._found.items())


def model_parameters(
    model: Model, request: ImageRequest, images: Sequence[str], mask: str | None
) -> dict[str, Any]:
    """`images` and `mask` are handles of the request's files. Raises InvalidRequest by the request's
    members; bounds of the model's own parameters are checked when the job is made."""
    faults = Faults(model)
    if model.media_type is not MediaType.IMAGE:
        faults.add("model", f"{model.model_id} makes {model.media_type}, not images")
        faults.check()
    parameters: dict[str, Any] = {"prompt": request.prompt}
    if "prompt" not in model.parameters:
        faults.lacks("prompt")
    parameters |= _more(model, request.more, faults)
    parameters |= _count(model, request.count, faults)
    if request.size is not None:
        parameters |= _size(model, request.size, faults)
    for member, value in request.choices.items():
        known = model.parameters.get(member)
        if known is not None and _takes(known, value):
            parameters[member] = value
        elif value not in NEUTRAL[member]:
            faults.lacks(member)
    if request.output_format is not None:
        parameters |= _output_format(model, request.output_format, faults)
    if request.output_compression is not None:
        compression = _first(model, _COMPRESSIONS)
        if compression is None:
            faults.lacks("output_compression")
        else:
            parameters[compression] = request.output_compression
    parameters |= _images(model, images, faults) | _mask(model, mask, faults)
    faults.check()
    return parameters


def _more(model: Model, more: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    for name in more:
        if name not in model.parameters:
            faults.add(named(name), f"is known neither here nor to the model {model.model_id}")
    return {name: value for name, value in more.items() if name in model.parameters}


def _count(model: Model, count: int, faults: Faults) -> dict[str, Any]:
    name = model.price.count if model.price and model.price.unit == "image" else None
    name = name or _first(model, _COUNTS)
    if name is None:
        if count > 1:
            faults.add("n", f"must be 1: {model.model_id} makes one image at a time")
        return {}
    if not _takes(model.parameters[name], count):
        most = model.parameters[name].maximum
        faults.add("n", f"is more than {model.model_id} makes at a time ({most})")
    return {name: count}


def _size(model: Model, size: Size, faults: Faults) -> dict[str, Any]:
    """Width and height where the model has them, else the nearest shape, else its name for that size."""
    width, height = size
    if {"width", "height"} <= model.parameters.keys():
        for name, value in (("width", width), ("height", height)):
            try:
                checked(model.parameters[name], value, allow_http=False)
            except ValueError as error:
                faults.add("size", f"is not one of {model.model_id}: its {name} {error}")
        return {"width": width, "height": height}
    shapes = _shapes(model.parameters.get("aspect_ratio"))
    if shapes:
        wanted = math.log(width / height)
        return {"aspect_ratio": min(shapes, key=lambda name: abs(math.log(shapes[name]) - wanted))}
    for name in ("size", "image_size", "resolution"):
        known = model.parameters.get(name)
        for text in (f"{width}x{height}", f"{width}*{height}"):
            if known is not None and known.enum is not None and text in known.enum:
                return {name: text}
    faults.add("size", f"cannot be chosen for {model.model_id}: leave it out, or say auto")
    return {}


def _shapes(parameter: Parameter | None) -> dict[str, float]:
    """Width by height of each choice that is written as a ratio."""
    found = {}
    for choice in (parameter.enum if parameter is not None else None) or ():
        width, colon, height = str(choice).partition(":")
        if colon and width.isdecimal() and height.isdecimal() and int(width) and int(height):
            found[str(choice)] = int(width) / int(height)
    return found


def _output_format(model: Model, wanted: str, faults: Faults) -> dict[str, Any]:
    known = model.parameters.get("output_format")
    if known is None:
        faults.lacks("output_format")
        return {}
    for name in (wanted, _SAME_FORMAT.get(wanted, wanted)):
        if _takes(known, name):
            return {"output_format": name}
    faults.add("output_format", f"must be one of {listed(known.enum or ())} for {model.model_id}")
    return {}


def _images(model: Model, images: Sequence[str], faults: Faults) -> dict[str, Any]:
    if not images:
        return {}
    name = _first(model, _IMAGES) or _only_picture(model)
    if name is None:
        faults.add("image", f"is nothing that {model.model_id} takes")
        return {}
    if model.parameters[name].type == "array":
        return {name: list(images)}
    if len(images) > 1:
        faults.add("image", f"must be one: {model.model_id} takes no more")
    return {name: images[0]}


def _mask(model: Model, mask: str | None, faults: Faults) -> dict[str, Any]:
    if mask is None:
        return {}
    name = _first(model, _MASKS)
    if name is None:
        faults.add("mask", f"is nothing that {model.model_id} takes")
        return {}
    return {name: mask}


def _only_picture(model: Model) -> str | None:
    """The one parameter that takes a picture, whatever its name."""
    found = [
        name
        for name, known in model.parameters.items()
        if known.media is MediaType.IMAGE and name not in _MASKS
    ]
    return found[0] if len(found) == 1 else None


def _first(model: Model, names: Iterable[str]) -> str | None:
    return next((name for name in names if name in model.parameters), None)


def _takes(parameter: Parameter, value: object) -> bool:
    try:
        checked(parameter, value, allow_http=False)
    except ValueError:
        return False
    return True
