"""What SQS and EventBridge are really sent, against moto."""

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from tests.support.fakes import START
from tests.support.jobs import make_asset, make_job
from vsl.adapters.aws.publishing import AwsEventPublisher
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.job import FinishedJob, JobStatus
from vsl.domain.jobs.status import StatusDocument, finished_document

REGION = "us-east-1"


def document(**changes: Any) -> StatusDocument:
    job = make_job(callback_url="https://client.example/ended?token=secret")
    values: dict[str, Any] = {"assets": (make_asset(),), "logs": "prompt: a lighthouse"}
    return finished_document(FinishedJob(job, JobStatus.SUCCEEDED, START, **(values | changes)))


@pytest.fixture
def clients() -> Iterator[dict[str, Any]]:
    with mock_aws():
        found = {name: boto3.client(name, region_name=REGION) for name in ("sqs", "events")}
        with patch("vsl.adapters.aws.clients.client", lambda name: found[name]):
            yield found


def test_the_queue_gets_the_job_and_the_bus_the_end(clients: dict[str, Any]) -> None:
    sqs, events = clients["sqs"], clients["events"]
    callbacks = sqs.create_queue(QueueName="callbacks")["QueueUrl"]
    heard = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:heard"
    events.put_rule(Name="ends", EventPattern=json.dumps({"source": ["VSL"]}))
    events.put_targets(Rule="ends", Targets=[{"Id": "heard", "Arn": arn}])
    AwsEventPublisher(callbacks, "default").ended(document(), callback=True)

    (message,) = sqs.receive_message(QueueUrl=callbacks)["Messages"]
    assert json.loads(message["Body"]) == {"jobId": document()["jobId"]}
    (message,) = sqs.receive_message(QueueUrl=heard)["Messages"]
    event = json.loads(message["Body"])
    assert event["detail-type"] == "Job Succeeded"
    assert event["detail"]["assets"][0]["s3Key"] == make_asset().s3_key
    for private in ("lighthouse", "client.example"):
        assert private not in message["Body"]
    personal = {"prompt", "metadata", "logs"}
    assert event["detail"] == {k: v for k, v in document().items() if k not in personal}


def test_nobody_is_called_who_did_not_ask(clients: dict[str, Any]) -> None:
    url = clients["sqs"].create_queue(QueueName="callbacks")["QueueUrl"]
    AwsEventPublisher(url, "default").ended(document(), callback=False)
    assert "Messages" not in clients["sqs"].receive_message(QueueUrl=url)


def test_an_event_that_the_bus_refused_was_not_announced(clients: dict[str, Any]) -> None:
    """PutEvents answers 200 and counts what it did not take."""
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
    with (
        patch.object(clients["events"], "put_events", return_value=refused),
        pytest.raises(StoreUnavailable, match="ThrottlingException"),
    ):
        AwsEventPublisher("https://sqs/callbacks", "default").ended(document(), callback=False)
