"""The files of a job, on this machine: resumed, checked, and there whole or not at all."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from cli.client.api import Api
from cli.client.errors import CommandError, Exit
from cli.client.formatting import SHORT
from vsl_client.network import trusts_environment

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_TRIES = 3
_CHUNK = 1 << 18
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")

type Report = Callable[[int], None]


def file_names(status: Mapping[str, Any]) -> list[str]:
    """`{model}-{job}.webp`, with the suffix of the stored file; of several outputs with a number."""
    outputs = status["outputs"]
    stem = f"{status['modelId']}-{status['jobId'][:SHORT]}"
    several = len(outputs) > 1
    return [
        f"{stem}{f'-{number}' if several else ''}{_suffix(output['s3Path'])}"
        for number, output in enumerate(outputs)
    ]


def download(
    api: Api, status: Mapping[str, Any], folder: Path, report: Report = lambda _bytes: None
) -> list[dict[str, Any]]:
    """Every output into `folder`; `report` hears of each piece. What is there already stays.

    Raises CommandError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made: {error.strerror}"
        raise CommandError(
            "FolderNotWritable", message, Exit.FAILED, "Choose another with -o."
        ) from error
    found = []
    for number, name in enumerate(file_names(status)):
        output, path = status["outputs"][number], folder / name
        complete = path.exists() and _sha256(path) == output["sha256"]
        if not complete:
            _fetch(_addresses(api, status, number), output, path, report)
        found.append(
            {
                "file": str(path),
                "bytes": path.stat().st_size,
                "sha256": output["sha256"],
                "fetched": not complete,
            }
        )
    return found


def _addresses(api: Api, status: Mapping[str, Any], number: int) -> Iterator[str]:
    """The signed address, then fresh ones: they expire."""
    yield str(status["outputs"][number]["originalUrl"])
    for _ in range(_TRIES - 1):
        yield str(api.status(str(status["jobId"]))["outputs"][number]["originalUrl"])


def _fetch(addresses: Iterator[str], output: Mapping[str, Any], path: Path, report: Report) -> None:
    """What an earlier attempt left is gone on with; a whole file that is not ours is fetched anew."""
    part = path.with_name(f".{path.name}.{output['sha256'][:12]}.part")
    trouble = ""
    for address in addresses:
        try:
            _append(address, part, report)
        except httpx.HTTPError as error:
            trouble = str(error) or type(error).__name__
            continue
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}"
            raise CommandError(
                "FileNotWritable", message, Exit.FAILED, "Is the disk full?"
            ) from error
        if part.stat().st_size == output["fileSize"] and _sha256(part) == output["sha256"]:
            part.rename(path)
            return
        trouble = "what arrived is not the file that was stored (SHA-256 or size)"
        part.unlink()
    message = f"{path.name} could not be downloaded: {trouble}."
    hint = "Run the same command again: it goes on where this one stopped."
    raise CommandError("DownloadFailed", message, Exit.UNAVAILABLE, hint)


def _append(address: str, part: Path, report: Report) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    trusting = trusts_environment(address)
    with httpx.stream(
        "GET", address, headers=headers, timeout=_TIMEOUT, trust_env=trusting
    ) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is here
        answer.raise_for_status()
        goes_on = answer.status_code == httpx.codes.PARTIAL_CONTENT
        with part.open("ab" if goes_on else "wb") as target:
            report(have if goes_on else 0)
            for piece in answer.iter_bytes(_CHUNK):
                target.write(piece)
                report(len(piece))


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _suffix(path: str) -> str:
    found = _SUFFIX.search(path)
    return found[0] if found else ".bin"
