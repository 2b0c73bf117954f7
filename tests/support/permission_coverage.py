"""A run in which every function uses nearly every right of its role."""

import io
import json
import time
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
from PIL import Image

from devstack.replicate.faults import (
    CreateFails,
    FileFault,
    Match,
    PredictionFails,
    PredictionSlow,
    WebhookFault,
)
from tests.support import web
from tests.support.api import unique
from tests.support.receiver import Receiver
from tests.support.stack import Stack
from tests.support.template import REPOSITORY
from tests.support.waiting import until
from vsl.adapters.redis import slots
from vsl.domain.api.api_key import split_key
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import iso
from vsl.domain.predictions.signature import sign

# Nearly every function starts cold here, and many at once.
MODEL = "flux-schnell"
USER = "everything"


class Usage:
    """`client` is where callbacks go; `secrets` are words of it that nobody may find anywhere."""

    def __init__(self, stack: Stack, client: Receiver) -> None:
        self.stack = stack
        self.client = client
        self.secrets: dict[str, set[str]] = {}
        self.prompts = {
            name: unique(name)
            for name in (
                "long",
                "failing",
                "slow",
                "late",
                "dropped",
                "doomed",
                "stopped",
                "overdue",
                "queued",
            )
        }

    def exercise(self) -> None:
        self._set_faults()
        self._keep("prompt", *self.prompts.values())
        self.read_what_is_open()
        self.refuse()
        upload, other_upload = self.upload(), self.upload()
        self.client.answers["/away"] = [500]
        # One after the other: each job at once has processes of its own, which start cold.
        lost = [self.submit(name) for name in ("dropped", "doomed")]
        video = self.submit("video", "stability-video", {"image": upload})
        self.finish(video)
        buried = self.submit("buried", "stability-video", {"image": other_upload})
        self.finish(buried)
        self.finish(self.submit("long"))
        failing = self.submit("failing")
        self.finish(failing)
        self.cancel_what_is_done_already()
        self.stop(self.submit("stopped"))
        self.run_out_of_time(self.submit("overdue"))
        slow = self.submit("slow")
        self.look_at(slow)
        self.await_slot(slow)
        self.speak_replicates()
        self.ask("POST", f"/jobs/{slow}/cancel", 202)
        self.finish(slow)
        self.forget_a_job()
        self.poll(*lost)
        for job_id in (video, failing):
            # It waits although its job has ended: whoever finds the outcome answers for it.
            self.invoke("AwaitPrediction", {"jobId": job_id, "taskToken": "none"})
        self.await_slot(failing)
        self.take_an_admission_back()
        self.wait_at_the_api()
        self.speak_other_protocols()
        self.send_a_webhook_without_address()
        self.client.wait("/away", 2)
        self.look_back(video)
        self.look_at_the_money(video)
        self.make_a_key()
        self.ask("DELETE", f"/jobs/{video}", 204)
        self.sweep(buried)
        self.fill_a_budget()
        self.queue_for_the_provider()

    def _keep(self, kind: str, *words: str) -> None:
        self.secrets.setdefault(kind, set()).update(words)

    def _set_faults(self) -> None:
        def match(name: str, **more: Any) -> dict[str, Any]:
            return {"match": {"prompt": self.prompts[name]}, **more}

        self.stack.control.faults(
            FileFault.model_validate(match("long", kind="huge", size=9 * 1024**2)),
            *(
                PredictionFails.model_validate(match(name, error="out of memory"))
                for name in ("failing", "doomed")
            ),
            *(
                PredictionSlow.model_validate(match(name, running=600))
                for name in ("slow", "stopped", "overdue")
            ),
            CreateFails(
                status=429, retry_after=15, times=1, match=Match(prompt=self.prompts["queued"])
            ),
            # Long enough for the job to wait: it is to be woken, not to find the end already there.
            *(
                PredictionSlow.model_validate(match(name, running=10))
                for name in ("dropped", "doomed")
            ),
            *(
                WebhookFault.model_validate(match(name, kind="drop"))
                for name in ("late", "dropped", "doomed")
            ),
        )

    def ask(self, method: str, path: str, status: int, **more: Any) -> Any:
        takes_no_query = path.startswith(("/models", "/uploads"))
        url, params = f"{self.stack.api.url}{path}", None if takes_no_query else {"userId": USER}
        answer = web.request(method, url, params=params, **more)
        assert answer.status_code == status, answer.text
        kind = answer.headers.get("content-type", "")
        return answer.json() if answer.content and "json" in kind else None

    def invoke(self, function: str, event: object) -> Any:
        return self.stack.invoke(f"{function}Function", event)

    def submit(
        self, name: str, model: str = MODEL, parameters: dict[str, Any] | None = None
    ) -> str:
        body = parameters or {"prompt": self.prompts[name]}
        place = "away" if name == "video" else "there"
        more = {
            "user_id": USER,
            "callback_url": f"{self.client.origin}/{place}",
            "callback_events": ["ended"] if place == "away" else ["started", "ended"],
        }
        key = uuid.uuid4().hex
        self._keep("idempotency key", key)
        return self.stack.api.submit(model, body, key=key, **more)

    def finish(self, job_id: str) -> None:
        self.stack.api.finish(job_id)

    def take_an_admission_back(self) -> None:
        """A job that was admitted by its request, and not started then."""
        event = json.loads((REPOSITORY / "events/steps/reject_request.json").read_text())
        event["input"]["admission"] = {"first": True}
        self.invoke("RejectRequest", event)

    def read_what_is_open(self) -> None:
        for path in ("/models", f"/models/{MODEL}", "/openapi.json", "/docs", "/docs/page.js"):
            self.ask("GET", path, 200)
        self._keep("secret", self.ask("GET", "/webhook-secret", 200)["secret"])
        self.ask("GET", "/console/index.html", 200)
        asked = {"userId": USER, "parameters": {"prompt": "x"}}
        self.ask("POST", f"/models/{MODEL}/estimate", 200, json=asked)

    def refuse(self) -> None:
        """What is refused gives the key, and the place among the jobs, back; a forgery gets nothing."""
        prompt = unique("refused")
        wrong = self.stack.api.generate(
            MODEL, {"prompt": prompt, "width": -1}, key=uuid.uuid4().hex
        )
        assert wrong.status_code == 400, wrong.text
        forgery = unique("forged")
        headers = {"webhook-id": "msg", "webhook-timestamp": "1", "webhook-signature": forgery}
        self.ask("POST", "/webhook/replicate", 401, content=forgery.encode(), headers=headers)
        self._keep("prompt", prompt)
        self._keep("signature", forgery)

    def upload(self) -> str:
        picture = io.BytesIO()
        Image.new("RGB", (320, 192), "red").save(picture, "PNG")
        content = picture.getvalue()
        asked = {"userId": USER, "contentType": "image/png", "size": len(content)}
        form = self.ask("POST", "/uploads", 201, json=asked)
        early = {"user_id": USER, "key": uuid.uuid4().hex}
        answer = self.stack.api.generate("stability-video", {"image": form["handle"]}, **early)
        assert answer.status_code == 400, answer.text
        sent = web.post(form["url"], data=form["fields"], files={"file": ("x", content)})
        assert sent.status_code == 204, sent.text
        self._keep("signature", form["fields"]["x-amz-signature"])
        return str(form["handle"])

    def sweep(self, job_id: str) -> None:
        """A deletion that died at its beginning, files that came after it, and an item that came back."""
        live, now = self.stack.tracking_store(), self.stack.now()
        item = live.get(job_id)
        assert item is not None
        assert item.outcome is not None
        store = {"job": item.job.document(), "outcome": item.outcome.document()}
        live.mark_deleted(job_id, now, now)
        answer = self.stack.client("lambda").invoke(
            FunctionName=self.stack.document["functions"]["StoreMediaFunction"],
            Payload=json.dumps(store).encode(),
        )
        assert json.loads(answer["Payload"].read())["errorType"] == "JobDeleted"
        assert self.invoke("RepairExecution", {"jobId": job_id})["result"] == "swept"
        assert not live.deleted(job_id)
        live.create(item.job, now, None)
        assert self.invoke("RepairExecution", {"jobId": job_id})["result"] == "swept"
        assert live.deleted(job_id)
        self.ask("GET", f"/status/{job_id}", 404)

    def wait_at_the_api(self) -> None:
        """On a busy machine the wait may be too short, and another job is waited for."""

        def answered() -> bool:
            answer = self.stack.api.generate(
                MODEL, {"prompt": unique("waited for")}, user_id=USER, prefer="wait=25"
            )
            assert answer.status_code in {200, 202, 503}, answer.text
            if answer.status_code == 200:
                self.follow(answer.json())
            return answer.status_code == 200

        until(answered)

    def speak_other_protocols(self) -> None:
        """OpenAI's images and an agent: with a file, with a picture in the answer, and a cancel."""
        url, who = self.stack.api.url, {"VSL-User": USER}
        picture = io.BytesIO()
        Image.new("RGB", (320, 192), "blue").save(picture, "PNG")
        form = {"model": "flux-dev", "prompt": unique("edited")}
        files = {"image": ("a.png", picture.getvalue(), "image/png")}

        def edited() -> bool:
            """On a busy machine the wait may be too short."""
            answer = web.post(
                f"{url}/openai/v1/images/edits",
                data=form, files=files, headers=who,
            )  # fmt: skip
            return answer.status_code == 200

        until(edited)
        call: dict[str, Any] = {"name": "generate"}
        call["arguments"] = {"modelId": MODEL, "prompt": self.prompts["slow"], "maximumCost": 1}
        made = self._call_tool(url, who, call)
        canceled = {"name": "cancel_job", "arguments": {"jobId": made["jobId"]}}
        until(lambda: self.stack.api.status(made["jobId"])["status"] == "processing")
        assert self._call_tool(url, who, canceled)["cancelRequested"]
        self.finish(made["jobId"])
        waited = {"modelId": MODEL, "prompt": unique("seen"), "maximumCost": 1, "waitSeconds": 25}
        self._call_tool(url, who, {"name": "generate", "arguments": waited})
        self._call_tool(url, who, {"name": "my_budget", "arguments": {}})

    def _call_tool(self, url: str, who: dict[str, str], call: dict[str, Any]) -> Any:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        answer = web.post(f"{url}/mcp", json=message, headers=who)
        result = answer.json()["result"]
        assert not result["isError"], result
        return result["structuredContent"]

    def cancel_what_is_done_already(self) -> None:
        """A cancel that finds the prediction finished, and nobody has told: it is used."""
        job_id = self.submit("late")
        live = self.stack.tracking_store()
        until(
            lambda: (
                (item := live.get(job_id)) is not None
                and item.task_token is not None
                and self._prediction("late").status == "succeeded"
            )
        )
        waiting = live.get(job_id)
        assert waiting is not None
        self._keep("task token", str(waiting.task_token))
        self.ask("POST", f"/jobs/{job_id}/cancel", 202)
        self.finish(job_id)

    def _prediction(self, name: str) -> Any:
        (made,) = [
            p
            for p in self.stack.control.predictions()
            if p.input.get("prompt") == self.prompts[name]
        ]
        return made

    def look_at(self, job_id: str) -> None:
        """A job that runs is read from its live item."""
        until(lambda: self.stack.api.status(job_id)["status"] == "processing")
        for path in ("/jobs", f"/jobs/{job_id}/timeline"):
            self.ask("GET", path, 200)
        self.operate("GET", "/operations")

    def speak_replicates(self) -> None:
        """Every route of the protocol that reaches a store, while one of its predictions runs."""
        made = self._replicate(
            "POST",
            "/models/black-forest-labs/flux-schnell/predictions",
            json={"input": {"prompt": self.prompts["slow"]}},
        )
        job_id = made["id"]
        until(lambda: self.stack.api.status(job_id)["status"] == "processing")
        self._replicate("GET", "/predictions")
        self._replicate("GET", f"/predictions/{job_id}")
        self._replicate("POST", f"/predictions/{job_id}/cancel")
        self._keep("secret", self._replicate("GET", "/webhooks/default/secret")["key"])
        picture = io.BytesIO()
        Image.new("RGB", (32, 32), "blue").save(picture, "PNG")
        kept = self._replicate("POST", "/files", files={"content": picture.getvalue()})
        self._replicate("GET", "/files")
        self._replicate("DELETE", f"/files/{kept['id']}")
        self.finish(job_id)
        wanted = {"input": {"prompt": unique("told")}, "webhook": f"{self.client.origin}/told"}
        path = "/models/black-forest-labs/flux-schnell/predictions"
        self.finish(self._replicate("POST", path, json=wanted)["id"])
        (told,) = self.client.wait("/told")
        (address,) = json.loads(told.body)["output"]
        assert web.get(address).is_success
        (address,) = self._replicate("GET", f"/predictions/{json.loads(told.body)['id']}")["output"]
        assert web.get(address).is_success

    def _replicate(self, method: str, path: str, **more: Any) -> Any:
        url, headers = f"{self.stack.api.url}/replicate/v1{path}", {"VSL-User": USER}
        answer = web.request(method, url, headers=headers, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def operate(self, method: str, path: str, **more: Any) -> None:
        """As a back end that speaks for no user."""
        url = f"{self.stack.api.url}{path}"
        answer = web.request(method, url, **more)
        assert answer.status_code == 200, answer.text

    def look_at_the_money(self, job_id: str) -> None:
        for path in ("/budget", "/usage"):
            self.ask("GET", path, 200)
        self.operate("GET", f"/ledger?jobId={job_id}")
        self.operate("PUT", "/budgets/stage", json={"period": "total", "limit": None})
        self.operate("GET", "/budgets/stage")
        key = uuid.uuid4().hex
        self._keep("idempotency key", key)
        body, headers = {"userId": "prepaid", "amount": "1"}, {"Idempotency-Key": key}
        self.operate("POST", "/credits", json=body, headers=headers)

    def make_a_key(self) -> None:
        """Known here as everywhere, though this stack asks for none: the authorizer is called as API Gateway
        would."""
        url, given = f"{self.stack.api.url}/keys", {"userId": USER, "expiresIn": 60}
        made = web.post(url, json=given).json()
        self._keep("key", split_key(made["key"])[1], made["key"])
        event = json.loads((REPOSITORY / "events/authorizer/authorize_key.json").read_text())
        event["multiValueHeaders"]["Authorization"] = [f"Bearer {made['key']}"]
        assert self.invoke("AuthorizeKey", event)["context"]["userId"] == USER
        self.operate("GET", "/keys")
        gone = web.delete(f"{url}/{made['keyId']}")
        assert gone.status_code == 204, gone.text

    def fill_a_budget(self) -> None:
        """Its owner's job is told of."""
        self.operate("PUT", "/budgets/filling", json={"period": "day", "limit": "0.003"})
        self.stack.api.run(MODEL, {"prompt": unique("the last")}, user_id="filling")

    def await_slot(self, job_id: str) -> None:
        """A job that has its prediction, or its end, by now goes on at once."""
        event = json.loads((REPOSITORY / "events/steps/await_slot.json").read_text())
        self.invoke("AwaitSlot", {**event, "jobId": job_id, "taskToken": "none"})

    def queue_for_the_provider(self) -> None:
        """A job that is throttled waits, is seen to wait, and is looked after by the poller.

        The dispatcher learns from the tracking items who waits, as after a loss of Redis.
        """
        job_id, live = self.submit("queued"), self.stack.tracking_store()

        def waits() -> bool:
            item = live.get(job_id)
            return item is not None and item.queued_at is not None

        until(waits)
        with redis.Redis.from_url(str(self.stack.document["redisUrl"])) as server:
            server.hdel(slots.KEYS[0], "marked")
        self.ask("GET", "/jobs", 200)
        live.reschedule(job_id, self.stack.now())
        self.invoke("PollPredictions", {})
        self.finish(job_id)

    def stop(self, job_id: str) -> None:
        until(lambda: self.stack.api.status(job_id)["status"] == "processing")
        execution = self.stack.execution(job_id)
        machine = self.stack.client("stepfunctions")
        machine.stop_execution(executionArn=execution["executionArn"])
        self.finish(job_id)

    def run_out_of_time(self, job_id: str) -> None:
        """The engine knows no TimeoutSecondsPath: the step is called as the machine would."""
        until(lambda: self.stack.api.status(job_id)["status"] == "processing")
        answer = self.stack.client("lambda").invoke(
            FunctionName=self.stack.document["functions"]["ResolveTimeoutFunction"],
            Payload=json.dumps({"jobId": job_id}).encode(),
        )
        error = json.loads(answer["Payload"].read())
        assert error["errorType"] in {"PredictionTimedOut", "PredictionCanceled"}, error

    def forget_a_job(self) -> None:
        """A job that was promised two hours ago, and whose execution never began."""
        event = json.loads((REPOSITORY / "events/steps/create_job.json").read_text())
        at = self.stack.now() - timedelta(hours=2)
        event["job"] |= {"jobId": new_job_id(at, uuid.uuid4().hex), "createdAt": iso(at)}
        executions = self.stack.document["stateMachineArn"].replace(":stateMachine:", ":execution:")
        event["executionArn"] = f"{executions}:{event['job']['jobId']}"
        event["key"]["id"] = f"generate-media#{uuid.uuid4().hex}"  # the event's own has another job
        self.invoke("CreateJob", event)

    def poll(self, *job_ids: str) -> None:
        """Until the jobs whose webhooks were lost have been found."""

        def found() -> bool:
            self.invoke("PollPredictions", {})
            items = [self.stack.tracking_store().get(job_id) for job_id in job_ids]
            return all(item is not None and item.outcome is not None for item in items)

        until(found)

    def send_a_webhook_without_address(self) -> None:
        """A webhook whose address was cut off: its job is found by the prediction."""
        body = json.dumps({"id": uuid.uuid4().hex[:26], "status": "succeeded"}).encode()
        now = str(int(time.time()))
        signature = "v1," + sign(self.stack.webhook_secret, "msg_1", now, body)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": "msg_1",
            "webhook-timestamp": now,
            "webhook-signature": signature,
        }
        self.ask("POST", "/webhook/replicate", 404, content=body, headers=headers)

    def look_back(self, job_id: str) -> None:
        """Every address that is handed out is followed: it is worth what its signer may do."""
        self.follow(self.ask("GET", f"/status/{job_id}", 200))
        listed = self.ask("GET", "/jobs", 200)["jobs"]
        self.follow(next(job for job in listed if job["status"] == "succeeded"))
        self.follow(json.loads(self.client.of("/away")[-1].body))
        for path in ("timeline", "callbacks"):
            self.ask("GET", f"/jobs/{job_id}/{path}", 200)
        self.ask("POST", f"/jobs/{job_id}/callbacks/replay", 202)
        self.client.wait("/away", 3)

    def follow(self, status: dict[str, Any]) -> None:
        for url in (status["result"]["originalUrl"], status["result"]["thumbnailUrl"]):
            self._keep("signature", parse_qs(urlsplit(url).query)["X-Amz-Signature"][0])
            answer = web.get(url)
            assert answer.status_code == 200, answer.text
