"""After DELETE no store holds a word of the job: each of them is read from one end to the other."""

import io
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import psycopg
import pytest
import redis
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from devstack.replicate.faults import PredictionFails
from tests.support import web
from tests.support.api import unique
from tests.support.receiver import Receiver, receiver
from tests.support.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

USER = "leaver"
TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
READ_ALL: dict[str, tuple[str, ...]] = {
    "string": ("GET",),
    "hash": ("HGETALL",),
    "set": ("SMEMBERS",),
    "zset": ("ZRANGE", "0", "-1"),
    "list": ("LRANGE", "0", "-1"),
}


@pytest.fixture
def client() -> Iterator[Receiver]:
    with receiver() as client:
        yield client


def in_postgres(stack: Stack) -> Iterator[str]:
    with psycopg.connect(stack.database_url) as sql:
        for schema, table in sql.execute(TABLES).fetchall():
            name = psycopg.sql.Identifier(schema, table)
            rows = sql.execute(psycopg.sql.SQL("SELECT t::text FROM {} t").format(name))
            yield from (f"{table}: {row[0]}" for row in rows)


def in_dynamodb(stack: Stack) -> Iterator[str]:
    dynamodb = stack.client("dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            yield from (f"{table}: {item}" for item in page["Items"])


def in_redis(stack: Stack) -> Iterator[str]:
    with redis.Redis.from_url(str(stack.document["redisUrl"]), decode_responses=True) as client:
        for key in client.scan_iter():
            command, *more = READ_ALL[str(client.type(key))]
            yield f"{key}: {client.execute_command(command, key, *more)}"


def in_s3(stack: Stack) -> Iterator[str]:
    s3, bucket = stack.client("s3"), stack.document["bucket"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", ()):
            found = s3.get_object(Bucket=bucket, Key=entry["Key"])
            yield f"{entry['Key']}: {found['Metadata']} {found['Body'].read().decode('latin-1')}"


def in_queues(stack: Stack) -> Iterator[str]:
    sqs = stack.client("sqs")
    for url in sqs.list_queues().get("QueueUrls", ()):
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        yield from (f"{url}: {message['Body']}" for message in answer.get("Messages", ()))


STORES: Mapping[str, Callable[[Stack], Iterator[str]]] = {
    "PostgreSQL": in_postgres,
    "DynamoDB": in_dynamodb,
    "Redis": in_redis,
    "S3": in_s3,
    "SQS": in_queues,
}


def holding(stack: Stack, word: str) -> dict[str, list[str]]:
    """What holds the word, by store."""
    return {
        name: found
        for name, entries in STORES.items()
        if (found := [entry[:300] for entry in entries(stack) if word in entry])
    }


def ask(stack: Stack, method: str, path: str, status: int, **more: Any) -> Any:
    answer = web.request(
        method,
        f"{stack.api.url}{path}",
        params=None if path == "/uploads" else {"userId": USER},
        **more,
    )
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def upload(stack: Stack, word: str) -> str:
    notes, picture = PngInfo(), io.BytesIO()
    notes.add_text("Comment", word)
    Image.new("RGB", (320, 192), "red").save(picture, "PNG", pnginfo=notes)
    content = picture.getvalue()
    asked = {"userId": USER, "contentType": "image/png", "size": len(content)}
    form = ask(stack, "POST", "/uploads", 201, json=asked)
    files = {"file": ("x", content)}
    sent = web.post(form["url"], data=form["fields"], files=files)
    assert sent.status_code == 204, sent.text
    return str(form["handle"])


def patiently(stack: Stack, generate: Callable[[], httpx.Response]) -> httpx.Response:
    """A busy machine says 503: the same request is sent again, as a client would."""
    while (answer := generate()).status_code == 503:
        pass
    return answer


def test_no_store_holds_a_word_of_a_deleted_job(stack: Stack, client: Receiver) -> None:
    word = uuid.uuid4().hex
    fails = unique("it fails")
    stack.control.faults(
        PredictionFails.model_validate({"match": {"prompt": fails}, "error": f"no {word}, please"})
    )
    client.answers[f"/{word}"] = [500]
    image = upload(stack, word)
    more = {
        "user_id": USER,
        "callback_url": f"{client.origin}/{word}",
        "metadata": {"order": f"no. {word}", word: "a key"},
    }
    requests: list[tuple[str, dict[str, Any]]] = [
        ("minimax-video-01", {"prompt": f"a film of {word}", "first_frame_image": image}),
        ("flux-schnell", {"prompt": fails}),
    ]
    jobs = []
    for model, parameters in requests:
        key = f"{model} {word}"

        def generate(model: str = model, given: Any = parameters, key: str = key) -> httpx.Response:
            return stack.api.generate(model, given, key=key, **more)

        answer = patiently(stack, generate)
        assert answer.status_code == 202, answer.text
        jobs.append((answer.json()["jobId"], generate))
    ended = [stack.api.finish(job_id)["status"] for job_id, _ in jobs]
    assert ended == ["succeeded", "failed"]
    client.wait(f"/{word}", 3)
    for path in ("status", "jobs"):
        shown = ask(stack, "GET", f"/{path}/{jobs[0][0]}", 200)
        assert (shown["prompt"], shown["metadata"]) == (f"a film of {word}", more["metadata"])
    assert holding(stack, word).keys() >= {"PostgreSQL", "DynamoDB", "S3", "Redis"}

    for job_id, _ in jobs:
        ask(stack, "DELETE", f"/jobs/{job_id}", 204)
    assert holding(stack, word) == {}
    for job_id, generate in jobs:
        assert [entry for entry in in_s3(stack) if job_id in entry] == []
        answer = patiently(stack, generate)
        assert (answer.status_code, answer.json()["code"]) == (410, "JobDeleted")
        ask(stack, "GET", f"/status/{job_id}", 404)
        items = [entry for entry in in_dynamodb(stack) if job_id in entry]
        assert [entry for entry in items if USER in entry] == [], "no more than its id is kept"
    assert holding(stack, word) == {}
    assert ask(stack, "GET", "/jobs", 200)["jobs"] == []
