"""What every peer does for one job, apart from how it waits and remembers."""

import os
import time
from functools import cache
from typing import Any

import boto3
import httpx
from botocore.config import Config

MODEL = "black-forest-labs/flux-schnell"


def client() -> Any:
    from replicate.client import Client

    return Client(api_token=os.environ["REPLICATE_API_TOKEN"], base_url=os.environ["REPLICATE_URL"])


def store(url: str, name: str) -> None:
    """Download the output and put it into the bucket."""
    content = httpx.get(url, timeout=30, trust_env=False).content
    s3 = _s3()
    s3.put_object(Bucket=os.environ["BENCH_BUCKET"], Key=f"bench/{name}", Body=content)


def finish(prediction: Any) -> Any:
    """The prediction once it has ended: an answer to Prefer: wait may come a moment before."""
    while prediction.status not in {"succeeded", "failed", "canceled"}:
        time.sleep(0.005)
        prediction.reload()
    if prediction.status != "succeeded":
        raise RuntimeError(f"{prediction.id} {prediction.status}: {prediction.error}")
    return prediction


@cache
def _s3() -> Any:
    return boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
