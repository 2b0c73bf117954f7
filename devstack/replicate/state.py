"""All that one stand-in knows."""

from collections import Counter
from dataclasses import dataclass, field

from devstack.replicate.config import Config
from devstack.replicate.faults import FaultBook
from devstack.replicate.inputs import InputFetcher
from devstack.replicate.lifecycle import Runner
from devstack.replicate.outputs import OutputStore
from devstack.replicate.predictions import Prediction
from devstack.replicate.ratelimit import RateLimit
from devstack.replicate.registry import ModelRegistry
from devstack.replicate.uploads import UploadStore
from devstack.replicate.webhooks import WebhookSender


@dataclass(frozen=True, slots=True)
class State:
    """`book` has every prediction since the last reset, in order of creation; `requests` counts what
    came in, by operation, answered or not."""

    config: Config
    book: dict[str, Prediction]
    models: ModelRegistry
    faults: FaultBook
    outputs: OutputStore
    uploads: UploadStore
    runner: Runner
    create_limit: RateLimit
    other_limit: RateLimit
    requests: Counter[str] = field(default_factory=Counter)

    @classmethod
    def build(cls, config: Config) -> "State":
        book: dict[str, Prediction] = {}
        faults, uploads = FaultBook(), UploadStore()
        outputs = OutputStore(config.output_lifetime, config.directory)
        inputs = InputFetcher(config.input_timeout, config.max_input_bytes, uploads.content_at)
        runner = Runner(config, book, faults, outputs, inputs, WebhookSender(config))
        create_limit = RateLimit(config.create_rate, config.create_burst)
        other_limit = RateLimit(config.other_rate)
        return cls(
            config=config,
            book=book,
            models=ModelRegistry(config.models),
            faults=faults,
            outputs=outputs,
            uploads=uploads,
            runner=runner,
            create_limit=create_limit,
            other_limit=other_limit,
        )

    async def reset(self) -> None:
        """As new, with the models on offer: no predictions, files, uploads, rules or counts."""
        await self.runner.reset()
        self.faults.replace([])
        self.uploads.clear()
        self.create_limit.refill()
        self.other_limit.refill()
        self.requests.clear()
