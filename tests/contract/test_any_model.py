"""From a published schema to a job's outputs: every fixture through all the parts that meet there.

The stand-in publishes it, `vsl models add` translates it, the catalogue checks a request with it,
the stand-in takes what the provider is sent, and the output rules read what it gives.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from cli.models.hardware import rates
from cli.models.provider import Documents, ProviderModels
from cli.models.translation.entry import Options, Proposal, propose
from cli.models.translation.names import model_id
from cli.models.translation.reference import Reference
from devstack.replicate.faults import PredictionSlow
from devstack.replicate.media.request import Request
from devstack.replicate.media.scene import Scene
from tests.support.models import CATALOGUE_PATH
from tests.support.provider_fixtures import owner_and_name, provider_models
from tests.support.stand_in import TOKEN, StandIn, stand_in
from tests.support.thinning import thinned
from vsl.adapters.replicate.client import ReplicateProvider
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.models import Model
from vsl.domain.catalogue.validation import build_provider_input, validate_parameters
from vsl.domain.predictions.output import OutputKind, output_addresses

MODELS = {f"{each['owner']}/{each['name']}": each for each in provider_models()}
SERVED = [name for name, each in MODELS.items() if each["expect"] == "served"]
RATES = rates()
READ_AT = date(2026, 11, 29)
FILE = "data:application/octet-stream;base64,AAAA"
NOBODY = "http://127.0.0.1:1"  # refuses at once: webhooks are not what is tested here


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        for reference, document in MODELS.items():
            running.control.offer_model(*owner_and_name(reference), document)
        yield running


@pytest.fixture(scope="module")
def provider(server: StandIn) -> Iterator[ReplicateProvider]:
    provider = ReplicateProvider(f"{server.url}/v1", lambda: TOKEN)
    yield provider
    provider.close()


def documents(server: StandIn, reference: str) -> Documents:
    with ProviderModels(f"{server.url}/v1", TOKEN, "the stand-in") as provider:
        return provider.read(Reference.parse(reference))


def proposed(server: StandIn, reference: str, **options: Any) -> Proposal:
    published = documents(server, reference).published
    name = model_id(published.reference.owner, published.reference.name, {})
    return propose(published, name, Options(**options), READ_AT, RATES)


def parsed(proposal: Proposal) -> Model:
    text = json.dumps({proposal.media: {proposal.model_id: proposal.entry}})
    return Catalogue.parse(text, RATES).models[proposal.model_id]


def request_of(model: Model) -> dict[str, Any]:
    """The entry's own example, completed; its files come as data, since nothing is fetched here."""
    example = {name: _local(value) for name, value in model.example.items()}
    for name, parameter in model.parameters.items():
        if parameter.required and name not in example:
            example[name] = [FILE] if parameter.type == "array" else FILE
    return validate_parameters(model, example, allow_http=False)


def _local(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_local(item) for item in value]
    return FILE if isinstance(value, str) and value.startswith("https://") else value


@pytest.mark.parametrize("reference", thinned(SERVED))
def test_the_provider_takes_the_example_of_an_entry(
    server: StandIn, provider: ReplicateProvider, reference: str
) -> None:
    server.control.faults(PredictionSlow(starting=60))
    model = parsed(proposed(server, reference))
    sent = build_provider_input(model, request_of(model))

    created = provider.create(model.reference, sent, NOBODY, model.timeout)
    provider.cancel(created.id)

    published = MODELS[reference]["openapi_schema"]["components"]["schemas"]["Input"]
    assert sent.keys() <= published["properties"].keys()
    assert server.control.prediction(created.id).input == sent


@pytest.mark.parametrize("reference", thinned(SERVED))
def test_the_output_rules_read_what_the_model_gives(
    server: StandIn, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Scene, "file", lambda _self, _kind, _index: b""
    )  # what is in it is not read
    model = parsed(proposed(server, reference))
    sent = build_provider_input(model, request_of(model))
    played = server.state.models.newest(reference)
    assert played is not None

    production = played.produce(Request(reference, played.with_defaults(sent), {}, seed=7))
    shown = production.with_addresses(lambda file: f"https://replicate.delivery/x/{file.name}")
    kept = list(output_addresses(shown, OutputKind.of(model.output)))

    files = [f"https://replicate.delivery/x/{file.name}" for file in production.files]
    assert kept == (files or [_as_one_file(shown, model)])
    assert model.output != "single" or len(kept) == 1


def _as_one_file(output: Any, model: Model) -> str:
    """How a text or a JSON value travels, by another way than the product's."""
    kind = "text/plain" if model.output == "text" else "application/json"
    text = json.dumps(output, ensure_ascii=False)
    if model.output == "text":
        text = output if isinstance(output, str) else "".join(output)
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"


def test_all_of_them_make_one_catalogue(server: StandIn) -> None:
    """Beside the entries that are written by hand."""
    text: dict[str, dict[str, Any]] = json.loads(CATALOGUE_PATH.read_text(encoding="utf-8"))
    taken = {name for models in text.values() for name in models}
    for reference in SERVED:
        published = documents(server, reference).published
        name = model_id(published.reference.owner, published.reference.name, taken)
        proposal = propose(published, name, Options(), READ_AT, RATES)
        text.setdefault(proposal.media, {})[name] = proposal.entry
        taken.add(name)

    catalogue = Catalogue.parse(json.dumps(text), RATES)

    assert len(catalogue.models) == len(taken)


def test_a_deployment_is_an_entry_that_runs(server: StandIn, provider: ReplicateProvider) -> None:
    server.control.faults(PredictionSlow(starting=60))
    server.control.deploy("acme", "portraits", "granite/nullable-portrait")
    model = parsed(proposed(server, "deployments/acme/portraits"))
    sent = build_provider_input(model, request_of(model))

    created = provider.create(model.reference, sent, NOBODY, model.timeout)
    provider.cancel(created.id)

    assert model.reference == "deployments/acme/portraits"
    assert server.get(created.id)["deployment"] == "acme/portraits"
    assert server.control.prediction(created.id).model == "granite/nullable-portrait"


def test_a_new_version_is_read_where_the_old_one_is_pinned(server: StandIn) -> None:
    reference = "meadow/reel-two"
    before = parsed(proposed(server, reference))
    changed: Mapping[str, Any] = {**MODELS[reference], "version": "f" * 64}
    server.control.offer_model(*owner_and_name(reference), changed)

    newest, pinned = (parsed(proposed(server, each)) for each in (reference, before.reference))

    assert newest.reference == f"{reference}:{'f' * 64}"
    assert pinned == before
