"""What a catalogue entry holds: a model, its parameters, its price and its times.

pydantic checks the shape here; `rules` checks what a well-shaped entry must fulfil to make sense.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from vsl.domain.jobs.job import MAX_TIMEOUT_SECONDS, MediaType
from vsl.domain.predictions.output import OutputShape

Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...]
MemberType = Literal["string", "integer", "number", "boolean", "uri"]
ParameterType = Literal["string", "integer", "number", "boolean", "uri", "array"]
PriceUnit = Literal["run", "image", "output_second", "gpu_second"]

MAX_ITEMS = 100
"""Members of an array whose entry sets no `maxItems`."""


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
ProviderName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PartDigest = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]

REFERENCE = (
    r"^(deployments/[a-z0-9][\w.-]*/[a-z0-9][\w.-]*"
    r"|[a-z0-9][\w.-]*/[a-z0-9][\w.-]*(:[0-9a-f]{64})?)$"
)


class Strict(BaseModel):
    """Camel case in the file, no key that is not known, no value of another type."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", alias_generator=to_camel, allow_inf_nan=False
    )


class Parameter(Strict):
    """One parameter under its public name.

    `input` is the provider's name where it differs, `values` translates each member of `enum`
    (as text) to the provider's value, `max_length` counts characters, `requires` names a
    parameter without which this one makes no sense, `media` is what a file behind a `uri` must be.
    A number without `minimum` or `maximum` is open on that side; `nullable`: null is a value too.
    Of an array `enum`, `minimum`, `maximum`, `multiple_of`, `max_length` and `media` speak of each
    member, `items` is the type of all. `title` and `order` are for forms.
    """

    type: ParameterType
    items: MemberType | None = None
    min_items: int | None = Field(default=None, ge=0, le=1000)
    max_items: int | None = Field(default=None, gt=0, le=1000)
    title: str | None = Field(default=None, min_length=1)
    description: str | None = Field(default=None, min_length=1)
    order: int | None = None
    required: bool = False
    nullable: bool = False
    default: Value | None = None
    enum: tuple[Scalar, ...] | None = Field(default=None, min_length=1)
    minimum: int | float | None = None
    maximum: int | float | None = None
    multiple_of: int | None = Field(default=None, gt=0)
    max_length: int | None = Field(default=None, gt=0, le=10_000)
    input: ProviderName | None = None
    values: Mapping[str, Scalar] | None = None
    requires: Name | None = None
    media: MediaType | None = Field(default=None, strict=False)

    @property
    def value_type(self) -> str:
        """The type of the value, or of each member of an array."""
        return self.items or self.type

    @property
    def most_items(self) -> int:
        return self.max_items or MAX_ITEMS

    def member(self) -> "Parameter":
        """The rule for each member of an array."""
        alone = {"min_items": None, "max_items": None, "default": None}
        flags = {"required": False, "nullable": False}
        return self.model_copy(update={"type": self.value_type, "items": None, **alone, **flags})


class Derived(Strict):
    """A provider input computed from a wanted width and height: the nearest of `choices`.

    Each choice comes with the size in pixels that the model makes of it.
    """

    transform: Literal["nearest_aspect_ratio", "nearest_megapixels"]
    sources: tuple[Name, Name] = Field(alias="from")
    choices: Mapping[str, tuple[Pixels, Pixels]] = Field(min_length=1)


class Duration(Strict):
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


class Price(Strict):
    """US dollars a unit: one `amount`, or `amounts` chosen `by` a parameter, or the rate of the
    `hardware` the model runs on, which the catalogue puts into `amount` when it is read.

    `count` is the parameter that says how many units (images, seconds of output) are asked for;
    `predict_time` is the expected GPU time behind an estimate per GPU second, and `hold` how many
    times that estimate is held: how long the model will take is not known before.
    """

    unit: PriceUnit
    amount: Dollars | None = None
    amounts: Mapping[str, Dollars] | None = None
    by: Name | None = None
    hardware: str | None = Field(default=None, min_length=1)
    count: Name | None = None
    predict_time: Seconds | None = None
    hold: Decimal = Field(default=Decimal(3), ge=1, le=100)

    def amount_for(self, parameters: Mapping[str, Any]) -> Decimal:
        """The price of one unit. Raises KeyError when `by` is missing from `parameters`."""
        if self.amounts is not None and self.by is not None:
            return self.amounts[str(parameters[self.by])]
        if self.amount is None:
            raise KeyError("a price without an amount")
        return self.amount


class Source(Strict):
    """What an entry was made from, so that a change at the provider can be told from it.

    `version` is None where the provider names none; `schema_digest` is the SHA-256 of the canonical
    schema, `output` and `inputs` are beginnings of those of its parts, `read_at` is a date.
    """

    version: Sha256 | None = None
    official: bool
    read_at: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    schema_digest: Sha256 = Field(alias="schema")
    output: PartDigest | None = None
    inputs: Mapping[str, PartDigest] = Field(default_factory=dict)


class ModelEntry(Strict):
    """A model as the file has it.

    `reference` is `owner/name` for an official model, `owner/name:version` for any other, and
    `deployments/owner/name` for a deployment;
    `derived` and `fixed` are provider inputs computed from parameters or always the same;
    `reruns` is how often a prediction that the platform broke off is submitted again. Without a
    `price` only those may run it who may run unpriced models.
    """

    reference: str = Field(pattern=REFERENCE)
    description: str = Field(min_length=1)
    output: OutputShape
    parameters: Mapping[Name, Parameter]
    derived: Mapping[ProviderName, Derived] = Field(default_factory=dict)
    fixed: Mapping[ProviderName, Scalar] = Field(default_factory=dict)
    price: Price | None = None
    estimated_time: Seconds
    timeout: int = Field(ge=5, le=MAX_TIMEOUT_SECONDS)
    reruns: int = Field(default=1, ge=0, le=3)
    source: Source | None = None
    example: Mapping[str, Value | None]


class Model(ModelEntry):
    """A model with its place in the catalogue. `timeout` in seconds."""

    model_id: str
    media_type: MediaType
