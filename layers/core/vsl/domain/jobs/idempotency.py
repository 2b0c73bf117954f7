"""An Idempotency-Key and the job it stands for.

A key is bound once its job was created, whatever kept earlier requests from getting there: until then
it is only claimed, for as long as a request may be on its way. So a refusal binds nothing, a request
that died binds nothing, and the same key may become a new job with a new id and a new deadline.

| state | means | lasts |
|---|---|---|
| `claimed` | a request with this key is looked at; another takes the same jobId | `CLAIM_SECONDS` |
| `creating` | its job is being written down | `CLAIM_SECONDS`, from then on |
| `created` | the job is there, or was and is deleted | `KEPT_SECONDS` |
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self, TypedDict

# Longer than a request is on its way at the API: the machine's limit, and a step's that began in its
# last moment (a test compares).
CLAIM_SECONDS = 60
KEPT_SECONDS = 24 * 3600
MAX_IDEMPOTENCY_KEY = 255
IDEMPOTENCY_KEY = "Idempotency-Key"
KEY_RULE = f"must be 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters"
# What is beyond ASCII in a header has no agreed meaning.
_KEY = re.compile(rf"[ -~]{{1,{MAX_IDEMPOTENCY_KEY}}}")


def is_key(value: object) -> bool:
    return isinstance(value, str) and _KEY.fullmatch(value) is not None


class KeyState(StrEnum):
    CLAIMED = "claimed"
    CREATING = "creating"
    CREATED = "created"


class KeyDocument(TypedDict):
    id: str
    bodyHash: str


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """Where the key is kept, as hashes of key and body: nothing of the request itself."""

    id: str
    body_hash: str

    def document(self) -> KeyDocument:
        return {"id": self.id, "bodyHash": self.body_hash}

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self | None:
        return cls(document["id"], document["bodyHash"]) if document else None


@dataclass(frozen=True, slots=True)
class Claim:
    """What is kept under a key for a request that came with it."""

    record: KeyRecord
    job_id: str
    created: bool


def kept_data(job_id: str, state: KeyState) -> dict[str, str]:
    """All that is kept of a job under its key."""
    return {"jobId": job_id, "state": state.value}


def kept_text(job_id: str, state: KeyState) -> str:
    """The same as it is written, to the letter: conditions compare it."""
    return json.dumps(kept_data(job_id, state), sort_keys=True)
