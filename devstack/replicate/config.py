"""How one stand-in behaves."""

import base64
import secrets
from dataclasses import dataclass, field
from pathlib import Path


def _random_token() -> str:
    return "r8_" + secrets.token_hex(19)[:37]


def _random_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


@dataclass(frozen=True, slots=True)
class Config:
    """Times in seconds, sizes in bytes, rates in requests a minute.

    `speed` multiplies the time models take (1.0: what the real ones take), `duration` replaces it.
    `deadline_scale` multiplies `Cancel-After`, `retry_scale` the webhook's back-off.
    `delivery_url` is where output files are said to live (the real one has a host of its own for
    them); without it, and without `public_url`, addresses are built from the request's own host.
    `models` is the file that keeps the models given at run time.
    """

    token: str = field(default_factory=_random_token)
    webhook_secret: str = field(default_factory=_random_secret)
    username: str = "stand-in"
    speed: float = 1.0
    duration: float | None = None
    deadline_scale: float = 1.0
    output_lifetime: float = 3600.0
    create_rate: int = 600
    create_burst: int | None = None
    other_rate: int = 3000
    webhook_timeout: float = 10.0
    retry_scale: float = 1.0
    webhook_throttle: float = 0.5
    input_timeout: float = 15.0
    max_input_bytes: int = 50 * 1024**2
    sync_data_urls: bool = False
    public_url: str | None = None
    delivery_url: str | None = None
    media_workers: int = 2
    directory: Path | None = None
    models: Path | None = None
