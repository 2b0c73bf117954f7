"""The stand-in's webhooks: signature, filter, order, retries, and everything that can befall them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from devstack.replicate.faults import PredictionSlow, WebhookFault
from devstack.replicate.webhooks import sign
from tests.support.stand_in import SCHNELL, SDXL, SECRET, Receiver, StandIn, receiver, stand_in

SMALL = {"prompt": "a lake", "megapixels": "0.25"}
ALL = ["start", "output", "logs", "completed"]


@pytest.fixture
def inbox() -> Iterator[Receiver]:
    with receiver() as inbox:
        yield inbox


def start(server: StandIn, inbox: Receiver, events: list[str] | None = None) -> str:
    """Create a prediction that reports to the inbox."""
    more = {} if events is None else {"webhook_events_filter": events}
    return str(server.create(SCHNELL, input=SMALL, webhook=inbox.url, **more)["id"])


def statuses(inbox: Receiver) -> list[str]:
    return [json.loads(webhook.body)["status"] for webhook in inbox.received]


def published(server: StandIn, prediction_id: str) -> list[str]:
    """The events delivered or given up, once the prediction's end is among them."""
    recorded = server.recorded(
        prediction_id, lambda p: any(d.event == "completed" for d in p.deliveries)
    )
    return [delivery.event for delivery in recorded.deliveries]


def test_the_known_signature() -> None:
    signature = sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_by_default_output_and_end_are_told(server: StandIn, inbox: Receiver) -> None:
    identifier = start(server, inbox)

    output, completed = (json.loads(webhook.body) for webhook in inbox.wait(2))

    assert published(server, identifier) == ["output", "completed"]
    assert (output["status"], completed["status"]) == ("processing", "succeeded")
    assert output["output"] == completed["output"]
    assert completed == server.get(identifier)
    assert completed["webhook"] == inbox.url
    assert "webhook_events_filter" not in completed
    assert inbox.received[0].path == "/hook?job=42"


def test_all_events_in_order(server: StandIn, inbox: Receiver) -> None:
    identifier = start(server, inbox, ALL)

    events = published(server, identifier)

    assert events[0] == "start"
    assert set(events[1:-2]) == {"logs"}
    assert events[-2:] == ["output", "completed"]
    ids = {delivery.message_id for delivery in server.control.prediction(identifier).deliveries}
    assert len(ids) == len(events)


@pytest.mark.parametrize(("reference", "status"), [(SCHNELL, "processing"), (SDXL, "starting")])
def test_a_start_is_told_in_either_status(
    server: StandIn, inbox: Receiver, reference: str, status: str
) -> None:
    asked = SMALL if reference == SCHNELL else {"width": 64, "height": 64}
    server.create(reference, input=asked, webhook=inbox.url, webhook_events_filter=["start"])

    [webhook] = inbox.wait(1)

    assert json.loads(webhook.body)["status"] == status


def test_every_message_is_signed(server: StandIn, inbox: Receiver) -> None:
    start(server, inbox, ["start", "completed"])

    for webhook in inbox.wait(2):
        Webhook(SECRET).verify(webhook.body, webhook.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(webhook.body + b" ", webhook.headers)
        assert webhook.headers["webhook-id"].startswith("msg_")


@pytest.mark.parametrize("status", [500, 404])
def test_only_the_end_is_sent_again(server: StandIn, inbox: Receiver, status: int) -> None:
    inbox.statuses = [status] * 3
    identifier = start(server, inbox, ["start", "completed"])

    inbox.wait(4)
    recorded = server.recorded(identifier, lambda p: len(p.deliveries) == 4)

    assert [d.event for d in recorded.deliveries] == ["start"] + ["completed"] * 3
    assert [d.status_code for d in recorded.deliveries] == [status] * 3 + [200]
    assert [d.attempt for d in recorded.deliveries] == [1, 1, 2, 3]
    sent = inbox.received[1:]
    assert len({webhook.headers["webhook-id"] for webhook in sent}) == 1
    assert len({webhook.body for webhook in sent}) == 1
    Webhook(SECRET).verify(sent[-1].body, sent[-1].headers)


def test_it_gives_up_after_the_last_retry(server: StandIn) -> None:
    with receiver() as nobody:
        address = nobody.url
    identifier = server.create(SCHNELL, input=SMALL, webhook=address)["id"]

    recorded = server.recorded(
        identifier, lambda p: sum(d.event == "completed" for d in p.deliveries) == 6
    )

    assert all(delivery.status_code is None for delivery in recorded.deliveries)
    assert all(str(d.error).startswith("ConnectError") for d in recorded.deliveries)
    assert sum(delivery.event == "output" for delivery in recorded.deliveries) == 1


def test_redirects_are_not_followed(server: StandIn, inbox: Receiver) -> None:
    inbox.statuses = [301]
    identifier = start(server, inbox, ["completed"])

    recorded = server.recorded(identifier, lambda p: len(p.deliveries) == 1)
    server.run(SCHNELL, **SMALL)  # time for a retry that must not come

    assert recorded.deliveries[0].status_code == 301
    assert len(inbox.received) == 1


def test_logs_are_throttled() -> None:
    with stand_in(webhook_throttle=60) as server, receiver() as inbox:
        identifier = start(server, inbox, ALL)

        assert published(server, identifier) == ["start", "logs", "output", "completed"]


def test_a_canceled_prediction_tells_its_end(server: StandIn, inbox: Receiver) -> None:
    server.control.faults(PredictionSlow(running=30))
    identifier = start(server, inbox)

    server.http.post(f"/v1/predictions/{identifier}/cancel").raise_for_status()
    [webhook] = inbox.wait(1)

    assert json.loads(webhook.body)["status"] == "canceled"


def test_an_aborted_prediction_tells_nothing(inbox: Receiver) -> None:
    with stand_in(deadline_scale=0.01) as server:
        server.control.faults(PredictionSlow(starting=30))
        body = {"version": SCHNELL, "input": SMALL, "webhook": inbox.url}
        created = server.post("/predictions", body, Cancel_After="5").json()

        assert server.finish(created["id"])["status"] == "aborted"
        assert server.control.prediction(created["id"]).deliveries == []


def test_drop(server: StandIn, inbox: Receiver) -> None:
    server.control.faults(WebhookFault(kind="drop", events=["completed"]))
    identifier = start(server, inbox)

    assert published(server, identifier) == ["output", "completed"]
    assert statuses(inbox) == ["processing"]
    dropped = server.control.prediction(identifier).deliveries[-1]
    assert (dropped.status_code, dropped.error) == (None, "dropped by a fault rule")


def test_duplicate(server: StandIn, inbox: Receiver) -> None:
    server.control.faults(WebhookFault(kind="duplicate", copies=2, events=["completed"]))
    start(server, inbox)

    sent = inbox.wait(4)[1:]

    assert statuses(inbox) == ["processing"] + ["succeeded"] * 3
    assert len({webhook.headers["webhook-id"] for webhook in sent}) == 1


def test_delay(server: StandIn, inbox: Receiver) -> None:
    server.control.faults(WebhookFault(kind="delay", seconds=0.5, events=["completed"]))
    identifier = start(server, inbox, ["completed"])

    server.finish(identifier)
    assert inbox.received == []

    inbox.wait(1)


def test_reorder(server: StandIn, inbox: Receiver) -> None:
    server.control.faults(WebhookFault(kind="reorder"))
    start(server, inbox, ["start", "completed"])

    inbox.wait(2)

    assert statuses(inbox) == ["succeeded", "processing"]


def test_forge(server: StandIn, inbox: Receiver) -> None:
    server.control.faults(WebhookFault(kind="forge"))
    start(server, inbox, ["completed"])

    [webhook] = inbox.wait(1)

    with pytest.raises(WebhookVerificationError, match="matching signature"):
        Webhook(SECRET).verify(webhook.body, webhook.headers)


def test_stale(server: StandIn, inbox: Receiver) -> None:
    server.control.faults(WebhookFault(kind="stale", seconds=3600))
    start(server, inbox, ["completed"])

    [webhook] = inbox.wait(1)

    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(webhook.body, webhook.headers)


def test_early(server: StandIn, inbox: Receiver) -> None:
    server.control.faults(WebhookFault(kind="early"))

    created = server.create(SCHNELL, input=SMALL, webhook=inbox.url)

    assert statuses(inbox) == ["processing", "succeeded"]
    assert created["status"] == "starting"
    assert json.loads(inbox.received[1].body)["id"] == created["id"]


def test_faults_strike_whom_they_are_meant_for(server: StandIn) -> None:
    drop = {"fault": "webhook", "kind": "drop"}
    rules: list[dict[str, Any]] = [
        {**drop, "match": {"prompt": "fox"}},
        {**drop, "match": {"model": "stability-ai/sdxl"}},
    ]
    server.http.put("/_control/faults", json={"rules": rules}).raise_for_status()

    with receiver() as inbox:
        fox = server.create(SCHNELL, input={**SMALL, "prompt": "a red fox"}, webhook=inbox.url)
        lake = start(server, inbox)
        published(server, fox["id"])
        published(server, lake)

    assert {json.loads(webhook.body)["id"] for webhook in inbox.received} == {lake}
    assert [rule["struck"] for rule in server.control.rules()] == [1, 0]
