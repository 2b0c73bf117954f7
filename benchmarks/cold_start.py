"""What a cold start costs: imports of every handler as built, and the first call of the hot two.

Each start is a fresh process of an interpreter without packages of its own, with the layers and
the function of a `sam build` on its path, as on Lambda.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.events import webhook_event
from benchmarks.measure import Result, interleaved, median, mib, ms, progress, times
from benchmarks.stack import running
from devstack import environments
from devstack.paths import python_of
from tests.support.stack import Stack
from tests.support.template import REPOSITORY

HEAVY = ("boto3", "redis", "psycopg", "httpx", "pydantic", "PIL", "av")

# Clients are made with the imports where Lambda starts the process.
_ON_LAMBDA = {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}

# Printed by a child: seconds in its own code, peak memory (KiB), and which heavy modules it loaded.
_CHILD = """
import sys, time
began = time.perf_counter()
{code}
taken = time.perf_counter() - began
import json
heavy = [name for name in {heavy!r} if name in sys.modules]
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([taken, int(peak), heavy]))
"""
_HANDLER = "sys.path[:0] = {paths!r}\nimport app\n"
_CALL = """
from types import SimpleNamespace
context = SimpleNamespace(aws_request_id="bench", get_remaining_time_in_millis=lambda: 28000)
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()):
    answer = app.handler(json.loads({event!r}), context)
assert answer["statusCode"] == 200, answer
"""
# The smallest code with the usual libraries that makes the same first calls.
_SMALLEST_STATUS = """
import boto3, redis, json
ssm = boto3.client("ssm")
found = ssm.get_parameters(Names=["/vsl/local/redis-url"], WithDecryption=True)["Parameters"]
url = found[0]["Value"]
document = json.loads(redis.Redis.from_url(url).get({key!r}))
s3 = boto3.client("s3")
for asset in document["assets"]:
    for key in (asset["s3Key"], asset["thumbnailKey"]):
        s3.generate_presigned_url("get_object", Params={{"Bucket": {bucket!r}, "Key": key}})
"""
_SMALLEST_WEBHOOK = """
import boto3, redis, hmac
ssm = boto3.client("ssm")
found = ssm.get_parameters(Names=["/vsl/local/redis-url"], WithDecryption=True)["Parameters"]
url = found[0]["Value"]
hmac.new(b"secret", {body!r}.encode(), "sha256").hexdigest()
boto3.client("dynamodb").update_item(
    TableName={table!r}, Key={{"jobId": {{"S": "bench"}}, "timestamp": {{"N": "1"}}}},
    UpdateExpression="SET a = :a", ExpressionAttributeValues={{":a": {{"S": "x"}}}})
redis.Redis.from_url(url).set("bench", "1", ex=60)
"""


def run(*, quick: bool = False) -> Result:
    rounds = 3 if quick else 5
    environments.ensure(("lambda",))
    result = Result(
        "cold_start",
        "Cold start: imports of each handler as built",
        ["function", "as sam builds it", "with bytecode", "x bare", "x boto3", "memory", "loads"],
    )
    with tempfile.TemporaryDirectory(prefix="vsl-cold-") as folder:
        build = Path(folder)
        with progress("sam build"):
            _build(build)
        functions = sorted(
            path.name
            for path in (REPOSITORY / "functions").iterdir()
            if (path / "app.py").is_file()
        )
        chosen = functions[:2] if quick else functions
        with running() as stack:
            environments_of = {name: environment_of(stack, _camel(name)) for name in chosen}
            with progress("imports without bytecode"):
                plain = _imports(build, environments_of, rounds)
            _compile(build)
            with progress("imports with bytecode"):
                compiled = _imports(build, environments_of, rounds)
            if not quick:
                with progress("first calls"):
                    firsts = _first_calls(stack, build, rounds)
        for name in chosen:
            seconds, memory, heavy = _figures(compiled, name)
            result.row(
                name,
                ms(_figures(plain, name)[0]),
                ms(seconds),
                times(seconds / _figures(compiled, "bare Python")[0]),
                times(seconds / _figures(compiled, "boto3 and a client")[0]),
                mib(memory),
                ", ".join(heavy) or "-",
            )
        for name in ("bare Python", "boto3 and a client"):
            seconds, memory, _ = _figures(compiled, name)
            result.row(f"({name})", "", ms(seconds), "", "", mib(memory), "")
        if not quick:
            _show_first_calls(firsts, result)
        _sizes(build, result)
    return result


def _build(folder: Path) -> None:
    architecture = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
    environments.ensure(("sam",))
    # SAM asks the interpreter behind ours for pip.
    own, behind = (Path(one).parent for one in (sys.executable, sys._base_executable))  # type: ignore[attr-defined]  # noqa: SLF001
    subprocess.run(
        [
            str(python_of("sam").with_name("sam")),
            "build",
            "--cached",
            *("--cache-dir", str(REPOSITORY / ".aws-sam" / "cache")),
            *("--build-dir", str(folder)),
            *("--parameter-overrides", f"LambdaArchitecture={architecture}"),
        ],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "PATH": os.pathsep.join([str(own), str(behind), os.environ["PATH"]]),
            "SAM_CLI_TELEMETRY": "0",
        },
        capture_output=True,
        check=True,
        timeout=300,
    )


def _compile(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash",
         str(folder)],
        check=True,
        timeout=300,
    )  # fmt: skip


def _camel(function: str) -> str:
    return "".join(part.title() for part in function.split("_")) + "Function"


def _paths(build: Path, function: str) -> list[str]:
    layers = ["CoreLayer", "RuntimeLayer"] + (["MediaLayer"] if function == "store_media" else [])
    return [str(build / _camel(function)), *(str(build / layer / "python") for layer in layers)]


def _libraries(build: Path) -> str:
    return f"import sys; sys.path.insert(0, {str(build / 'RuntimeLayer' / 'python')!r})"


def _child(code: str, environment: Mapping[str, str]) -> tuple[float, int, list[str]]:
    done = subprocess.run(
        [str(python_of("lambda")), "-c", _CHILD.format(code=code, heavy=HEAVY)],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    taken, memory, heavy = json.loads(done.stdout.splitlines()[-1])
    return taken, memory * 1024, heavy


type Figures = dict[str, list[tuple[float, int, list[str]]]]


def _imports(build: Path, environments_of: Mapping[str, Mapping[str, str]], rounds: int) -> Figures:
    bare = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    codes = {
        "bare Python": "pass",
        "boto3 and a client": f"{_libraries(build)}\nimport boto3; boto3.client('ssm')",
        **{name: _HANDLER.format(paths=_paths(build, name)) for name in environments_of},
    }
    found: Figures = {name: [] for name in codes}

    def start(name: str) -> None:
        found[name].append(_child(codes[name], environments_of.get(name, bare)))

    interleaved(rounds, {name: partial(start, name) for name in codes})
    # A bare interpreter's own code takes nothing: what it takes is to start at all.
    starts = interleaved(rounds, {"bare": lambda: _child("pass", bare)})["bare"]
    found["bare Python"] = [(seconds, each[1], []) for seconds, each in zip(
        starts, found["bare Python"], strict=True)]  # fmt: skip
    return found


def _figures(found: Figures, name: str) -> tuple[float, int, list[str]]:
    taken = found[name]
    return (
        median([each[0] for each in taken]),
        int(median([each[1] for each in taken])),
        taken[0][2],
    )


def _first_calls(stack: Stack, build: Path, rounds: int) -> Figures:
    job = stack.api.run("flux-schnell", {"prompt": "cold", "width": 256, "height": 256})
    status = {
        "pathParameters": {"jobId": job["jobId"]},
        "queryStringParameters": None,
        "headers": {},
    }
    table, bucket = str(stack.document["table"]), str(stack.document["bucket"])
    key = f"job:status:{job['jobId']}"
    environment = environment_of(stack, "GetStatusFunction")
    ours = _HANDLER + "import json\n" + _CALL

    def webhook() -> tuple[float, int, list[str]]:
        event = json.dumps(webhook_event(stack))
        code = ours.format(paths=_paths(build, "process_webhook"), event=event)
        return _child(code, environment)

    body = webhook_event(stack)["body"]
    libraries = _libraries(build)
    status_code = ours.format(paths=_paths(build, "get_status"), event=json.dumps(status))
    candidates: dict[str, Callable[[], tuple[float, int, list[str]]]] = {
        "get_status": lambda: _child(status_code, environment),
        "smallest status": lambda: _child(
            libraries + _SMALLEST_STATUS.format(key=key, bucket=bucket), environment
        ),
        "process_webhook": webhook,
        "smallest webhook": lambda: _child(
            libraries + _SMALLEST_WEBHOOK.format(table=table, body=body), environment
        ),
    }
    found: Figures = {name: [] for name in candidates}

    def start(name: str) -> None:
        found[name].append(candidates[name]())

    interleaved(rounds, {name: partial(start, name) for name in candidates})
    return found


def _show_first_calls(found: Figures, result: Result) -> None:
    for name, smallest in (
        ("get_status", "smallest status"),
        ("process_webhook", "smallest webhook"),
    ):
        (mine, memory, heavy), theirs = _figures(found, name), _figures(found, smallest)
        result.row(
            f"{name}, imports and first call", "", ms(mine), "",
            f"{times(mine / theirs[0])} of the smallest ({ms(theirs[0])})", mib(memory),
            ", ".join(heavy),
        )  # fmt: skip
        result.goal(f"{name}: first call beside the smallest handler", mine / theirs[0], 1.2)
    result.notes.append(
        "The smallest handlers make the same first calls (SSM, then Redis and two signed addresses;"
        " SSM, DynamoDB, Redis) with boto3 and redis-py, and nothing else."
    )


def environment_of(stack: Stack, function: str) -> dict[str, str]:
    """As the engine starts the function, without what makes it live."""
    described: Any = stack.client("lambda").get_function_configuration(
        FunctionName=stack.document["functions"][function]
    )
    variables = {
        name: value
        for name, value in described["Environment"]["Variables"].items()
        if not re.match(r"VSL_|PYTHONPATH", name)
    }
    return {
        **variables,
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_ENDPOINT_URL": str(stack.document["awsEndpointUrl"]),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
        "AWS_EC2_METADATA_DISABLED": "true",
        **_ON_LAMBDA,
    }


def _sizes(build: Path, result: Result) -> None:
    sizes = {}
    for part in sorted(build.iterdir()):
        if part.name.endswith("Layer"):
            sizes[part.name] = sum(f.stat().st_size for f in part.rglob("*") if f.is_file())
    result.data["sizes"] = sizes
    told = ", ".join(f"{name} {mib(size)}" for name, size in sizes.items())
    result.notes.append(
        f"Unzipped, bytecode included: {told}; a function's own folder is some KiB."
    )
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir()
