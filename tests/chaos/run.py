"""Many jobs on a stack that is being taken apart: submit, disturb, wait, check."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from tests.chaos.check import Verdict, check
from tests.chaos.plan import PlannedJob, plan
from tests.chaos.process_killer import ProcessKiller, restart_postgres, restart_valkey
from tests.support import web
from tests.support.stack import Stack

AT_ONCE = 8
POLL_EVERY = 3.0
ENDED = {"succeeded", "failed", "canceled"}


@dataclass(frozen=True, slots=True)
class Report:
    verdict: Verdict
    jobs: int
    seconds: float
    kills: dict[str, int]
    faults: dict[str, int]


def run(
    stack: Stack,
    jobs: int,
    seed: int,
    *,
    patience: float,
    say: Callable[[str], None],
    kill_every: float = 2.0,
) -> Report:
    """A worker is killed every `kill_every` seconds or so. Raises TimeoutError when a job has not
    ended after `patience` seconds."""
    began = time.monotonic()
    planned = plan(jobs, seed)
    stack.control.faults(*(rule for job in planned for rule in job.rules))
    accepted: dict[str, PlannedJob] = {}
    middle = threading.Timer(jobs * 0.25, _restart_stores, (stack, say))
    with ProcessKiller(stack, seed, every=kill_every) as havoc, _Poller(stack):
        middle.start()
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                for job, job_id in zip(
                    planned,
                    pool.map(lambda job: _run_one(stack, job, patience), planned),
                    strict=True,
                ):
                    accepted[job_id] = job
                    if len(accepted) % 20 == 0:
                        say(f"{len(accepted)} of {jobs} jobs have ended")
        finally:
            middle.cancel()
            middle.join()
    stack.control.faults()
    counted: dict[str, int] = {}
    for job in planned:
        for fault in job.faults:
            counted[fault] = counted.get(fault, 0) + 1
    seconds = time.monotonic() - began
    return Report(check(stack, accepted), jobs, seconds, dict(havoc.kills), counted)


def _run_one(stack: Stack, job: PlannedJob, patience: float) -> str:
    """Submit as a careful client does, with a key, so that a repeated request is the same job."""
    deadline = time.monotonic() + patience
    job_id = ""
    while not job_id:
        answer = _try(
            lambda: stack.api.generate(
                "flux-schnell",
                {"prompt": job.prompt, "num_outputs": job.outputs},
                key=job.prompt,
                user_id=f"chaos-{hash(job.prompt) % 10}",
            )
        )
        if answer is not None and answer.status_code == 202:
            job_id = answer.json()["jobId"]
        else:
            _wait(deadline, job)
    while True:
        answer = _try(lambda: web.get(f"{stack.api.url}/status/{job_id}"))
        if answer is not None and answer.status_code == 200 and answer.json()["status"] in ENDED:
            return job_id
        _wait(deadline, job)


def _try(call: Callable[[], httpx.Response]) -> httpx.Response | None:
    try:
        return call()
    except httpx.TransportError:
        return None


def _wait(deadline: float, job: PlannedJob) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(f"{job.prompt} ({', '.join(job.faults)}) has not ended")
    time.sleep(0.5)


def _restart_stores(stack: Stack, say: Callable[[str], None]) -> None:
    restart_valkey(stack)
    restart_postgres(stack)
    say("PostgreSQL and Valkey were torn down")


class _Poller:
    """The minute's schedule in quick motion."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="poller")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(POLL_EVERY):
            try:
                self._stack.invoke("PollPredictionsFunction", {})
            except AssertionError:
                continue  # this run was killed; the next one finds what it left
