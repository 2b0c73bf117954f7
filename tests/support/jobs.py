"""Jobs for tests, and the tracking table as `template.yaml` defines it."""

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from tests.support.fakes import START
from tests.support.template import REPOSITORY, resource
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import Job, MediaAsset, MediaType
from vsl.domain.jobs.status import AskedDocument, StatusDocument
from vsl.domain.predictions.search import Intent

INTENT = Intent.of("claim-1", "black-forest-labs/flux-schnell", {"prompt": "a lighthouse"})


def make_job(seed: str = "job", at: datetime = START, **changes: Any) -> Job:
    values: dict[str, Any] = {
        "job_id": new_job_id(at, seed),
        "user_id": "user-1",
        "media_type": MediaType.IMAGE,
        "model_id": "flux-schnell",
        "parameters": {"prompt": "a lighthouse", "width": 1024, "height": 1024, "num_outputs": 1},
        "estimated_time": 5.0,
        "estimated_cost": Decimal("0.003"),
        "timeout_seconds": 120,
        "created_at": at,
    }
    return Job(**(values | changes))


@cache
def catalogue() -> Catalogue:
    """The product's own catalogue."""
    return Catalogue.parse((REPOSITORY / "config" / "models.json").read_text())


def as_kept(document: StatusDocument | None) -> dict[str, Any] | None:
    """As the tracking item has it: what was asked is PostgreSQL's alone."""
    left_out = AskedDocument.__annotations__
    return document and {name: value for name, value in document.items() if name not in left_out}


def make_asset(index: int = 0) -> MediaAsset:
    return MediaAsset(
        index=index,
        s3_key=f"media/user-1/image/2026/03/01/job/{index}-out.webp",
        content_type="image/webp",
        file_size=1234,
        sha256="0" * 64,
        thumbnail_key=f"thumbnails/user-1/image/2026/03/01/job/{index}-out.webp",
        width=1024,
        height=1024,
    )


def create_table(client: Any, logical_id: str, name: str) -> None:
    """Create a DynamoDB table out of the template's own definition."""
    properties = resource(logical_id)["Properties"]
    arguments = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": properties["AttributeDefinitions"],
        "KeySchema": properties["KeySchema"],
    }
    if "GlobalSecondaryIndexes" in properties:
        arguments["GlobalSecondaryIndexes"] = properties["GlobalSecondaryIndexes"]
    client.create_table(**arguments)
