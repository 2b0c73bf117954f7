"""The local AWS engine: ministack in an environment of its own, on one port of 127.0.0.1.

It plays DynamoDB, S3, SSM, SQS, EventBridge, CloudWatch, Lambda, Step Functions and
CloudFormation. What it does differently from AWS is listed, each with a test, in
tests/integration/test_engine_*.py.
"""

import contextlib
import http.client
from pathlib import Path
from typing import TYPE_CHECKING

from devstack.hosting.fork_servers import WARM
from devstack.paths import LAYER_CORE, REPOSITORY, python_of
from devstack.processes import minimal_environment
from devstack.servers.process import Process, spawn
from devstack.servers.server import Server

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config

REGION = "us-east-1"
ACCOUNT = "000000000000"


def unchecked_signature(service: str) -> str:
    """An Authorization header: the engine takes the keys of its root account without looking further."""
    scope = f"test/20260101/{REGION}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"


class Engine(Server):
    """One instance. Everything it writes is below `folder`, which may be deleted after `stop`, but for
    its log, the record of `calls` (devstack/engine_process.py) and S3's objects below `objects`, with which
    it starts if they are there."""

    title = "AWS engine"

    def __init__(
        self,
        folder: Path,
        port: int,
        log: Path,
        calls: Path | None = None,
        objects: Path | None = None,
    ) -> None:
        super().__init__(port, log)
        self._folder = folder
        self._calls = calls or folder / "calls.jsonl"
        self._objects = objects or folder / "s3"
        self._queue = folder / "workers"
        self.url = f"http://127.0.0.1:{port}"

    def _spawn(self) -> Process:
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [python_of("engine"), REPOSITORY / "devstack/engine_process.py", self._calls]
        return spawn(command, self.log, env=self._environment(), cwd=self._folder)

    def warm_workers(self) -> None:
        """Have what functions in the working tree import imported, before the first of them is called."""
        if self._queue.is_fifo():
            self._queue.write_text(f"{WARM}\t{python_of('functions')}\t{LAYER_CORE}\n")

    def _environment(self) -> dict[str, str]:
        """A clean one: the engine hands its whole environment on to every function."""
        return {
            **minimal_environment(self._folder),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "STATE_DIR": str(self._folder / "state"),
            "S3_DATA_DIR": str(self._objects),
            "S3_PERSIST": "1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DOCKER_HOST": "unix:///nonexistent",
            "LAMBDA_WARM_TTL_SECONDS": "15",  # what a burst left behind; a new one is forked in no time
            "LAMBDA_ACCOUNT_CONCURRENCY": "0",  # calls queue (devstack/hosting), none is refused
            "VSL_WORKER_QUEUE": str(self._queue),
        }

    def _ready(self) -> bool:
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        ) as connection:
            try:
                connection.request("GET", "/_ministack/ready")
                with connection.getresponse() as answer:
                    return answer.status == http.client.OK
            except (OSError, http.client.HTTPException):
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
