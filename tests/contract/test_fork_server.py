"""Workers made by fork: each is a process of its own in all that matters."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.paths import TEMPLATE
from devstack.processes import ProcessId, start_time
from devstack.template import load_template
from tests.contract.test_worker import write
from tests.support.processes import children
from tests.support.runtime_api import WORKER, ForkServer, RuntimeApi
from tests.support.template import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")

APP = """
import os, random, sys, threading, time

def handler(event, context):
    do = event["do"]
    if do == "exit":
        os._exit(7)
    if do == "hang":
        time.sleep(1000)
    if do == "print":
        print("to stdout", flush=True)
        print("to stderr", file=sys.stderr, flush=True)
    if do == "environment":
        return dict(os.environ)
    if do == "credentials":
        import boto3
        client = boto3.client("s3")
        return [client._request_signer._credentials.access_key, client.meta.region_name]
    return {
        "pid": os.getpid(),
        "random": random.random(),
        "threads": threading.active_count(),
        "cwd": os.getcwd(),
        "files": sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                        if os.path.exists(f"/proc/self/fd/{fd}")),
    }
"""


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, APP)
    return tmp_path


def look(api: RuntimeApi) -> dict[str, Any]:
    found: dict[str, Any] = api.invoke({"do": "look"}).body
    return found


def gone(pid: int) -> bool:
    """Waits for a process's end; a test's own time limit is the only one."""
    while start_time(pid) is not None:
        threading.Event().wait(0.01)
    return True


def test_workers_share_nothing_that_is_a_process_s_own(forks: ForkServer, folder: Path) -> None:
    with RuntimeApi(folder, forks=forks) as one, RuntimeApi(folder, forks=forks) as two:
        first, second = look(one), look(two)
    assert first["pid"] != second["pid"]
    assert first["random"] != second["random"]
    assert first["threads"] == 1
    assert first["cwd"] == str(folder)
    # No descriptor of the server's: none of its pipe, its pidfds or another worker's output.
    assert [name for name in first["files"] if "pidfd" in name] == []
    assert len({name for name in first["files"] if name.startswith("pipe:")}) == 1


def test_a_worker_has_its_function_s_environment_and_no_other(
    forks: ForkServer, folder: Path
) -> None:
    own = {"SETTING": "mine", "AWS_ACCESS_KEY_ID": "AKONE", "AWS_SECRET_ACCESS_KEY": "s"}
    others = {"AWS_ACCESS_KEY_ID": "AKTWO", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1"}
    others["AWS_DEFAULT_REGION"] = "eu-west-1"
    with (
        RuntimeApi(folder, forks=forks, environment={**own, "AWS_DEFAULT_REGION": "x-1"}) as one,
        RuntimeApi(folder, forks=forks, environment=others) as two,
    ):
        found = one.invoke({"do": "environment"}).body
        assert found["SETTING"] == "mine"
        assert "OF_THE_SERVER" not in found
        assert one.invoke({"do": "credentials"}).body == ["AKONE", "x-1"]
        assert two.invoke({"do": "credentials"}).body == ["AKTWO", "eu-west-1"]


def test_what_a_worker_prints_reaches_the_engine(forks: ForkServer, folder: Path) -> None:
    with RuntimeApi(folder, forks=forks) as api:
        api.invoke({"do": "print"})
        assert api.process is not None
        assert api.process.stdout is not None
        assert {api.process.stdout.readline() for _ in range(2)} == {b"to stdout\n", b"to stderr\n"}


def test_a_call_that_logs_nothing_still_ends_its_log(forks: ForkServer, folder: Path) -> None:
    """The engine reads until a line comes, or for 50 ms; an empty one leaves no event."""
    with RuntimeApi(folder, forks=forks) as api:
        look(api)
        assert api.process is not None
        assert api.process.stdout is not None
        assert api.process.stdout.readline() == b"\n"


def test_the_placeholder_ends_with_its_worker(forks: ForkServer, folder: Path) -> None:
    """The engine watches the placeholder: a crash shows there."""
    with RuntimeApi(folder, forks=forks) as api:
        pid = look(api)["pid"]
        api.send({"do": "exit"})
        assert api.process is not None
        assert api.process.wait() == -signal.SIGKILL
        assert gone(pid)


def test_a_worker_ends_with_its_placeholder_whatever_it_does(
    forks: ForkServer, folder: Path
) -> None:
    """The engine ends the placeholder when a function's time is up."""
    with RuntimeApi(folder, forks=forks) as api:
        pid = look(api)["pid"]
        api.send({"do": "hang"})
        os.kill(pid, signal.SIGSTOP)
        assert api.process is not None
        api.process.terminate()
        assert gone(pid)


def test_everything_ends_with_the_engine(folder: Path) -> None:
    """Its end of the pipe closes, however it ends."""
    with ForkServer() as forks, RuntimeApi(folder, forks=forks) as api:
        worker, server = look(api)["pid"], forks.process
        assert server.stdin is not None
        server.stdin.close()
        assert server.wait() == 0
        assert api.process is not None
        assert api.process.wait() == -signal.SIGKILL
        assert gone(worker)


def test_workers_end_with_a_server_that_is_killed(folder: Path) -> None:
    with ForkServer() as forks, RuntimeApi(folder, forks=forks) as api:
        worker = ProcessId.of(look(api)["pid"])
        forks.process.kill()
        assert gone(worker.pid)


def test_a_placeholder_that_has_gone_is_passed_over(forks: ForkServer, folder: Path) -> None:
    assert forks.process.stdin is not None
    with subprocess.Popen(["sleep", "0"]) as ended:
        ended.wait()
    forks.process.stdin.write(f"{ended.pid}\n".encode())
    forks.process.stdin.flush()
    with RuntimeApi(folder, forks=forks) as api:
        assert look(api)["pid"] in children(forks.process.pid)


def test_code_that_changed_is_new_in_running_and_in_later_workers(tmp_path: Path) -> None:
    """The server has imported it before; a worker forked from then on must not keep the old."""
    package = tmp_path / "layer" / "vsl"
    for part in ("domain", "services", "adapters", "runtime"):
        (package / part).mkdir(parents=True)
        (package / part / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "runtime" / "settings.py").touch()
    write(package / "domain", "NAME = 'one'", "thing.py")
    function = tmp_path / "function"
    function.mkdir()
    write(function, "from vsl.domain import thing\ndef handler(e, c):\n return thing.NAME")
    settings = {
        "PYTHONPATH": str(tmp_path / "layer"),
        "VSL_LIVE_ROOTS": f"{function}:{tmp_path / 'layer'}",
    }
    with ForkServer(tmp_path / "layer") as forks:

        def worker() -> RuntimeApi:
            return RuntimeApi(function, forks=forks, environment=settings)

        with worker() as old:
            assert old.invoke({}).body == "one"
            write(package / "domain", "NAME = 'two'", "thing.py")
            with worker() as new:
                assert new.invoke({}).body == "two"
                write(package / "domain", "NAME = 'three'", "thing.py")
                assert [old.invoke({}).body, new.invoke({}).body] == ["three", "three"]
            write(package / "domain", "NAME =", "thing.py")
            with worker() as broken:
                assert broken.reply().body["errorType"] == "Runtime.UserCodeSyntaxError"
            write(package / "domain", "NAME = 'mended'", "thing.py")
            with worker() as mended:
                assert mended.invoke({}).body == "mended"


PRELOAD = """
import os, sys
sys.path.insert(0, sys.argv[1])
read = set()
kind = type(os.environ)
plain = kind.__getitem__
def noted(self, name):
    read.add(name)
    return plain(self, name)
kind.__getitem__ = noted
import preload
preload.Code()
import threading
print(threading.active_count(), *sorted(read))
print(*[name for name in sys.modules if name.startswith("vsl.")])
"""


def test_nothing_is_imported_early_that_reads_a_function_s_settings() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRELOAD, str(WORKER)],
        env={"PYTHONPATH": str(REPOSITORY / "layers" / "core")},
        capture_output=True,
        text=True,
        check=True,
    )
    first, modules = done.stdout.splitlines()
    threads, *read = first.split()
    assert threads == "1", "a thread would not survive the fork"
    template = load_template(TEMPLATE)
    settings = set(template["Globals"]["Function"]["Environment"]["Variables"])
    for resource in template["Resources"].values():
        variables = resource.get("Properties", {}).get("Environment", {}).get("Variables", {})
        settings |= set(variables)
    assert settings
    assert not {name for name in read if name in settings or name.startswith("AWS_LAMBDA_FUNCTION")}
    ours = set(modules.split())
    assert "vsl.domain.jobs.job" in ours
    early = {name for name in ours if name.startswith("vsl.runtime")}
    assert early == {"vsl.runtime", "vsl.runtime.settings"}


def test_aws_is_described_for_the_clients_of_our_code() -> None:
    """One more service in the list than is called costs memory, one less costs each worker time."""
    text = (WORKER / "clients.py").read_text()
    (line,) = [each for each in text.splitlines() if each.startswith("SERVICES")]
    code = [*(REPOSITORY / "layers" / "core" / "vsl").rglob("*.py")]
    code += (REPOSITORY / "functions").rglob("*.py")
    called = {
        service
        for path in code
        for names in re.findall(r"\b(?:client|prepare)\(([^)]*)\)", path.read_text())
        for service in re.findall(r'"(\w+)"', names)
    }
    assert set(re.findall(r'"(\w+)"', line)) == called


SESSION = """
import sys
sys.path.insert(0, sys.argv[1])
import preload
preload.Code()
import boto3
from vsl.adapters.aws import clients
print(clients.session() is boto3.DEFAULT_SESSION)
"""


def test_workers_make_their_clients_in_the_session_that_has_the_descriptions() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SESSION, str(WORKER)],
        env={"PYTHONPATH": str(REPOSITORY / "layers" / "core")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True\n"


CLIENTS = """
def handler(event, context):
    from vsl.adapters.aws import clients
    made = clients.client.cache_info().currsize
    address = clients.client("s3").generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    return [made, address.partition("/b/")[0], address.partition("Credential=")[2].split("%2F")[0:3:2]]
"""


def test_clients_are_made_before_the_fork_and_sign_as_the_function(tmp_path: Path) -> None:
    write(tmp_path, CLIENTS)

    def ask(forks: ForkServer, key: str, endpoint: str, region: str) -> Any:
        place = {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": region}
        keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "s"} if key else {}
        with RuntimeApi(tmp_path, forks=forks, environment=place | keys) as api:
            return api.invoke({}).body

    here, there = ("http://127.0.0.1:1", "us-east-1"), ("http://127.0.0.1:2", "eu-west-1")
    with ForkServer(REPOSITORY / "layers" / "core") as forks:
        made, *first = ask(forks, "AKONE", *here)
        assert made > 1
        assert first == [here[0], ["AKONE", "us-east-1"]]
        assert ask(forks, "AKTWO", *here) == [made, here[0], ["AKTWO", "us-east-1"]]
        # Those for another place are of no use, and the worker makes its own.
        assert ask(forks, "AKTWO", *there) == [0, there[0], ["AKTWO", "eu-west-1"]]
        assert ask(forks, "", *here)["errorType"] == "NoCredentialsError"


def test_workers_that_no_request_waits_for_give_way_to_the_others(tmp_path: Path) -> None:
    write(tmp_path, "import os\ndef handler(event, context): return os.nice(0)")
    with ForkServer(behind="vsl-local-one:vsl-local-two") as forks:

        def priority(function: str) -> Any:
            environment = {"AWS_LAMBDA_FUNCTION_NAME": function}
            with RuntimeApi(tmp_path, forks=forks, environment=environment) as api:
                return api.invoke({}).body

        usual = priority("vsl-local-three")
        assert usual == os.nice(0)
        assert priority("vsl-local-one") == priority("vsl-local-two") > usual
