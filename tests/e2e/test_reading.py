"""The reading API on the running stack: list and timeline."""

import time
from typing import Any

import httpx
import psycopg
import pytest
import redis

from tests.support import web
from tests.support.api import unique
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e


def get(stack: Stack, path: str, **query: str) -> httpx.Response:
    return web.get(f"{stack.api.url}{path}", params=query)


def pages(stack: Stack, **query: str) -> list[dict[str, Any]]:
    """All jobs of a list, page by page."""
    found: list[dict[str, Any]] = []
    for _ in range(20):
        answer = get(stack, "/jobs", **query)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body["jobs"]
        if body["nextCursor"] is None:
            return found
        query["cursor"] = body["nextCursor"]
    raise AssertionError("the list does not end")


def test_a_users_jobs_page_by_page_and_where_their_time_went(stack: Stack) -> None:
    user = unique("lister").replace(" ", "-")
    ids = [
        stack.api.submit("flux-schnell", {"prompt": unique("a lake")}, user_id=user)
        for _ in range(3)
    ]
    listed = pages(stack, userId=user, limit="2")
    assert [job["jobId"] for job in listed] == ids[::-1]
    ended = [stack.api.finish(job_id) for job_id in ids]
    listed = pages(stack, userId=user, status="succeeded")
    assert [job["jobId"] for job in listed] == ids[::-1]
    assert [job["outputs"][0]["sha256"] for job in listed] == [
        job["result"]["sha256"] for job in reversed(ended)
    ]
    thumbnail = web.get(listed[0]["result"]["thumbnailUrl"])
    assert thumbnail.headers["content-type"] == "image/webp"
    assert pages(stack, userId=user, status="failed") == []
    told = get(stack, f"/jobs/{ids[0]}/timeline", userId=user).json()
    assert [segment["name"] for segment in told["segments"]] == [
        "validate", "rate_limit", "start", "submit", "queue", "run", "notify", "wake", "store",
        "finalize",
    ]  # fmt: skip
    total = sum(segment["seconds"] for segment in told["segments"])
    assert round(total, 3) == told["wallTime"] > 0
    assert get(stack, f"/jobs/{ids[0]}/timeline", userId="stranger").status_code == 404


def test_a_list_that_is_asked_for_wrongly(stack: Stack) -> None:
    answer = get(stack, "/jobs", limit="0", status="done")
    assert answer.status_code == 400
    assert [field["field"] for field in answer.json()["fields"]] == ["status", "limit"]


def test_a_long_poll_ends_with_the_job_and_the_answer_is_sent_once(stack: Stack) -> None:
    job_id = stack.api.submit("flux-schnell", {"prompt": unique("a bridge")}, user_id="poller")
    asked = 0
    status = ""
    while status not in {"succeeded", "failed"}:
        answer = get(stack, f"/status/{job_id}", wait="20", userId="poller")
        status, asked = answer.json()["status"], asked + 1
    assert status == "succeeded"
    assert asked <= 4, "one answer for each status"
    body = get(stack, f"/status/{job_id}", include="parameters").json()
    assert body["progress"] == 1.0
    assert "100%|" in body["logs"]
    assert body["parameters"]["prompt"].startswith("a bridge")
    tag = get(stack, f"/status/{job_id}").headers["etag"]
    again = web.get(f"{stack.api.url}/status/{job_id}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("key", ["{waits}:user:waiter", "{waits}:all"])
def test_a_wait_without_a_place_is_answered_at_once(stack: Stack, key: str) -> None:
    """The places are taken as other waits take them. Whoever held them must not come back for them."""
    job_id = stack.api.submit("minimax-video-01", {"prompt": unique("a fox")}, user_id="waiter")
    with redis.Redis.from_url(stack.document["redisUrl"]) as raw:
        end = (time.time() + 600) * 1000
        others = {f"somebody-{number}": end for number in range(100)}
        raw.zadd(key, others)
        try:
            answer = get(stack, f"/status/{job_id}", wait="25", userId="waiter")
            waited = stack.api.generate(
                "flux-schnell", {"prompt": unique("now")}, user_id="waiter", prefer="wait=25"
            )
        finally:
            raw.zrem(key, *others)
        assert (answer.status_code, answer.headers["retry-after"]) == (200, "2")
        assert (waited.status_code, waited.headers["retry-after"]) == (202, "2")
        assert "preference-applied" not in waited.headers
        answer = get(stack, f"/status/{job_id}", wait="25", userId="waiter")
        assert "retry-after" not in answer.headers
        assert raw.exists("{waits}:user:waiter", "{waits}:all") == 0, "every place is given back"
    for each in (job_id, waited.json()["jobId"]):
        stack.api.finish(each)


def test_a_wait_that_is_too_long_is_refused(stack: Stack) -> None:
    answer = get(stack, "/status/01994a3c-0000-7000-8000-000000000000", wait="26")
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")


def test_a_deleted_job_is_gone_from_every_route(stack: Stack) -> None:
    user = unique("deleter").replace(" ", "-")
    job_id = stack.api.submit("flux-schnell", {"prompt": unique("a secret")}, user_id=user)
    delete = f"{stack.api.url}/jobs/{job_id}"
    result = stack.api.finish(job_id)["result"]
    prefix = result["s3Path"].rpartition("/")[0].removeprefix("media/")
    stranger = web.delete(delete, params={"userId": "stranger"})
    assert stranger.status_code == 404
    done = web.delete(delete, params={"userId": user})
    assert (done.status_code, done.content) == (204, b"")
    for path in (f"/status/{job_id}", f"/jobs/{job_id}/timeline"):
        assert get(stack, path).status_code == 404
    for method, url in (("DELETE", delete), ("POST", f"{delete}/cancel")):
        assert web.request(method, url).status_code == 404
    assert pages(stack, userId=user) == []
    for url in (result["originalUrl"], result["thumbnailUrl"]):
        assert web.get(url).status_code == 404
    s3 = stack.client("s3")
    for folder in ("media/", "thumbnails/"):
        listed = s3.list_objects_v2(Bucket=stack.document["bucket"], Prefix=folder + prefix)
        assert listed["KeyCount"] == 0
    with psycopg.connect(stack.database_url) as sql:
        row = sql.execute(
            "SELECT jobs, cost > 0 FROM usage_by_user_day WHERE user_id = %s", (user,)
        ).fetchone()
    assert row == (1, True)


def test_a_running_job_is_not_deleted(stack: Stack) -> None:
    job_id = stack.api.submit("minimax-video-01", {"prompt": unique("a long film")})
    url = f"{stack.api.url}/jobs/{job_id}"
    early = web.delete(url)
    assert (early.status_code, early.json()["code"]) == (409, "JobNotEnded")
    web.post(f"{url}/cancel")
    assert stack.api.finish(job_id)["status"] == "canceled"
    assert web.delete(url).status_code == 204


def test_the_api_describes_itself(stack: Stack) -> None:
    document = get(stack, "/openapi.json").json()
    assert document["servers"] == [{"url": stack.api.url}]
    assert "/jobs/{jobId}/timeline" in document["paths"]
    page = get(stack, "/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.endswith("</html>")
