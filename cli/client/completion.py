"""What the Tab key offers: the models and jobs of the deployment the command is for.

A shell waits for the answer, so nothing is asked twice or for long. A deployment that does not answer
offers nothing: an error would be printed into the middle of a line.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cli.client.api import Api
from cli.client.errors import CommandError
from cli.client.reference import LAST
from cli.client.target import resolve

_SECONDS = 2.0
_NEWEST = 20

Given = Mapping[str, Any]  # the command line so far, by the names of its parameters
Offers = list[tuple[str, str]]  # words, each with what it means


def model_ids(given: Given, incomplete: str) -> Offers:
    return [
        (model["modelId"], model["description"])
        for model in _asked(given, lambda api: api.models())
        if model["modelId"].startswith(incomplete)
    ]


def job_ids(given: Given, incomplete: str) -> Offers:
    jobs = _asked(
        given, lambda api: api.page_of_jobs(userId=api.target.user, limit=_NEWEST)["jobs"]
    )
    newest = [(LAST, "the newest")] if jobs else []
    told = [(job["jobId"], f"{job['modelId']} {job['status']}") for job in jobs]
    return [offer for offer in newest + told if offer[0].startswith(incomplete)]


def _asked[Found](given: Given, question: Callable[[Api], list[Found]]) -> list[Found]:
    state, stage, user = (given.get(name) for name in ("state", "stage", "user"))
    try:
        with Api(resolve(Path(state) if state else None, stage, user), _SECONDS, patience=0) as api:
            return question(api)
    except (CommandError, OSError):
        return []
