"""`vsl` against the running stack: what it prints, its exit codes, and what it leaves behind."""

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from PIL import Image
from standardwebhooks.webhooks import Webhook
from typer.testing import CliRunner, Result

from cli.client.api import Api
from cli.client.target import Target, resolve, secret, stack_facts
from cli.main import app
from cli.release.smoke import smoke
from devstack.engine import client_config, session
from devstack.replicate.faults import PredictionFails, PredictionSlow
from tests.support import web
from tests.support.api import unique
from tests.support.receiver import receiver
from tests.support.stack import Stack
from tests.support.template import REPOSITORY

pytestmark = pytest.mark.e2e

USER = "command-line"


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("VSL_API_URL", "VSL_API_KEY", "VSL_TOKEN", "VSL_STAGE", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VSL_USER", USER)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))


def vsl(stack: Stack | None, *words: str) -> Result:
    where = ["--state", str(stack.document["state"])] if stack else []
    return CliRunner().invoke(app, [*words, *where])


def answer(stack: Stack | None, *words: str, exit_code: int = 0) -> Any:
    """The one JSON object of a command."""
    shown = vsl(stack, *words, "--json")
    assert shown.exit_code == exit_code, shown.output
    assert shown.stderr == ""
    return json.loads(shown.stdout)


def test_models_and_their_examples(stack: Stack) -> None:
    listed = answer(stack, "models", "--media", "audio")["models"]
    assert {each["mediaType"] for each in listed} == {"audio"}
    shown = vsl(stack, "models", "seedance-1-lite").stdout
    assert "resolution=480p" in shown
    assert "$0.018 to $0.072 a second of output, by resolution" in shown
    assert "vsl generate seedance-1-lite --prompt 'A paper boat" in shown
    assert "FLUX.1 [schnell]" in vsl(stack, "models").stdout


def test_a_job_from_the_request_to_the_file(stack: Stack, tmp_path: Path) -> None:
    words = ("generate", "flux-schnell", "--prompt", unique("fox"), "-p", "num_outputs=2")
    made = answer(stack, *words, "-o", str(tmp_path / "out"))
    assert made["status"] == "succeeded"
    for number, each in enumerate(made["files"]):
        path = Path(each["file"])
        assert path.name == f"flux-schnell-{made['jobId'][:13]}-{number}.webp"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == each["sha256"]
    assert len(made["files"]) == 2
    assert [each.name for each in (tmp_path / "out").glob(".*")] == []

    job = made["jobId"]
    assert answer(stack, "show", "last")["jobId"] == job
    assert answer(stack, "show", job[:14])["jobId"] == job
    assert answer(stack, "watch", job)["status"] == "succeeded"
    listed = answer(stack, "jobs", "--limit", "1")
    assert [each["jobId"] for each in listed["jobs"]] == [job]
    trace = answer(stack, "trace", job)
    assert sum(each["seconds"] for each in trace["segments"]) == pytest.approx(trace["wallTime"])
    assert (trace["estimatedCost"], trace["actualCost"]) == ("0.006", "0.006")
    words_of_trace = vsl(stack, "trace", job, "--events").stdout
    assert "money   $0.006 (estimated $0.006)" in words_of_trace
    assert f"woken   by {trace['wokenBy']}" in words_of_trace
    assert "outcome_recorded" in words_of_trace
    assert answer(stack, "cancel", job)["cancelRequested"] is False
    again = answer(stack, "download", job, "-o", str(tmp_path / "out"))
    assert [each["fetched"] for each in again["files"]] == [False, False]


def test_an_estimate_makes_nothing(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSL_USER", "estimates")
    words = ("estimate", "flux-schnell", "--prompt", "a fox", "-p", "num_outputs=2")
    assert vsl(stack, *words).stdout.splitlines() == [
        "cost    $0.006", "time    about 3.0 s at the model",
    ]  # fmt: skip
    found = answer(stack, *words)
    assert (found["modelId"], found["admitted"]) == ("flux-schnell", True)
    video = answer(
        stack,
        "estimate",
        "stability-video",
        "--image",
        str(REPOSITORY / "docs/pictures/image.webp"),
    )
    assert video["mediaType"] == "video"
    assert answer(stack, "jobs")["jobs"] == []


def test_a_job_opens_in_the_browser(stack: Stack, tmp_path: Path) -> None:
    job = stack.api.run("flux-schnell", {"prompt": unique("open")}, user_id=USER)["jobId"]
    browser, told = tmp_path / "browser", tmp_path / "told"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {told}\n')
    browser.chmod(0o755)
    where = ["--state", str(stack.document["state"])]
    for words in ([], ["--file"]):
        command = [str(Path(sys.executable).parent / "vsl"), "open", job, *words, *where]
        environment = {**os.environ, "BROWSER": f"{browser} %s"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == told.read_text().splitlines()[-1]
    page, file = told.read_text().splitlines()
    assert page == f"{stack.api.url}/console#/jobs/{job}"
    assert web.get(file).headers["Content-Type"] == "image/webp"


def test_a_list_is_watched_until_ctrl_c(stack: Stack) -> None:
    """On a terminal of its own: a job that comes later is seen, and its id is whole."""
    user = unique("watched").replace(" ", "-")
    environment = {**os.environ, "VSL_USER": user, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    command = [
        str(Path(sys.executable).parent / "vsl"),
        "jobs",
        "--watch",
        "--state",
        str(stack.document["state"]),
    ]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=environment, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while b"No such jobs yet" not in shown:
            shown += os.read(ours, 4096)
        job = stack.api.run("flux-schnell", {"prompt": unique("watch")}, user_id=user)["jobId"]
        while job.encode() not in shown:
            shown += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
    os.close(ours)
    assert process.returncode == 130


def offered(stack: Stack | None, *words: str) -> list[str]:
    """What the Tab key offers for the last of these words, as bash asks for it."""
    where = ["--state", str(stack.document["state"])] if stack else []
    line = [words[0], *where, *words[1:]]
    asked = {"COMP_WORDS": " ".join(["vsl", *line]), "COMP_CWORD": str(len(line))}
    runner = CliRunner(env={**asked, "_VSL_COMPLETE": "complete_bash"})
    shown = runner.invoke(app, [], prog_name="vsl")
    assert (shown.exit_code, shown.stderr) == (0, "")
    return shown.stdout.split()


def test_the_tab_key_knows_models_and_jobs(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSL_USER", "tab-key")
    assert offered(stack, "generate", "flux-s") == ["flux-schnell"]
    assert offered(stack, "show", "la") == []
    job = answer(stack, "generate", "bark", "--prompt", unique("hello"), "--no-wait")["jobId"]
    assert offered(stack, "show", "la") == ["last"]
    assert offered(stack, "trace", job[:9]) == [job]
    monkeypatch.setenv("VSL_API_URL", "http://127.0.0.1:1")
    assert offered(None, "generate", "flux-s") == [], "nobody is there to ask"


def test_a_client_is_called_again(stack: Stack) -> None:
    with receiver() as client:
        made = answer(
            stack,
            "generate",
            "flux-schnell",
            "--prompt",
            unique("told"),
            "--callback-url",
            client.origin + "/",
        )
        job_id = made["jobId"]
        (told,) = client.wait("/")
        secret = vsl(stack, "callbacks", "--secret").stdout.strip()
        assert answer(stack, "callbacks", "--secret")["secret"] == secret
        assert Webhook(secret).verify(told.body, told.headers)["jobId"] == job_id
        assert "on its way" in vsl(stack, "callbacks", job_id, "--replay").stderr
        client.wait("/", 2)
    shown = vsl(stack, "callbacks", job_id).stdout
    assert client.origin in shown
    assert "delivered" in shown
    assert answer(stack, "callbacks", job_id)["attempts"][-1]["deliveryId"] == "end"


def test_who_calls_nobody_is_told_how(stack: Stack) -> None:
    job_id = answer(stack, "generate", "flux-schnell", "--prompt", unique("quiet"))["jobId"]
    assert "has no callback address" in vsl(stack, "callbacks", job_id).stderr
    refused = answer(stack, "callbacks", job_id, "--replay", exit_code=2)["error"]
    assert (refused["code"], "--callback-url" in refused["hint"]) == ("NoCallbackUrl", True)


def test_a_deleted_job_is_gone(stack: Stack) -> None:
    job = stack.api.run("flux-schnell", {"prompt": unique("gone")}, user_id=USER)["jobId"]
    assert answer(stack, "delete", job, exit_code=2)["error"]["code"] == "NotConfirmed"
    assert answer(stack, "delete", job[:14], "--yes") == {"jobId": job, "deleted": True}
    for command in ("show", "trace", "download"):
        assert answer(stack, command, job, exit_code=3)["error"]["code"] == "JobNotFound"


def test_a_list_over_several_pages(stack: Stack) -> None:
    user = f"pages-{unique('x')[-6:]}"
    jobs = [
        stack.api.submit("flux-schnell", {"prompt": unique("p")}, user_id=user) for _ in range(3)
    ]
    newest_first = list(reversed(jobs))
    first = answer(stack, "jobs", "--user", user, "-n", "2")
    assert [each["jobId"] for each in first["jobs"]] == newest_first[:2]
    rest = answer(stack, "jobs", "--user", user, "--cursor", first["nextCursor"])
    assert [each["jobId"] for each in rest["jobs"]] == newest_first[2:]
    assert rest["nextCursor"] is None
    told = vsl(stack, "jobs", "--user", user, "--since", "1h", "-n", "2").stderr
    _, _, options = told.partition("More: with ")
    rest = answer(stack, "jobs", "--user", user, *options.split())
    assert [each["jobId"] for each in rest["jobs"]] == newest_first[2:], "since the same moment"
    several = answer(stack, "show", jobs[0][:6], "--user", user, exit_code=2)
    assert several["error"]["code"] == "AmbiguousJob"
    assert set(jobs) >= set(several["error"]["jobs"])
    assert answer(stack, "jobs", "--user", user, "--until", "1h")["jobs"] == []
    everybody = answer(stack, "jobs", "--all-users", "-n", "100")["jobs"]
    assert set(jobs) < {each["jobId"] for each in everybody} | {"another"}
    for job in jobs:
        stack.api.finish(job)
    assert len(answer(stack, "jobs", "--user", user, "--status", "succeeded")["jobs"]) == 3


def test_a_file_of_this_machine_goes_in(stack: Stack, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "frame.png")
    made = answer(
        stack,
        "generate",
        "stability-video",
        "--image",
        str(tmp_path / "frame.png"),
        "-p",
        "num_frames=14",
    )
    assert made["result"]["contentType"] == "video/mp4"


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("generate", "flux-schnell", "-p", "width=9999"), "InvalidParameters", 2),
        (("generate", "flux-schnel", "--prompt", "x"), "UnknownModel", 2),
        (("generate", "stability-video", "--image", "/nowhere.png"), "FileNotReadable", 2),
        (("show", "01994a3c-0000-7000-8000-000000000000"), "JobNotFound", 3),
        (("show", "0000"), "JobNotFound", 3),
        (("show", "what?"), "InvalidJob", 2),
        (("show", "last", "--user", "nobody-yet"), "NoJobs", 3),
        (("show", "last", "--user", "not valid"), "InvalidUser", 2),
        (("jobs", "--since", "lunch"), "InvalidTime", 2),
        (("jobs", "--watch"), "NoTerminal", 2),
        (("delete", "01994a3c-0000-7000-8000-000000000000"), "NotConfirmed", 2),
    ],
)  # fmt: skip
def test_refusals_say_what_to_do(
    stack: Stack, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    document = answer(stack, *words, exit_code=exit_code)
    assert (document["error"]["code"], document["exitCode"]) == (code, exit_code)
    assert document["error"]["hint"]
    shown = vsl(stack, *words)
    assert shown.exit_code == exit_code
    assert document["error"]["hint"] in shown.stderr
    assert shown.stdout == ""


def test_another_users_job_is_no_job(stack: Stack) -> None:
    job = stack.api.submit("flux-schnell", {"prompt": unique("mine")}, user_id="somebody")
    for command in ("show", "trace", "download", "watch", "cancel"):
        assert answer(stack, command, job, exit_code=3)["error"]["code"] == "JobNotFound"


def test_a_failed_job_fails_the_command(stack: Stack) -> None:
    prompt = unique("broken")
    stack.control.faults(
        PredictionFails.model_validate({"match": {"prompt": prompt}, "error": "out of memory"})
    )
    failed = answer(stack, "generate", "flux-schnell", "--prompt", prompt, exit_code=1)
    assert failed["error"]["code"] == "PredictionFailed"
    assert failed["error"]["job"]["status"] == "failed"
    assert "out of memory" in vsl(stack, "trace", "last").stdout
    assert answer(stack, "download", "last", exit_code=1)["error"]["code"] == "PredictionFailed"


def test_leaving_does_not_stop_the_job(stack: Stack, tmp_path: Path) -> None:
    prompt = unique("slow")
    stack.control.faults(
        PredictionSlow.model_validate({"match": {"prompt": prompt}, "running": 280})
    )
    job = answer(stack, "generate", "flux-schnell", "--prompt", prompt, "--no-wait")["jobId"]
    late = answer(stack, "watch", job, "--timeout", "0", exit_code=7)
    assert late["error"]["code"] == "StillRunning"
    refused = answer(stack, "delete", job, "--yes", exit_code=2)
    assert refused["error"]["code"] == "JobNotEnded"
    assert "cancel" in refused["error"]["hint"]
    assert answer(stack, "download", job, exit_code=7)["error"]["code"] == "StillRunning"
    assert "so far" in vsl(stack, "trace", job).stdout
    words = ("watch", job, "--state", str(stack.document["state"]))
    watching = subprocess.Popen(
        [str(Path(sys.executable).parent / "vsl"), *words],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stderr
    assert watching.stderr.readline().split()[0] in {"pending", "processing"}
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate()
    assert watching.returncode == 130
    assert f"The job {job} goes on without you." in said
    assert f"watch {job}" in said
    assert stack.api.status(job)["status"] in {"pending", "processing"}
    assert answer(stack, "cancel", job)["cancelRequested"] is True
    ended = answer(stack, "watch", job, exit_code=1)
    assert ended["error"]["code"] == "JobCanceled"


class LossyProxy(BaseHTTPRequestHandler):
    """Hands requests on to the stack; `lost` answers to POST never arrive."""

    target = ""
    lost = 0
    keys: list[str] = []  # noqa: RUF012 - set anew for each test

    def do_GET(self) -> None:
        self._answer(web.get(self.target + self.path))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Idempotency-Key"]
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        url = self.target + self.path
        given = web.post(url, content=body, headers=headers)
        type(self).keys.append(key)
        if type(self).lost > 0:
            type(self).lost -= 1
            self.close_connection = True
            return
        self._answer(given)

    def _answer(self, given: httpx.Response) -> None:
        self.send_response(given.status_code)
        self.send_header("Content-Type", given.headers["Content-Type"])
        self.send_header("Content-Length", str(len(given.content)))
        self.end_headers()
        self.wfile.write(given.content)

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def proxy(stack: Stack, lost: int) -> Iterator[str]:
    LossyProxy.target, LossyProxy.lost, LossyProxy.keys = stack.api.url, lost, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), LossyProxy)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_lost_answer_is_not_paid_twice(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("generate", "flux-schnell", "--prompt", unique("lost"), "--no-wait")
    user = f"lost-{unique('x')[-6:]}"
    monkeypatch.setenv("VSL_USER", user)
    with proxy(stack, lost=sys.maxsize) as url:
        monkeypatch.setenv("VSL_API_URL", url)
        given_up = answer(None, *words, exit_code=6)
        assert given_up["error"]["code"] == "Unreachable"
        assert "it cannot pay twice" in given_up["error"]["hint"]
        tries, LossyProxy.lost = len(LossyProxy.keys), 0
        accepted = answer(None, *words)
        assert len(LossyProxy.keys) == tries + 1 > 2
        assert len(set(LossyProxy.keys)) == 1
        another = answer(None, *words)
        assert another["jobId"] != accepted["jobId"], "once answered, the same words are a new job"
    jobs = answer(stack, "jobs", "--user", user)["jobs"]
    assert {each["jobId"] for each in jobs} == {accepted["jobId"], another["jobId"]}


def test_a_broken_off_download_goes_on(stack: Stack, tmp_path: Path) -> None:
    made = answer(
        stack, "generate", "flux-schnell", "--prompt", unique("half"), "-o", str(tmp_path)
    )
    (each,) = made["files"]
    path = Path(each["file"])
    content = path.read_bytes()
    path.unlink()
    part = tmp_path / f".{path.name}.{each['sha256'][:12]}.part"
    for left_behind in (content[:1000], content, b"\0" * 1000, content + b"more"):
        part.write_bytes(left_behind)
        again = answer(stack, "download", "last", "-o", str(tmp_path))
        assert again["files"][0]["fetched"] is True
        assert path.read_bytes() == content
        assert not part.exists()
        path.write_bytes(b"not this")


def test_nothing_there_to_speak_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    away = answer(None, "models", "--state", str(tmp_path), exit_code=6)
    assert away["error"]["code"] == "NoStack"
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        free = server.server_port
    monkeypatch.setenv("VSL_API_URL", f"http://127.0.0.1:{free}")
    assert answer(None, "models", exit_code=6)["error"]["code"] == "Unreachable"


def test_the_database_of_a_stack(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted(path.stem for path in (REPOSITORY / "database" / "migrations").glob("*.sql"))
    assert answer(stack, "db", "status") == {"applied": files, "pending": []}
    assert answer(stack, "db", "migrate") == {"applied": []}
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nothing?connect_timeout=1")
    assert answer(None, "db", "status", exit_code=1)["error"]["code"] == "MigrationFailed"


def test_a_deployment_is_tried_for_nothing(stack: Stack) -> None:
    before = len(stack.control.predictions())
    with Api(resolve(Path(stack.document["state"]), None, None)) as api:
        checks = smoke(api)
    assert [each.name for each in checks if not each.passed] == [], checks
    assert len(stack.control.predictions()) == before
    elsewhere = Target(stack.document["replicateUrl"], USER)
    with Api(elsewhere) as api:
        assert not any(each.passed for each in smoke(api))


STAGE_TEMPLATE = {
    "Parameters": {"ApiAuth": {"Type": "String", "Default": "API_KEY"}},
    "Resources": {"ApiKey": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True}}},
    "Outputs": {"ApiKeyId": {"Value": {"Ref": "ApiKey"}}},
}


@pytest.fixture
def homolog(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A stage `homolog` in the engine that leads to the running stack's API; its key's value."""
    endpoint = stack.document["awsEndpointUrl"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    clients: dict[str, Any] = {
        name: session().client(name, endpoint_url=endpoint, config=client_config())
        for name in ("cloudformation", "ssm", "apigateway")
    }
    template = json.loads(json.dumps(STAGE_TEMPLATE))
    template["Outputs"]["ApiUrl"] = {"Value": stack.api.url}
    clients["cloudformation"].create_stack(
        StackName="vsl-homolog", TemplateBody=json.dumps(template)
    )
    clients["cloudformation"].get_waiter("stack_create_complete").wait(
        StackName="vsl-homolog", WaiterConfig={"Delay": 1, "MaxAttempts": 10}
    )
    name = "/vsl/homolog/database-url"
    clients["ssm"].put_parameter(
        Name=name, Value=stack.database_url, Type="SecureString", Overwrite=True
    )
    keys = clients["apigateway"].get_api_keys(includeValues=True)["items"]
    yield str(keys[0]["value"])
    clients["ssm"].delete_parameter(Name=name)
    clients["cloudformation"].delete_stack(StackName="vsl-homolog")
    for client in clients.values():
        client.close()


def test_a_stage_is_found_with_the_aws_profile(homolog: str) -> None:
    target = resolve(None, "homolog", None)
    assert target.headers == {"x-api-key": homolog}
    assert target.command("jobs").endswith(" jobs --stage homolog")
    assert answer(None, "models", "flux-dev", "--stage", "homolog")["modelId"] == "flux-dev"
    assert answer(None, "db", "status", "--stage", "homolog")["pending"] == []
    missing = answer(None, "models", "--stage", "production", exit_code=6)
    assert missing["error"]["code"] == "AwsRefused"
    assert "AWS_PROFILE" in missing["error"]["hint"]


def test_the_stack_of_the_template_tells_what_the_command_line_asks_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.document["awsEndpointUrl"])
    outputs, parameters = stack_facts("local")
    assert outputs["ApiUrl"] == stack.api.url
    assert parameters["ApiAuth"] == "NONE"
    assert secret("local", "database-url") == stack.database_url
