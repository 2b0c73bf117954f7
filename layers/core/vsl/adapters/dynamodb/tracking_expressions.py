"""Parts of update expressions that several writes of a tracking item share."""

from datetime import datetime
from typing import Any

from vsl.adapters.dynamodb.tracking_item import milliseconds, shard

# Into the in-flight index, unless the item is in it.
IN_FLIGHT = (
    "inFlightShard = if_not_exists(inFlightShard, :shard),"
    " nextCheckAt = if_not_exists(nextCheckAt, :next)"
)


def in_flight_values(job_id: str, next_check_at: datetime) -> dict[str, Any]:
    return {":shard": shard(job_id), ":next": milliseconds(next_check_at)}
