"""No log holds a prompt, a token, a secret or a signature, whatever went wrong on the way.

Everything that was logged since the stack was started is read, by whichever tests: they share it. What
a function logs goes to CloudWatch Logs; the servers beside it write files.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import logs
from tests.support.permission_coverage import Usage
from tests.support.stack import Stack

# A whole run on a busy machine.
pytestmark = pytest.mark.e2e

# Whatever it is worth, these parts of it are in no log.
TELLING = ("X-Amz-Signature=", "X-Amz-Security-Token=", "whsec_", "Bearer r8_", "x-amz-signature")
# By their names in the stack's document.
SECRETS = ("replicateToken", "webhookSecret", "callbackSecret", "ownerNameSecret")
# The provider's own, and it is not ours: the stand-in alone.
THEIRS = {"replicate.log"}


@pytest.fixture(scope="module")
def written(usage: Usage) -> dict[str, list[str]]:
    """Lines by where they stand."""
    document = usage.stack.document
    files = [path for path in log_files(usage.stack) if path.name not in THEIRS]
    found = {path.name: path.read_text(errors="replace").splitlines() for path in files}
    return {
        **found,
        "functions": [line.message for line in logs.lines(document, None, follow=False)],
    }


def log_files(stack: Stack) -> Iterator[Path]:
    state = Path(stack.document["state"])
    yield from Path(stack.document["logs"]).glob("*.log")
    yield from (
        path for path in (state / "postgres.log", state / "valkey/valkey.log") if path.exists()
    )


def test_there_is_something_to_look_at(written: dict[str, list[str]]) -> None:
    """And it speaks of what went wrong: the scan would find nothing in silence, either."""
    assert {"gateway.log", "engine.log", "supervisor.log", "functions"} <= written.keys()
    functions = "\n".join(written["functions"])
    for words in ("InvalidParameters", "InvalidSignature", "JobNotFound", "callback"):
        assert words in functions, words


def test_no_word_that_is_nobodys_business(usage: Usage, written: dict[str, list[str]]) -> None:
    document = usage.stack.document
    secrets = {
        **usage.secrets,
        "configured": {document[n] for n in SECRETS},
    }
    assert {"prompt", "task token", "signature", "secret", "idempotency key"} <= secrets.keys()
    found = [
        (kind, where, line[:300])
        for where, lines in written.items()
        for line in lines
        for kind, words in secrets.items()
        if any(word in line for word in words)
    ]
    assert found == []


def test_no_part_of_an_address_that_opens_anything(written: dict[str, list[str]]) -> None:
    found = [
        (part, where, line[:300])
        for where, lines in written.items()
        for line in lines
        for part in TELLING
        if part in line
    ]
    assert found == []
