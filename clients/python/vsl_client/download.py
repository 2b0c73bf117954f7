"""The files of a finished job. Their addresses are signed: no key of the API goes there."""

import hashlib
import mimetypes
import time
from pathlib import Path, PurePosixPath

import httpx

from vsl_client.errors import VslError
from vsl_client.network import trusts_environment
from vsl_client.types import JobStatus, Output

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_TRIES = 4
_PAUSE = 0.5


def read(output: Output) -> bytes:
    """The content of one file, checked against its SHA-256. Raises VslError."""
    answer = _get(output["originalUrl"])
    if not answer.is_success:
        message = (
            f"the store answered {answer.status_code}; ask for the status anew, addresses expire"
        )
        raise VslError("DownloadFailed", message, status=answer.status_code)
    if hashlib.sha256(answer.content).hexdigest() != output["sha256"]:
        raise VslError("ChecksumMismatch", f"{output['s3Path']} is not what its SHA-256 says")
    return answer.content


def _get(url: str) -> httpx.Response:
    for tried in range(_TRIES):
        last = tried == _TRIES - 1
        try:
            answer = httpx.get(url, timeout=_TIMEOUT, trust_env=trusts_environment(url))
        except httpx.TransportError as error:
            if last:
                raise VslError("DownloadFailed", f"the file did not arrive: {error!r}") from error
        else:
            if answer.status_code < 500 or last:
                return answer
        time.sleep(_PAUSE * 2**tried)
    raise AssertionError("the last try returns or raises")


def save(job: JobStatus, folder: Path) -> list[Path]:
    """All files of the job, as `<jobId>-<number>` with their suffix; a name stands for a whole file."""
    folder.mkdir(parents=True, exist_ok=True)
    saved = []
    for number, output in enumerate(job["outputs"]):
        content = read(output)
        path = folder / f"{job['jobId']}-{number}{_suffix(output)}"
        part = path.with_name(path.name + ".part")
        part.write_bytes(content)
        part.replace(path)
        saved.append(path)
    return saved


def _suffix(output: Output) -> str:
    suffix = PurePosixPath(output["s3Path"]).suffix
    return suffix or mimetypes.guess_extension(output["contentType"]) or ""
