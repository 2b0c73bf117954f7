"""The use cases of services/pacing."""

from datetime import timedelta
from functools import cache
from time import sleep
from typing import TYPE_CHECKING

from vsl.runtime import observability, wiring
from vsl.runtime.settings import settings
from vsl.runtime.use_cases import waiting

if TYPE_CHECKING:
    from vsl.services.pacing.await_slot import AwaitSlot
    from vsl.services.pacing.dispatch_queue import DispatchQueue
    from vsl.services.pacing.join_queue import JoinQueue
    from vsl.services.pacing.reserve_slot import ReserveSlot
    from vsl.services.pacing.wake_queued import WakeQueued


@cache
def reserve_slot() -> "ReserveSlot":
    from vsl.services.pacing.reserve_slot import ReserveSlot

    return ReserveSlot(wiring.slots(), wiring.clock)


@cache
def await_slot() -> "AwaitSlot":
    from vsl.services.pacing.await_slot import AwaitSlot

    return AwaitSlot(
        tracking=wiring.tracking_store(),
        slots=wiring.slots(),
        limits=wiring.rate_limits(),
        tokens=wiring.task_tokens(),
        clock=wiring.clock,
        join_queue=join_queue(),
        complete_wait=waiting.complete_wait(),
        longest=timedelta(seconds=settings().queue_wait_seconds),
    )


@cache
def dispatch_queue() -> "DispatchQueue":
    from vsl.services.pacing.dispatch_queue import DispatchQueue

    return DispatchQueue(
        tracking=wiring.tracking_store(),
        slots=wiring.slots(),
        clock=wiring.clock,
        metrics=observability.metrics,
        wake=wake_queued(),
        join_queue=join_queue(),
        sleep=sleep,
    )


@cache
def join_queue() -> "JoinQueue":
    from vsl.adapters.aws.lambdas import invoke_later
    from vsl.services.pacing.join_queue import JoinQueue

    return JoinQueue(
        tracking=wiring.tracking_store(),
        slots=wiring.slots(),
        clock=wiring.clock,
        wake=wake_queued(),
        call_dispatcher=lambda: invoke_later(settings().dispatch_function, {}),
    )


@cache
def wake_queued() -> "WakeQueued":
    from vsl.services.pacing.wake_queued import WakeQueued

    return WakeQueued(
        wiring.tracking_store(), wiring.task_tokens(), wiring.rate_limits(), wiring.clock
    )
