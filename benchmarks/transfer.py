"""From the provider's file to S3: throughput and memory of StoreMedia's path beside what copies bytes.

All read from one loopback server (zeros made as they are sent) and write to one sink that speaks
S3's PUT and multipart and throws the bytes away, so that neither end is what is measured.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.measure import Result, interleaved, median, mib, progress, times
from benchmarks.sink import s3_sink
from tests.support.file_server import file_server
from tests.support.template import REPOSITORY

MIB = 1024**2
SIZES = (1 * MIB, 16 * MIB, 256 * MIB, 2048 * MIB)
ROUNDS = {1 * MIB: 5, 16 * MIB: 5, 256 * MIB: 3, 2048 * MIB: 1}
HEAD = b"\x00\x00\x00\x18ftypmp42"

_UPLOAD_FILEOBJ = """
import sys, time, boto3, urllib.request
from botocore.config import Config
url, endpoint = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"}))
began = time.perf_counter()
with urllib.request.urlopen(url) as response:
    s3.upload_fileobj(response, "media", "fileobj")
print(time.perf_counter() - began)
"""


def run(*, quick: bool = False) -> Result:
    result = Result(
        "transfer",
        "Transfer of one file from the provider to S3",
        [
            "size",
            "StoreMedia",
            "curl to curl",
            "aws s3 cp -",
            "upload_fileobj",
            "x curl",
            "x curl, running",
            "memory",
        ],
    )
    sizes = SIZES[:1] if quick else SIZES
    ratios, growth = {}, {}
    with file_server() as files, s3_sink() as sink, tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": sink,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
            "AWS_DEFAULT_REGION": "us-east-1",
            "HOME": folder,
        }
        for size in sizes:
            names = count()

            def fresh(size: int = size, names: Iterator[int] = names) -> str:
                """An address of its own: the same one again would find the file stored already."""
                return files.stream(f"/{size}-{next(names)}.mp4", HEAD, size - len(HEAD))

            memory: list[int] = []
            running: list[float] = []
            with progress(mib(size)):
                taken = interleaved(
                    1 if quick else ROUNDS[size],
                    _candidates(fresh, sink, environment, memory, running, size),
                )
            ours = median(memory_less(taken["ours"], memory))
            pipe = median(taken["curl"])
            ratios[size], growth[size] = pipe / ours, max(each for each in memory[1::2])
            result.row(
                mib(size),
                rate(size, ours),
                rate(size, pipe),
                rate(size, median(taken["aws"])) if "aws" in taken else "-",
                rate(size, median(taken["fileobj"])),
                times(ratios[size]),
                times(median(running) / ours),
                f"+{mib(growth[size])}",
            )
    for size in sizes:
        result.goal(f"{mib(size)}: throughput beside curl to curl, SHA-256 included",
                    ratios[size], 0.6, at_least=True)  # fmt: skip
    result.goal("growth of memory at any size, MiB", max(growth.values()) / MIB, 32)
    result.notes.append(
        "StoreMedia's time is that of one output in a warm process, with its notes and its look into"
        " the file; the others' include their start, as a person waits for it, which counts at 1 MiB"
        " and not at 256. `running` takes curl's own clock instead, which begins when it has started."
        " `aws s3 cp -` reads a pipe from curl."
    )
    result.data["ratios"] = {str(size): ratio for size, ratio in ratios.items()}
    return result


def memory_less(_wall: list[float], memory: list[int]) -> list[float]:
    """The seconds the child measured itself, kept in millionths beside its memory."""
    return [each / 1e6 for each in memory[0::2]]


def rate(size: int, seconds: float) -> str:
    return f"{size / MIB / seconds:.0f} MiB/s"


def _candidates(
    fresh: Callable[[], str],
    sink: str,
    environment: dict[str, str],
    memory: list[int],
    running: list[float],
    size: int,
) -> dict[str, Callable[[], object]]:
    def ours() -> None:
        done = _run([sys.executable, "-m", "tests.support.measure_store", fresh(), sink, "media"],
                    environment)  # fmt: skip
        told = json.loads(done)
        memory.extend((int(told["seconds"] * 1e6), told["peak"] - told["baseline"]))

    def shell(command: str) -> str:
        return _run(["bash", "-c", f"set -o pipefail; {command}"], environment)

    def curl() -> None:
        put = f"curl -s -o /dev/null -w '%{{time_total}}' -T - -X PUT {sink}/media/curl"
        running.append(float(shell(f"curl -s {url} | {put}")))

    url = fresh()
    aws = Path(sys.executable).with_name("aws")
    found: dict[str, Callable[[], object]] = {
        "ours": ours,
        "curl": curl,
        "fileobj": lambda: _run([sys.executable, "-c", _UPLOAD_FILEOBJ, url, sink], environment),
    }
    if aws.exists() and shutil.which("curl"):
        copy = f"{sys.executable} {aws} s3 cp --expected-size {size} - s3://media/aws"
        found["aws"] = partial(shell, f"curl -s {url} | {copy}")
    return found


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stderr[-1500:]}")
    return done.stdout
