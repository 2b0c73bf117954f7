"""The use cases of `services.callbacks`."""

from functools import cache
from typing import TYPE_CHECKING

from vsl.runtime import observability, wiring

if TYPE_CHECKING:
    from vsl.services.callbacks.deliver_callback import DeliverCallback
    from vsl.services.callbacks.get_webhook_secret import GetWebhookSecret
    from vsl.services.callbacks.list_callbacks import ListCallbacks
    from vsl.services.callbacks.publish_start import PublishStart
    from vsl.services.callbacks.replay_callback import ReplayCallback


@cache
def deliver_callback() -> "DeliverCallback":
    from vsl.runtime.use_cases.compat import prediction_webhook
    from vsl.services.callbacks.deliver_callback import DeliverCallback
    from vsl.services.reading.show_status import ShowStatus

    return DeliverCallback(
        repository=wiring.job_repository(),
        log=wiring.callback_log(),
        post=wiring.callback_sender(),
        show=ShowStatus(wiring.signer()),
        secret=wiring.callback_secret,
        clock=wiring.clock,
        metrics=observability.metrics,
        own_shape=prediction_webhook(),
    )


@cache
def publish_start() -> "PublishStart":
    from vsl.services.callbacks.publish_start import PublishStart

    return PublishStart(wiring.lazily(wiring.event_publisher))


@cache
def list_callbacks() -> "ListCallbacks":
    from vsl.services.callbacks.list_callbacks import ListCallbacks

    return ListCallbacks(wiring.callback_log())


@cache
def replay_callback() -> "ReplayCallback":
    from vsl.services.callbacks.replay_callback import ReplayCallback

    return ReplayCallback(wiring.callback_log(), wiring.event_publisher())


@cache
def get_webhook_secret() -> "GetWebhookSecret":
    from vsl.services.callbacks.get_webhook_secret import GetWebhookSecret

    return GetWebhookSecret(wiring.callback_secret)
