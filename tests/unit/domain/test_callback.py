"""When a client is called, what its answer means, and whose signature it gets."""

import base64
import itertools
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from vsl.domain.callbacks.callback import (
    ATTEMPTS,
    SCHEDULE,
    THE_END,
    THE_START,
    CallbackOutcome,
    Reply,
    classify_reply,
    delay_after,
    event_of,
    signed_headers,
    user_secrets,
)
from vsl.domain.errors import ConfigurationError
from vsl.domain.jobs.job import CallbackEvent

OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in (1, 2))
BODY = b'{"jobId":"j"}'
# The longest that SQS keeps a received message invisible.
TWELVE_HOURS = 43_200


def reply(status: int | None) -> Reply:
    return Reply(status, None if status else "refused", None, 1)


def test_the_schedule_is_that_of_standard_webhooks_authors() -> None:
    assert list(itertools.accumulate(SCHEDULE[1:4])) == [5, 305, 2105]
    assert [delay_after(n) for n in range(1, ATTEMPTS + 1)] == [*SCHEDULE[1:], None]
    assert max(SCHEDULE) < TWELVE_HOURS
    assert 27 * 3600 < sum(SCHEDULE) < 28 * 3600


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert (
        classify_reply(reply(status), 1)
        is classify_reply(reply(status), ATTEMPTS)
        is CallbackOutcome.DELIVERED
    )


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 308, 400, 401, 404, 429, 500, 503])
def test_anything_else_is_tried_again_and_at_last_given_up(status: int | None) -> None:
    assert classify_reply(reply(status), ATTEMPTS - 1) is CallbackOutcome.FAILED
    assert classify_reply(reply(status), ATTEMPTS) is CallbackOutcome.EXHAUSTED


def test_410_wants_to_hear_no_more() -> None:
    assert classify_reply(reply(410), 1) is CallbackOutcome.GONE
    assert CallbackOutcome.GONE.settled


def headers(configured: str, user: str = "ann") -> dict[str, str]:
    return signed_headers(
        "j", CallbackEvent.ENDED, datetime.now(UTC), BODY, user_secrets(configured, user)
    )


def test_the_library_of_standard_webhooks_takes_the_signature() -> None:
    (secret,) = user_secrets(NEW, "ann")
    assert Webhook(secret).verify(BODY, headers(NEW)) == {"jobId": "j"}
    assert headers(NEW)["webhook-id"] == "msg_j"


def test_while_rotating_old_and_new_secret_verify() -> None:
    given = headers(f"{NEW}, {OLD}")
    for secret in user_secrets(f"{NEW},{OLD}", "ann"):
        assert Webhook(secret).verify(BODY, given)
    assert user_secrets(f"{NEW},{OLD}", "ann") == [
        *user_secrets(NEW, "ann"),
        *user_secrets(OLD, "ann"),
    ]


@pytest.mark.parametrize("configured", [f"whsec_!!!!,{NEW}", f"{NEW}\nwhsec_c2hvcnQ=", f'"{NEW}"'])
def test_one_bad_secret_of_several_stops_no_callback(configured: str) -> None:
    assert user_secrets(configured, "ann") == user_secrets(NEW, "ann")


@pytest.mark.parametrize("stranger", ["bob", "Ann", "ann:", ""])
def test_no_user_can_sign_for_another(stranger: str) -> None:
    (secret,) = user_secrets(NEW, stranger)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers(NEW))


@pytest.mark.parametrize("configured", ["whsec_", "whsec_!!!!", "short", "whsec_c2hvcnQ="])
def test_a_weak_or_malformed_secret_is_a_fault_of_the_deployment(configured: str) -> None:
    with pytest.raises(ConfigurationError, match="callback-signing-secret"):
        user_secrets(configured, "ann")


def test_each_event_is_a_message_of_its_own() -> None:
    started = signed_headers("j", CallbackEvent.STARTED, datetime.now(UTC), BODY, [NEW])
    assert started["webhook-id"] == "msg_j_started"
    assert event_of(THE_START) is CallbackEvent.STARTED
    assert event_of(THE_END) is event_of("a-replay") is CallbackEvent.ENDED
