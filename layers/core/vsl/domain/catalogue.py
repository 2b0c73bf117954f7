"""The catalogue: which models there are, what each takes, makes and costs.

The text is `config/models.json`: media type → model id → model. Shape is checked here by pydantic,
sense by `catalogue_rules`; both name the path of every fault, such as
`image.flux-schnell.parameters.width.minimum`.
"""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from vsl.domain.errors import ConfigurationError, InvalidRequest, UnknownModel
from vsl.domain.job import MediaType
from vsl.domain.wording import did_you_mean, listed, shown

Scalar = bool | int | float | str
ParameterType = Literal["string", "integer", "number", "boolean", "uri"]
PriceUnit = Literal["run", "image", "output_second", "gpu_second"]
OutputShape = Literal["single", "list", "object"]

# Below the static ceiling of the state that waits for a prediction (a test compares them).
MAX_TIMEOUT_SECONDS: Final = 2400


def _dollars(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('must be decimal text, such as "0.003"')  # noqa: TRY004 - pydantic's way
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError('must be decimal text, such as "0.003"') from None


def _seconds(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"base": value}
    return value


Dollars = Annotated[Decimal, BeforeValidator(_dollars), Field(ge=0, le=1000)]
Pixels = Annotated[int, Field(gt=0)]
ModelId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", alias_generator=to_camel, allow_inf_nan=False
    )


class Parameter(_Strict):
    """One parameter under its public name.

    `input` is the provider's name where it differs, `values` translates each member of `enum`
    (as text) to the provider's value, `max_length` counts characters, `requires` names a
    parameter without which this one makes no sense, `media` is what a file behind a `uri` must be.
    """

    type: ParameterType
    description: str = Field(min_length=1)
    required: bool = False
    default: Scalar | None = None
    enum: tuple[Scalar, ...] | None = Field(default=None, min_length=1)
    minimum: int | float | None = None
    maximum: int | float | None = None
    multiple_of: int | None = Field(default=None, gt=0)
    max_length: int | None = Field(default=None, gt=0, le=10_000)
    input: Name | None = None
    values: Mapping[str, Scalar] | None = None
    requires: Name | None = None
    media: MediaType | None = Field(default=None, strict=False)


class Derived(_Strict):
    """A provider input computed from a wanted width and height: the nearest of `choices`.

    Each choice comes with the size in pixels that the model makes of it.
    """

    transform: Literal["nearest_aspect_ratio", "nearest_megapixels"]
    sources: tuple[Name, Name] = Field(alias="from")
    choices: Mapping[str, tuple[Pixels, Pixels]] = Field(min_length=1)


class Duration(_Strict):
    """Seconds: `base` plus `per` times the product of the parameters `of`."""

    base: float = Field(default=0, ge=0)
    per: float = Field(default=0, ge=0)
    of: tuple[Name, ...] = Field(default=(), strict=False)

    def seconds(self, parameters: Mapping[str, Any]) -> Decimal:
        """Raises KeyError when `parameters` lacks one of `of`; validated parameters never do."""
        product = Decimal(1) if self.of else Decimal(0)
        for name in self.of:
            product *= Decimal(str(parameters[name]))
        return Decimal(str(self.base)) + Decimal(str(self.per)) * product


Seconds = Annotated[Duration, BeforeValidator(_seconds)]


class Price(_Strict):
    """US dollars a unit: one `amount`, or `amounts` chosen `by` a parameter.

    `count` is the parameter that says how many units (images, seconds of output) are asked for;
    `predict_time` is the expected GPU time behind an estimate per GPU second.
    """

    unit: PriceUnit
    amount: Dollars | None = None
    amounts: Mapping[str, Dollars] | None = None
    by: Name | None = None
    count: Name | None = None
    predict_time: Seconds | None = None

    def amount_for(self, parameters: Mapping[str, Any]) -> Decimal:
        """The price of one unit. Raises KeyError when `by` is missing from `parameters`."""
        if self.amounts is not None and self.by is not None:
            return self.amounts[str(parameters[self.by])]
        if self.amount is None:
            raise KeyError("a price without an amount")
        return self.amount


class ModelEntry(_Strict):
    """A model as the file has it.

    `reference` is `owner/name` for an official model, else `owner/name:version`;
    `derived` and `fixed` are provider inputs computed from parameters or always the same;
    `reruns` is how often a prediction that the platform broke off is submitted again.
    """

    reference: str = Field(pattern=r"^[a-z0-9][\w.-]*/[a-z0-9][\w.-]*(:[0-9a-f]{64})?$")
    description: str = Field(min_length=1)
    output: OutputShape
    parameters: Mapping[Name, Parameter]
    derived: Mapping[Name, Derived] = Field(default_factory=dict)
    fixed: Mapping[Name, Scalar] = Field(default_factory=dict)
    price: Price
    estimated_time: Seconds
    timeout: int = Field(ge=5, le=MAX_TIMEOUT_SECONDS)
    reruns: int = Field(default=1, ge=0, le=3)
    example: Mapping[str, Scalar]


class Model(ModelEntry):
    """A model with its place in the catalogue. `timeout` in seconds."""

    model_id: str
    media_type: MediaType


_ENTRIES = TypeAdapter(dict[Literal["image", "video", "audio"], dict[ModelId, ModelEntry]])


class Catalogue:
    """All models by id; ids are unique across media types."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = models

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ConfigurationError with the path of each fault (`details.faults` has them all)."""
        from vsl.domain.catalogue_rules import faults_of

        document = _json(text)
        try:
            entries = _ENTRIES.validate_json(text)
        except ValidationError as error:
            raise _invalid(_shape_faults(document, error)) from None
        models: dict[str, Model] = {}
        faults: list[tuple[str, str]] = []
        for media_type, group in entries.items():
            for model_id, entry in group.items():
                path = f"{media_type}.{model_id}"
                if model_id in models:
                    faults.append((path, f"is also a model for {models[model_id].media_type}"))
                model = Model.model_construct(
                    **dict(entry), model_id=model_id, media_type=MediaType(media_type)
                )
                models[model_id] = model
                faults += [(f"{path}.{where}", what) for where, what in faults_of(model)]
        if not models:
            faults.append(("catalogue", "has no models"))
        if faults:
            raise _invalid(faults)
        return cls(models)

    def find(self, model_id: str, media_type: MediaType | None = None) -> Model:
        """Raises UnknownModel with the nearest names, InvalidRequest when the media type differs."""
        model = self.models.get(model_id)
        if model is None:
            offered = [
                name
                for name, known in self.models.items()
                if media_type in {None, known.media_type}
            ] or list(self.models)
            hint = did_you_mean(model_id, self.models)
            message = f"There is no model {shown(model_id)}. {hint}Available: {listed(offered)}."
            raise UnknownModel(message)
        if media_type not in {None, model.media_type}:
            fault = f"{model_id} makes {model.media_type}, not {media_type}"
            raise InvalidRequest(
                f"mediaType: {fault}.", fields=[{"field": "mediaType", "message": fault}]
            )
        return model


def _json(text: str) -> object:
    """The decoded text, without keys that appear twice: pydantic would take the last of them."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise _invalid([(twice[0], "appears twice in one object")])
        return dict(pairs)

    try:
        document: object = json.loads(text, object_pairs_hook=unique)
    except ValueError as error:
        raise _invalid([("catalogue", f"is not JSON: {error}")]) from None
    return document


def _shape_faults(document: object, error: ValidationError) -> list[tuple[str, str]]:
    """pydantic's faults by their path in the document, one for each path."""
    faults: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        path = _path(document, fault["loc"], missing=fault["type"] == "missing")
        faults.setdefault(path, fault["msg"])
    return list(faults.items())


def _path(document: object, location: tuple[str | int, ...], *, missing: bool) -> str:
    """The location without the parts pydantic adds: `[key]` and the members of a union."""
    parts: list[str] = []
    node = document
    for place, part in enumerate(location):
        if isinstance(node, dict) and part in node:
            node = node[str(part)]
        elif isinstance(node, list) and isinstance(part, int):
            node = node[part]
        elif not missing or place != len(location) - 1:
            continue
        parts.append(str(part))
    return ".".join(parts) or "catalogue"


def _invalid(faults: list[tuple[str, str]]) -> ConfigurationError:
    lines = [f"{path}: {message}" for path, message in faults]
    more = f"; and {len(lines) - 5} more" if len(lines) > 5 else ""
    text = "; ".join(lines[:5])
    return ConfigurationError(f"The model catalogue is not valid: {text}{more}", faults=lines)
