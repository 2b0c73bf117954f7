"""The client against the Replicate stand-in: two readings of one API, written apart."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from devstack.replicate.config import Config
from devstack.replicate.control import Control
from devstack.replicate.faults import (
    CreateAnswerLost,
    CreateFails,
    ListWebhooks,
    Match,
    PredictionFails,
    PredictionSlow,
    ReadFails,
)
from devstack.replicate.server import StandInServer, running
from tests.support.models import MODEL_IDS, model
from tests.support.waiting import until
from vsl.adapters.replicate.client import ReplicateProvider
from vsl.domain.catalogue.validation import build_provider_input, validate_parameters
from vsl.domain.errors import (
    PredictionInterrupted,
    ProviderAuthenticationFailed,
    ProviderInsufficientCredit,
    ProviderRejected,
    ProviderThrottled,
    SubmissionUncertain,
)
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.webhook_url import parse_webhook_url, webhook_url
from vsl.domain.money.pricing import actual_cost
from vsl.domain.predictions.prediction import Outcome, Prediction, PredictionStatus
from vsl.domain.predictions.prediction_errors import classify

SCHNELL = "black-forest-labs/flux-schnell"
UNKNOWN = "a" * 26
# An address that refuses at once: webhooks are not what is tested here.
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandInServer]:
    with running(Config(duration=0.05, retry_scale=0.001)) as server:
        yield server


@pytest.fixture
def control(stand_in: StandInServer) -> Iterator[Control]:
    with Control(stand_in.url) as control:
        control.reset()
        yield control
        control.reset()


@pytest.fixture
def provider(stand_in: StandInServer, control: Control) -> Iterator[ReplicateProvider]:
    token = stand_in.config_of_stand_in.token
    provider = ReplicateProvider(f"{stand_in.url}/v1", lambda: token)
    yield provider
    provider.close()


def webhook(attempt: int = 1) -> tuple[str, str]:
    """A job id and the webhook address of its attempt."""
    job_id = new_job_id(datetime.now(UTC))
    return job_id, webhook_url(NOBODY, job_id, attempt)


def finished(provider: ReplicateProvider, replicate_id: str) -> Prediction:
    found = until(
        lambda: provider.get(replicate_id),
        lambda prediction: prediction is not None and prediction.status.terminal,
    )
    assert found is not None
    return found


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_every_model_is_created_found_and_canceled(
    provider: ReplicateProvider, control: Control, model_id: str
) -> None:
    control.faults(PredictionSlow(starting=60))
    chosen = model(model_id)
    sent = build_provider_input(
        chosen, validate_parameters(chosen, chosen.example, allow_http=False)
    )
    job_id, address = webhook()
    before = datetime.now(UTC) - timedelta(seconds=2)

    created = provider.create(chosen.reference, sent, address, chosen.timeout)

    assert created.status is PredictionStatus.STARTING
    (listed,) = provider.list_since(before)
    assert (listed.id, listed.webhook) == (created.id, None)
    assert sent.items() <= listed.input.items()
    found = provider.get(listed.id)
    assert found is not None
    assert parse_webhook_url(found.webhook) == (job_id, 1)
    recorded = control.prediction(created.id)
    assert recorded.webhook_events_filter == ["start", "completed"]
    assert {name: recorded.input[name] for name in sent} == sent
    assert recorded.deadline is not None
    canceled = provider.cancel(created.id)
    assert canceled is not None
    assert canceled.status.terminal


def test_a_finished_image_costs_what_we_say(provider: ReplicateProvider, control: Control) -> None:
    schnell = model("flux-schnell")
    parameters = validate_parameters(
        schnell, {"prompt": "a fox", "num_outputs": 2}, allow_http=False
    )
    created = provider.create(
        schnell.reference, build_provider_input(schnell, parameters), webhook()[1], 60
    )

    outcome = Outcome.of(finished(provider, created.id), "poller")

    assert outcome.status is PredictionStatus.SUCCEEDED
    assert outcome.output_count == 2
    charged = control.prediction(created.id).cost_usd
    assert actual_cost(schnell, parameters, outcome) == Decimal("0.006") == Decimal(str(charged))
    after = provider.cancel(created.id)
    assert after is not None
    assert after.status is PredictionStatus.SUCCEEDED


def test_a_lost_answer_is_uncertain_and_the_prediction_can_be_found(
    provider: ReplicateProvider, control: Control
) -> None:
    control.faults(CreateAnswerLost(times=1), PredictionSlow(starting=60))
    job_id, address = webhook(attempt=3)
    before = datetime.now(UTC) - timedelta(seconds=2)

    with pytest.raises(SubmissionUncertain):
        provider.create(SCHNELL, {"prompt": "p"}, address, 60)

    (listed,) = provider.list_since(before)
    found = provider.get(listed.id)
    assert found is not None
    assert parse_webhook_url(found.webhook) == (job_id, 3)
    control.faults(ListWebhooks())
    (listed,) = provider.list_since(before)
    assert listed.webhook == address


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, ProviderThrottled),
        (402, ProviderInsufficientCredit),
        (500, SubmissionUncertain),
        (503, SubmissionUncertain),
    ],
)
def test_create_fails(
    provider: ReplicateProvider, control: Control, status: int, kind: type[Exception]
) -> None:
    control.faults(CreateFails(status=status, retry_after=7, times=1))

    with pytest.raises(kind) as raised:
        provider.create(SCHNELL, {"prompt": "p"}, webhook()[1], 60)

    if isinstance(raised.value, ProviderThrottled):
        assert raised.value.details["retryAfter"] == 7
    assert control.predictions() == []


@pytest.mark.parametrize(
    ("reference", "provider_input", "field"),
    [
        (SCHNELL, {}, "input"),
        (SCHNELL, {"prompt": "p", "num_outputs": 9}, "input.num_outputs"),
        (SCHNELL, {"prompt": "p", "aspect_ratio": "7:1"}, "input.aspect_ratio"),
    ],
)
def test_an_invalid_input_is_refused_by_field(
    provider: ReplicateProvider, reference: str, provider_input: dict[str, object], field: str
) -> None:
    with pytest.raises(ProviderRejected) as raised:
        provider.create(reference, provider_input, webhook()[1], 60)

    fields = raised.value.details["invalidFields"]
    assert isinstance(fields, list)
    assert [fault["field"] for fault in fields] == [field]


@pytest.mark.parametrize(
    "reference", ["meta/musicgen", "nobody/nothing", "meta/musicgen:" + "0" * 64]
)
def test_a_model_that_is_not_there_is_refused(provider: ReplicateProvider, reference: str) -> None:
    with pytest.raises(ProviderRejected):
        provider.create(reference, {"prompt": "p"}, webhook()[1], 60)


def test_a_wrong_token_is_refused(stand_in: StandInServer) -> None:
    stranger = ReplicateProvider(f"{stand_in.url}/v1", lambda: "r8_" + "0" * 37)
    with pytest.raises(ProviderAuthenticationFailed):
        stranger.create(SCHNELL, {"prompt": "p"}, webhook()[1], 60)
    with pytest.raises(ProviderAuthenticationFailed):
        stranger.webhook_secret()
    stranger.close()


def test_unknown_predictions(provider: ReplicateProvider) -> None:
    assert provider.get(UNKNOWN) is None
    assert provider.cancel(UNKNOWN) is None


def test_the_webhook_secret(provider: ReplicateProvider, stand_in: StandInServer) -> None:
    assert provider.webhook_secret() == stand_in.config_of_stand_in.webhook_secret


def test_reads_that_falter_are_repeated(provider: ReplicateProvider, control: Control) -> None:
    control.faults(ReadFails(operation="secret", status=503, times=2))
    assert provider.webhook_secret().startswith("whsec_")


def test_a_failure_is_classified(provider: ReplicateProvider, control: Control) -> None:
    control.faults(PredictionFails(match=Match(prompt="fails")))
    created = provider.create(SCHNELL, {"prompt": "this fails"}, webhook()[1], 60)

    outcome = Outcome.of(finished(provider, created.id), "poller")

    assert isinstance(classify(outcome), PredictionInterrupted)


def test_pages_are_followed_to_the_end(provider: ReplicateProvider, control: Control) -> None:
    control.faults(PredictionSlow(starting=60))
    before = datetime.now(UTC) - timedelta(seconds=2)
    created = [provider.create(SCHNELL, {"prompt": "p"}, webhook()[1], 60).id for _ in range(103)]

    assert [found.id for found in provider.list_since(before)] == created[::-1]
