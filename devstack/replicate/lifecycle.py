"""The life of a prediction: starting → processing → succeeded, failed, canceled or aborted.

https://replicate.com/docs/topics/predictions/lifecycle
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from devstack.replicate.clock import NANOSECONDS, now
from devstack.replicate.config import Config
from devstack.replicate.faults import (
    FaultBook,
    FileFault,
    NsfwFilter,
    OutputNull,
    PredictionFails,
    PredictionSlow,
    first,
)
from devstack.replicate.inputs import InputFetcher
from devstack.replicate.media.request import MediaFile, ModelFailed, Production, Request
from devstack.replicate.model import Model
from devstack.replicate.outputs import OutputStore
from devstack.replicate.predictions import Prediction, Status, new_id
from devstack.replicate.progress import log_lines
from devstack.replicate.webhooks import WebhookSender

_MAX_SEED = 2**31
_OUTPUT_AHEAD = 0.003  # seconds between a file's upload and the end of its prediction
logger = logging.getLogger(__name__)
Stored = tuple[Path, bytes]


class Runner:
    """Creates predictions and lives their lives in background tasks."""

    def __init__(
        self,
        config: Config,
        book: dict[str, Prediction],
        faults: FaultBook,
        outputs: OutputStore,
        inputs: InputFetcher,
        webhooks: WebhookSender,
    ) -> None:
        self._config = config
        self._book = book
        self._faults = faults
        self._outputs = outputs
        self._inputs = inputs
        self._webhooks = webhooks
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pool = ThreadPoolExecutor(config.media_workers, thread_name_prefix="media")

    def create(
        self,
        model: Model,
        asked: dict[str, Any],
        base_url: str,
        *,
        webhook: str | None = None,
        events: tuple[str, ...] | None = None,
        cancel_after: float | None = None,
        deployment: str | None = None,
    ) -> Prediction:
        """Start a prediction; `cancel_after` in seconds from now."""
        created = now()
        deadline = None
        if cancel_after is not None:
            deadline = created + int(cancel_after * self._config.deadline_scale * NANOSECONDS)
        prediction = Prediction(
            id=new_id(),
            model=model,
            asked=asked,
            base_url=base_url,
            created=created,
            webhook=webhook,
            events=events,
            deadline=deadline,
            deployment=deployment,
            faults=self._faults.bind(model.reference, asked),
        )
        self._book[prediction.id] = prediction
        task = asyncio.create_task(self._live(prediction))
        self._tasks[prediction.id] = task
        task.add_done_callback(lambda _task: self._tasks.pop(prediction.id, None))
        return prediction

    def cancel(self, prediction: Prediction) -> None:
        """Cancel at the user's wish; a prediction that has ended stays as it is.

        Canceled before it started it still gets a start: recorded answers show both times equal.
        """
        if prediction.terminal:
            return
        if prediction.started is None:
            prediction.started = now()
        task = self._tasks.get(prediction.id)
        self._finish(prediction, "canceled")
        if task is not None:
            task.cancel()

    def remove_expired(self) -> None:
        """Forget inputs, outputs and logs of what ended longer ago than outputs live."""
        self._outputs.sweep()
        oldest = now() - int(self._config.output_lifetime * NANOSECONDS)
        for prediction in self._book.values():
            if prediction.completed is not None and prediction.completed <= oldest:
                prediction.output, prediction.data_removed = None, True

    async def reset(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._webhooks.reset()
        for prediction in self._book.values():  # lets go of requests that wait for them
            prediction.outputs_ready.set()
            prediction.end_announced.set()
        self._book.clear()
        self._outputs.clear()

    async def close(self) -> None:
        await self.reset()
        await self._webhooks.close()
        await self._inputs.close()
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        self._outputs.close()

    async def _live(self, prediction: Prediction) -> None:
        remaining = None
        if prediction.deadline is not None:
            remaining = max(0.0, (prediction.deadline - now()) / NANOSECONDS)
        try:
            async with asyncio.timeout(remaining):
                await self._start(prediction)
                await self._process(prediction)
        except TimeoutError:
            self._finish(prediction, "aborted" if prediction.started is None else "canceled")
        except ModelFailed as failure:
            prediction.error = str(failure)
            self._finish(prediction, "failed")
        except Exception as error:  # a model that crashes is a failed prediction
            logger.exception("the stand-in's model crashed")
            prediction.error = str(error) or type(error).__name__
            self._finish(prediction, "failed")
        else:
            self._finish(prediction, "succeeded")

    async def _start(self, prediction: Prediction) -> None:
        slow = first(prediction.faults, PredictionSlow)
        boot = prediction.model.boot_seconds * self._config.speed
        await asyncio.sleep(boot if slow is None or slow.starting is None else slow.starting)
        prediction.started = now()
        if prediction.model.official:
            prediction.status = "processing"
        self._webhooks.emit(prediction, "start")  # its body may say starting or processing
        prediction.status = "processing"

    async def _process(self, prediction: Prediction) -> None:
        model, faults = prediction.model, prediction.faults
        asked = model.with_defaults(prediction.asked)
        seed = _seed(asked.get("seed"))
        if fails := first(faults, PredictionFails):
            await self._pass_time(prediction, asked, seed)
            raise ModelFailed(fails.error)
        nsfw = first(faults, NsfwFilter)
        request = Request(
            model=model.reference,
            input=asked,
            files=await self._inputs.fetch_all(model.interface, prediction.asked),
            seed=seed,
            flagged=None if nsfw is None else nsfw.flagged or -1,
        )
        work = asyncio.get_running_loop().run_in_executor(self._pool, self._make, model, request)
        shown = first(faults, OutputNull) is None
        try:
            if shown and model.interface.grows:
                output = self._publish(prediction, *await work)
                await self._pass_time(prediction, asked, seed, self._revealing(prediction, output))
            else:
                await self._pass_time(prediction, asked, seed)
                output = self._publish(prediction, *await work) if shown else None
        finally:
            work.cancel()
        prediction.output = output
        prediction.outputs_ready.set()
        self._webhooks.emit(prediction, "output")
        await asyncio.sleep(_OUTPUT_AHEAD)

    def _make(self, model: Model, request: Request) -> tuple[Production, list[Stored]]:
        production = model.produce(request)
        return production, [self._outputs.write(file.content) for file in production.files]

    async def _pass_time(
        self,
        prediction: Prediction,
        asked: dict[str, Any],
        seed: int,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        """Take as long as the model would, writing its log; `progress` is told the part that is done."""
        slow = first(prediction.faults, PredictionSlow)
        seconds = running_time(self._config, prediction.model, asked, seed)
        if slow is not None and slow.running is not None:
            seconds = slow.running
        lines = log_lines(prediction.model, asked, seed)
        for index, line in enumerate(lines):
            prediction.logs += line
            self._webhooks.emit(prediction, "logs")
            if progress is not None:
                progress(index / len(lines))
            await asyncio.sleep(seconds / len(lines))

    def _revealing(self, prediction: Prediction, output: list[Any]) -> Callable[[float], None]:
        """Shows as much of a list as is done."""

        def reveal(part: float) -> None:
            shown = output[: int(len(output) * part)]
            if len(shown) > len(prediction.output or ()):
                prediction.output = shown
                self._webhooks.emit(prediction, "output")

        return reveal

    def _publish(self, prediction: Prediction, production: Production, stored: list[Stored]) -> Any:
        """The output with the addresses of its files, which can be fetched from now on."""
        origin = self._config.delivery_url or prediction.base_url
        faults = tuple(rule for rule in prediction.faults if isinstance(rule, FileFault))
        places = enumerate(stored)

        def address(media: MediaFile) -> str:
            index, (path, md5) = next(places)
            file = self._outputs.add(
                path,
                md5,
                name=media.name,
                index=index,
                content_type=media.content_type,
                faults=faults,
            )
            return origin + file.location

        prediction.output_count = len(stored)
        prediction.logs += production.logs
        return production.with_addresses(address)

    def _finish(self, prediction: Prediction, status: Status) -> None:
        """The end, once: status, time, webhook. `aborted` has none: its event is not documented."""
        if prediction.terminal:
            return
        prediction.status = status
        prediction.completed = now()
        prediction.outputs_ready.set()
        if status == "aborted":
            prediction.end_announced.set()
        else:
            self._webhooks.emit(prediction, "completed")


def running_time(config: Config, model: Model, asked: dict[str, Any], seed: int) -> float:
    """Seconds, a little more or less by the seed."""
    if config.duration is not None:
        return config.duration
    return model.seconds(asked) * config.speed * (0.97 + seed % 7 / 100)


def _seed(given: object) -> int:
    return given if isinstance(given, int) and given != -1 else secrets.randbelow(_MAX_SEED)
