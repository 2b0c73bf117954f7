"""Settings from the environment: typed, read once, never at import. Secrets are not among them.

`DEFAULTS` is what a function runs with when its environment is silent; `template.yaml` sets the
rest. Secrets live in SSM under `SSM_PREFIX` (see `adapters.aws.parameters`).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from vsl.domain.errors import ConfigurationError
from vsl.domain.jobs.job import MediaType
from vsl.domain.money.amounts import parse_dollars
from vsl.domain.money.budgets import BudgetDefaults


@dataclass(frozen=True, slots=True)
class Settings:
    """One deployment's settings; times in seconds, sizes in bytes."""

    stage: str
    api_auth: str
    cognito_client_ids: tuple[str, ...]
    """The app clients of the user pool whose tokens are good here."""
    api_urls: tuple[str, ...]
    """Where the API stands, the usual address first; empty: where API Gateway puts it."""
    api_domain: str
    """What follows the API's id in API Gateway's own address."""
    jobs_table: str
    idempotency_table: str
    api_keys_table: str
    media_bucket: str
    ssm_prefix: str
    models_config: str
    model_aliases: str
    """What clients of OpenAI's API call models: `name=modelId`, separated by commas."""
    hardware_config: str
    replicate_api_url: str
    download_origins: tuple[str, ...]
    allow_http_inputs: bool
    media_access: str
    media_delivery: str
    """Where stored files are read: `presigned` addresses of S3, or those of a `cloudfront` distribution."""
    owner_names: str
    """What stands for the user in the keys of objects: `user-id` or `opaque`."""
    signed_url_seconds: int
    rate_limit_per_hour: int
    concurrent_jobs: int
    budgets: BudgetDefaults
    waits_per_user: int
    waits_at_once: int
    submission_grace_seconds: int
    max_output_bytes: int
    max_upload_bytes: Mapping[MediaType, int]
    generate_media: str
    """The API workflow's ARN, for functions that submit jobs themselves."""
    repair_function: str
    poll_function: str
    dispatch_function: str
    creations_per_minute: int
    queue_wait_seconds: int
    queue_limit: int
    """How many jobs may wait for the provider; 0: any number."""
    provider_reads_per_minute: int
    callbacks_queue: str
    event_bus: str
    cors_origins: tuple[str, ...]

    @property
    def local(self) -> bool:
        return self.stage == "local"


@cache
def settings() -> Settings:
    """The settings of this process. Raises ConfigurationError naming what is missing."""
    return Settings(
        stage=_text("STAGE"),
        api_auth=_text("API_AUTH"),
        cognito_client_ids=_list("COGNITO_CLIENT_IDS", ""),
        api_urls=_list("API_URLS", ""),
        api_domain=_text("API_DOMAIN", ""),
        jobs_table=_text("DYNAMODB_TABLE"),
        idempotency_table=_text("IDEMPOTENCY_TABLE", ""),
        api_keys_table=_text("CALLERS_TABLE", ""),
        media_bucket=_text("S3_BUCKET", ""),
        ssm_prefix=_text("SSM_PREFIX"),
        models_config=_text("MODELS_CONFIG", "/opt/config/models.json"),
        model_aliases=_text("MODEL_ALIASES", ""),
        hardware_config=_text("HARDWARE_CONFIG", "/opt/config/hardware.json"),
        replicate_api_url=_text("REPLICATE_API_URL", "https://api.replicate.com/v1"),
        download_origins=_list(
            "DOWNLOAD_ORIGINS", "https://replicate.delivery,https://*.replicate.delivery"
        ),
        allow_http_inputs=_text("ALLOW_HTTP_INPUTS", "false") == "true",
        media_access=_text("MEDIA_ACCESS", "private"),
        media_delivery=_text("MEDIA_DELIVERY", "presigned"),
        owner_names=_text("OWNER_NAMES", "user-id"),
        signed_url_seconds=_integer("SIGNED_URL_SECONDS", 3600),
        rate_limit_per_hour=_integer("RATE_LIMIT_PER_HOUR", 100),
        concurrent_jobs=_integer("CONCURRENT_JOBS", 20),
        budgets=BudgetDefaults(
            user_day=_dollars("USER_DAILY_BUDGET"),
            user_month=_dollars("USER_MONTHLY_BUDGET"),
            stage_day=_dollars("STAGE_DAILY_BUDGET"),
            stage_month=_dollars("STAGE_MONTHLY_BUDGET"),
            prepaid=_text("PREPAID_USERS", "false") == "true",
            unpriced=_text("UNPRICED_MODELS", "REFUSED") == "ALLOWED",
        ),
        waits_per_user=_integer("WAITS_PER_USER", 5),
        waits_at_once=_integer("WAITS_AT_ONCE", 100),
        submission_grace_seconds=_integer("SUBMISSION_GRACE_SECONDS", 90),
        max_output_bytes=_integer("MAX_OUTPUT_BYTES", 4 * 1024**3),
        max_upload_bytes={
            MediaType.IMAGE: _integer("MAX_IMAGE_UPLOAD_BYTES", 20 * 1024**2),
            MediaType.AUDIO: _integer("MAX_AUDIO_UPLOAD_BYTES", 50 * 1024**2),
            MediaType.VIDEO: _integer("MAX_VIDEO_UPLOAD_BYTES", 200 * 1024**2),
        },
        generate_media=_text("GENERATE_MEDIA", ""),
        repair_function=_text("REPAIR_FUNCTION", ""),
        poll_function=_text("POLL_FUNCTION", ""),
        dispatch_function=_text("DISPATCH_FUNCTION", ""),
        creations_per_minute=_integer("CREATIONS_PER_MINUTE", 600),
        queue_wait_seconds=_integer("QUEUE_WAIT_SECONDS", 6 * 3600),
        queue_limit=_integer("QUEUE_LIMIT", 10_000),
        provider_reads_per_minute=_integer("PROVIDER_READS_PER_MINUTE", 3000),
        callbacks_queue=_text("CALLBACKS_QUEUE", ""),
        event_bus=_text("EVENT_BUS", "default"),
        cors_origins=_list("CORS_ORIGINS", ""),
    )


def _text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise ConfigurationError(f"The environment variable {name} is not set.", variable=name)
    return value


def _list(name: str, default: str) -> tuple[str, ...]:
    parts = _text(name, default).replace(" ", "").split(",")
    return tuple(part for part in parts if part)


def _integer(name: str, default: int) -> int:
    text = _text(name, str(default))
    try:
        return int(text)
    except ValueError:
        message = f"The environment variable {name} is not a whole number: {text!r}."
        raise ConfigurationError(message, variable=name) from None


def _dollars(name: str) -> int | None:
    """Micro-dollars; None for an empty text: no limit."""
    text = _text(name, "").strip()
    try:
        return parse_dollars(text) if text else None
    except ValueError as error:
        message = f"The environment variable {name} {error}: {text!r}."
        raise ConfigurationError(message, variable=name) from None
