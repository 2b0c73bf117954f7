"""What the functions have written (CloudWatch of the engine) and the processes (files)."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devstack.engine import client_config, session
from vsl.domain.jobs.job import iso

_POLL_SECONDS = 1.0


class LogNotFoundError(LookupError):
    """There is neither a function nor a process of that name; the message lists what there is."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """`source` is a function's folder or a process; only functions' lines have a time of their own."""

    source: str
    message: str
    at: datetime | None = None

    def text(self, *, alone: bool) -> str:
        """For people; `alone`: all lines are of one source, so it need not be named."""
        if self.at is None:
            return self.message
        moment = self.at.strftime("%H:%M:%S.%f")[:-3]
        return f"{moment} {self.message}" if alone else f"{moment} {self.source:<18} {self.message}"

    def document(self) -> dict[str, str | None]:
        return {
            "at": None if self.at is None else iso(self.at),
            "source": self.source,
            "message": self.message,
        }


def lines(stack: Mapping[str, Any], name: str | None, *, follow: bool) -> Iterator[LogLine]:
    """Lines, oldest first: of one function or process, or of all functions.

    A function goes by its folder (`submit_prediction`), its resource or its deployed name.
    """
    functions = {_folder(physical): physical for physical in stack["functions"].values()}
    files = {path.stem: path for path in _files(stack)}
    if name is None:
        return _cloudwatch(stack, functions, follow=follow)
    known = dict(functions)
    for resource, physical in stack["functions"].items():
        known |= dict.fromkeys((physical, resource, resource.removesuffix("Function")), physical)
    if physical := known.get(name) or known.get(name.replace("-", "_")):
        return _cloudwatch(stack, {_folder(physical): physical}, follow=follow)
    if name in files:
        return _file(files[name], follow=follow)
    choices = ", ".join([*sorted(functions), *sorted(files)])
    raise LogNotFoundError(f"Nothing is called {name!r}. There are: {choices}.")


def _folder(function_name: str) -> str:
    """`vsl-local-submit-prediction` → `submit_prediction`."""
    return function_name.removeprefix("vsl-local-").replace("-", "_")


def _files(stack: Mapping[str, Any]) -> list[Path]:
    state = Path(stack["state"])
    beside = [state / "postgres.log", state / "valkey" / "valkey.log"]
    return [*Path(stack["logs"]).glob("*.log"), *(path for path in beside if path.exists())]


def _cloudwatch(
    stack: Mapping[str, Any], functions: Mapping[str, str], *, follow: bool
) -> Iterator[LogLine]:
    client = session().client("logs", endpoint_url=stack["awsEndpointUrl"], config=client_config())
    seen: set[tuple[str, str, int]] = set()
    since = 0
    while True:
        found = []
        for folder, physical in functions.items():
            for event in _events(client, f"/aws/lambda/{physical}", since):
                key = (folder, str(event.get("eventId") or event["message"]), event["timestamp"])
                if key not in seen:
                    seen.add(key)
                    found.append((event["timestamp"], folder, event["message"].rstrip()))
        for timestamp, folder, message in sorted(found, key=lambda event: event[0]):
            yield LogLine(folder, message, datetime.fromtimestamp(timestamp / 1000, UTC))
            since = max(since, timestamp - 2000)  # the same moment may bring more
        if not follow:
            return
        time.sleep(_POLL_SECONDS)


def _events(client: Any, group: str, since: int) -> Iterator[Any]:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
    try:
        for page in pages:
            yield from page["events"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise


def _file(path: Path, *, follow: bool) -> Iterator[LogLine]:
    with path.open(errors="replace") as source:
        while True:
            line = source.readline()
            if line:
                yield LogLine(path.stem, line.rstrip("\n"))
            elif follow:
                time.sleep(_POLL_SECONDS / 4)
            else:
                return
