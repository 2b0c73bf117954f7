"""Dead-letter queues: asynchronous calls that failed for good, callbacks that were not delivered."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from cli.doctor.findings import Finding, Scope
from cli.doctor.site import Site

_RUNBOOK = "docs/operations.md#messages-in-a-dead-letter-queue"
_BY_HAND = ("failed-polls", "failed-repairs")
_CALLBACKS, _DEAD_CALLBACKS = "callbacks", "callbacks-dead"
_BATCH = 10


def given_up(site: Site, scope: Scope) -> Iterator[Finding]:
    """Queues with messages that are not tried again."""
    for name in (*_BY_HAND, _DEAD_CALLBACKS):
        url = site.queue(name)
        count = _messages(site, url)
        if not count:
            continue
        callbacks = name == _DEAD_CALLBACKS
        yield Finding(
            check="messages given up",
            subject=name,
            what=f"{count} {'message' if count == 1 else 'messages'} that are not tried again",
            advice="" if callbacks else f"Correct the cause, then delete them: {_RUNBOOK}",
            cure=partial(_put_back, site, url, min(count, scope.limit)) if callbacks else None,
        )


def _messages(site: Site, url: str) -> int:
    name = "ApproximateNumberOfMessages"
    found = site.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(found["Attributes"][name])


def _put_back(site: Site, dead: str, most: int) -> str:
    """Sent before it is deleted. What a client has been told, or told often enough, ends there."""
    queue, moved = site.queue(_CALLBACKS), 0
    while moved < most:
        messages: list[Any] = site.sqs.receive_message(
            QueueUrl=dead, MaxNumberOfMessages=min(_BATCH, most - moved)
        ).get("Messages", [])
        if not messages:
            break
        for message in messages:
            site.sqs.send_message(QueueUrl=queue, MessageBody=message["Body"])
            site.sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        moved += len(messages)
    return f"{moved} put back: what our own fault held up is delivered now, the rest is over"
