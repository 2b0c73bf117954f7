"""What clients of OpenAI's API are answered: models, and images by address or as they are."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from vsl.domain.catalogue.models import Model
from vsl.domain.errors import InvalidRequest

# Lambda's answer ends at 6 MB (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
# A body is text within the answer's JSON, whose quotes are escaped there; base64 has none.
MOST_ANSWER_BYTES: Final = 6 * 1024**2 - 64 * 1024
_OWNER = "vsl"


def model_card(name: str, model: Model) -> dict[str, Any]:
    """`name` is the model's id or an alias of it. When it was made, only an entry with a source tells."""
    read_at = model.source.read_at if model.source is not None else None
    created = datetime.fromisoformat(read_at).replace(tzinfo=UTC) if read_at else None
    return {
        "id": name,
        "object": "model",
        "created": int(created.timestamp()) if created else 0,
        "owned_by": model.reference.partition("/")[0] or _OWNER,
    }


def model_list(cards: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "data": list(cards)}


def fits(sizes: Sequence[int]) -> bool:
    """Whether files of these many bytes fit into one answer."""
    return _encoded(sizes) <= MOST_ANSWER_BYTES


def too_large(sizes: Sequence[int], job_id: str) -> InvalidRequest:
    message = (
        f"must be url: the images have {_encoded(sizes):,} bytes in base64, and an answer may have"
        f" {MOST_ANSWER_BYTES:,}. They are kept: GET /jobs/{job_id} has their addresses"
    )
    return InvalidRequest.of([("response_format", message)])


def as_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _encoded(sizes: Sequence[int]) -> int:
    return sum(4 * -(-size // 3) for size in sizes)
