"""A whole entry of the catalogue, with everything that is to be said about it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from cli.models.translation.examples import example_of
from cli.models.translation.inputs import Entry, Inputs, Obstacle, Remark, translate_inputs
from cli.models.translation.outputs import Output, translate_output
from cli.models.translation.prices import (
    PriceOptions,
    counted_by,
    expected_seconds,
    plain,
    time_limit,
)
from cli.models.translation.published import Published
from cli.models.translation.reference import Reference
from cli.models.translation.values import NotServedError
from cli.models.translation.wording import one_line
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.hardware import Rates
from vsl.domain.errors import ConfigurationError

_DESCRIPTION = 300


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator says himself. `input_media` is by the provider's name of the input, `ranges`
    by the parameter's."""

    media: str | None = None
    price: PriceOptions = field(default_factory=PriceOptions)
    seconds: float | None = None
    input_media: Mapping[str, str] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry for `media` → `model_id`, and what is to be said about it.

    `guesses` are by the option that says otherwise.
    """

    model_id: str
    media: str
    entry: Entry
    left_out: Sequence[Obstacle] = ()
    guesses: Sequence[Remark] = ()
    remarks: Sequence[Remark] = ()


class RefusedError(ValueError):
    """The model cannot be served; `obstacles` say why, one by one."""

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        super().__init__("; ".join(map(str, obstacles)))
        self.obstacles = obstacles


def propose(
    published: Published,
    model_id: str,
    options: Options,
    read_at: date,
    rates: Rates,
) -> Proposal:
    """Raises RefusedError, and ValueError for options that do not fit the model."""
    inputs = translate_inputs(published, options.input_media)
    output = _output(published, inputs)
    _apply_ranges(inputs, options.ranges)
    media = options.media or output.media
    seconds, usual = expected_seconds(options.seconds or published.run_seconds, media)
    price, counted = _price(options, inputs, output, seconds)
    example, dropped = example_of(inputs.parameters, published.example)
    entry: Entry = {
        "reference": str(_pinned(published)),
        "description": one_line(published.description, _DESCRIPTION) or f"{published.reference}.",
        "output": output.shape,
        "parameters": inputs.parameters,
        "price": price,
        "estimatedTime": plain(seconds),
        "timeout": time_limit(seconds, official=published.official),
        "source": source_of(published, read_at),
        "example": example,
    }
    if entry["price"] is None:
        del entry["price"]
    check(media, model_id, entry, rates)
    return Proposal(
        model_id,
        media,
        entry,
        left_out=inputs.obstacles,
        guesses=[*_guesses(output, options, seconds, usual), *counted, *_file_guesses(inputs)],
        remarks=[*inputs.remarks, *_example_remarks(dropped)],
    )


def _output(published: Published, inputs: Inputs) -> Output:
    """Raises RefusedError, also for inputs that are required and cannot be sent."""
    if "Input" not in published.schemas:
        what = "its version publishes no schema of its input"
        if not published.schemas:
            what = "it has no version whose schema is published"
        raise RefusedError([Obstacle(None, "input", what)])
    obstacles = [each for each in inputs.obstacles if each.required]
    try:
        output = translate_output(published)
    except NotServedError as error:
        raise RefusedError([*obstacles, Obstacle(None, error.why, str(error))]) from None
    if obstacles:
        raise RefusedError(obstacles)
    return output


def _pinned(published: Published) -> Reference:
    """Official models and deployments run by name, all others by version.

    Raises RefusedError where there is none.
    """
    named = published.reference
    if named.deployment or (published.official and named.version is None):
        return named
    if published.version is None:
        raise RefusedError([Obstacle(None, "output", "its version has no number to run it by")])
    return Reference(named.owner, named.name, published.version)


def source_of(published: Published, read_at: date) -> Entry:
    """What `vsl models check` compares with: parts that are unchanged need no look."""
    return {
        "version": published.version,
        "official": published.official,
        "readAt": read_at.isoformat(),
        "schema": published.digest,
        "output": published.output_digest,
        "inputs": {name: published.input_digest(name) for name in published.inputs},
    }


def check(media: str, model_id: str, entry: Entry, rates: Rates) -> None:
    """By the catalogue's own rules. Raises ValueError with every fault below the model."""
    text = json.dumps({media: {model_id: entry}})
    try:
        Catalogue.parse(text, rates)
    except ConfigurationError as error:
        faults = faults_of(error)
        prefix = f"{media}.{model_id}."
        raise ValueError("; ".join(each.removeprefix(prefix) for each in faults)) from None


def faults_of(error: ConfigurationError) -> list[str]:
    """Each by its path."""
    faults = error.details.get("faults")
    return [str(each) for each in faults] if isinstance(faults, list) else [error.message]


def _apply_ranges(inputs: Inputs, ranges: Mapping[str, tuple[float | None, float | None]]) -> None:
    """Raises ValueError for a range of what is no number."""
    for name, bounds in ranges.items():
        entry = inputs.parameters.get(name)
        if entry is None or entry["type"] not in {"integer", "number"}:
            raise ValueError(f"--range {name}: there is no parameter {name} that is a number")
        for keyword, bound in zip(("minimum", "maximum"), bounds, strict=True):
            if bound is not None:
                entry[keyword] = plain(bound)


def _price(
    options: Options, inputs: Inputs, output: Output, seconds: float
) -> tuple[Entry | None, list[Remark]]:
    """With what counts the images of a list, if nothing was said of it."""
    price = options.price.price(seconds)
    if price is None or price["unit"] != "image" or "count" in price or output.shape != "list":
        return price, []
    count = counted_by(inputs.parameters)
    if count is None:
        return price, [Remark("--count", "a job makes one image: no parameter asks for several")]
    return price | {"count": count}, [Remark("--count", f"{count} asks for several images")]


def _guesses(output: Output, options: Options, seconds: float, usual: bool) -> list[Remark]:
    found = []
    if output.guess is not None and options.media is None:
        found.append(Remark("--media", f"it makes {output.media}, by {output.guess}"))
    if usual:
        found.append(Remark("--seconds", f"a run takes {plain(seconds)} s: no example tells"))
    return found


def _file_guesses(inputs: Inputs) -> list[Remark]:
    """One for each kind of file, since a model may have many."""
    by_kind: dict[str, list[str]] = {}
    for guess in inputs.guesses:
        by_kind.setdefault(guess.message, []).append(guess.parameter)
    return [
        Remark("--input-media", f"files for {', '.join(names)} are of the kind {kind}")
        for kind, names in by_kind.items()
    ]


def _example_remarks(dropped: Sequence[str]) -> list[Remark]:
    if not dropped:
        return []
    names = ", ".join(one_line(name, 60) for name in dropped)
    return [Remark("example", f"goes without the provider's values of {names}")]
