"""The local AWS engine: ministack in an environment of its own, on one port of 127.0.0.1.

It plays DynamoDB, S3, SSM, SQS, EventBridge, CloudWatch, Lambda, Step Functions and
CloudFormation. What it does differently from AWS is listed, each with a test, in
tests/integration/test_engine_*.py.
"""

import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from devstack.paths import REPOSITORY, python_of
from devstack.processes import minimal_environment
from devstack.servers.process import Process, spawn, stop, tail

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config

REGION = "us-east-1"
ACCOUNT = "000000000000"
_READY_SECONDS = 30.0


class EngineFailedError(RuntimeError):
    """The engine did not come up; the message holds the end of its log."""


class Engine:
    """One instance. Everything it writes is below `folder`, which may be deleted after `stop`, but for
    its log and the record of `calls` (devstack/engine_process.py)."""

    def __init__(self, folder: Path, port: int, log: Path, calls: Path | None = None) -> None:
        self._folder = folder
        self._calls = calls or folder / "calls.jsonl"
        self._log = log
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.process: Process | None = None

    def start(self) -> None:
        """Start and wait until it answers. Raises EngineFailedError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.process = spawn(
            [python_of("engine"), REPOSITORY / "devstack" / "engine_process.py", self._calls],
            self._log,
            env=self._environment(),
            cwd=self._folder,
        )
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise EngineFailedError(f"The AWS engine did not start.\n{tail(self._log)}")
            time.sleep(0.03)

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process)

    def _environment(self) -> dict[str, str]:
        """A clean one: the engine hands its whole environment on to every function."""
        return {
            **minimal_environment(self._folder),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "STATE_DIR": str(self._folder / "state"),
            "S3_DATA_DIR": str(self._folder / "s3"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DOCKER_HOST": "unix:///nonexistent",
            "LAMBDA_WARM_TTL_SECONDS": "60",
        }

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/ready", timeout=1) as answer:  # noqa: S310  # nosec B310 # our own address
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def session() -> "Session":
    """A boto3 session with the engine's dummy credentials, whatever the environment holds."""
    import boto3  # noqa: PLC0415

    return boto3.session.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the engine knows it as root's
        region_name=REGION,
    )


def client_config(read_timeout: float = 60.0, connections: int = 50) -> "Config":
    """No host prefixes (`sync-` cannot precede 127.0.0.1), path-style buckets, no hidden retries."""
    from botocore.config import Config  # noqa: PLC0415

    return Config(
        inject_host_prefix=False,
        connect_timeout=5,
        read_timeout=read_timeout,
        max_pool_connections=connections,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
