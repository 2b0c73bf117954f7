"""Jobs and signed webhooks made ready for a measurement, without a prediction behind them."""

import json
import secrets
import time
from datetime import timedelta
from typing import Any

from tests.support.jobs import INTENT, make_job
from tests.support.stack import Stack
from vsl.adapters.dynamodb.tracking_store import DynamoTrackingStore
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import Job
from vsl.domain.predictions.signature import sign


def submitted_job(stack: Stack, tracking: DynamoTrackingStore) -> tuple[Job, str]:
    """A job whose prediction runs, and the prediction's id."""
    now = stack.now()
    job = make_job(secrets.token_hex(8), now, job_id=new_job_id(now))
    replicate_id = "bench" + secrets.token_hex(10)
    tracking.create(job, now + timedelta(minutes=7), None)
    tracking.write_intent(job.job_id, 1, now, now + timedelta(minutes=5), INTENT)
    tracking.record_prediction(job.job_id, 1, replicate_id, now, "workflow")
    return job, replicate_id


def webhook_event(stack: Stack, tracking: DynamoTrackingStore | None = None) -> dict[str, Any]:
    """The proxy event of the first terminal webhook of a fresh job."""
    job, replicate_id = submitted_job(stack, tracking or stack.tracking_store())
    body = json.dumps(
        {
            "id": replicate_id,
            "status": "succeeded",
            "output": ["https://replicate.delivery/bench/out-0.webp"],
            "metrics": {"predict_time": 0.2, "total_time": 0.3},
            "logs": "",
            "webhook": f"{stack.api.url}/webhook/replicate?jobId={job.job_id}&attempt=1",
        }
    )
    identifier, now = f"msg_{secrets.token_hex(8)}", str(int(time.time()))
    signature = sign(stack.webhook_secret, identifier, now, body.encode())
    return {
        "headers": {
            "webhook-id": identifier,
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{signature}",
        },
        "queryStringParameters": {"jobId": job.job_id, "attempt": "1"},
        "pathParameters": None,
        "body": body,
        "isBase64Encoded": False,
    }
