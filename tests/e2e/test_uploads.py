"""A user's own file as the input of a job, from the form to the finished video."""

import io
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.support import web
from tests.support.api import unique
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e


def ask(stack: Stack, **body: Any) -> httpx.Response:
    return web.post(f"{stack.api.url}/uploads", json=body)


def send(form: dict[str, Any], content: bytes) -> httpx.Response:
    """As a browser would: the fields, and the file last."""
    return web.post(form["url"], data=form["fields"], files={"file": ("x", content)})


def picture() -> bytes:
    """A red picture of an unusual size, to be known again."""
    content = io.BytesIO()
    Image.new("RGB", (320, 192), "red").save(content, "PNG")
    return content.getvalue()


def refusal(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    return {field["field"]: field["message"] for field in answer.json()["fields"]}


def test_an_uploaded_image_becomes_a_video(stack: Stack) -> None:
    user, content = unique("u|@").replace(" ", "-"), picture()
    answer = ask(stack, userId=user, contentType="image/png", size=len(content), fileName="a.png")
    assert answer.status_code == 201, answer.text
    form = answer.json()
    parameters = {
        "image": form["handle"],
        "num_frames": 14,
        "sizing_strategy": "use_image_dimensions",
    }
    early = refusal(stack.api.generate("stability-video", parameters, user_id=user))
    assert "was not found" in early["parameters.image"]
    assert send(form, content + b"more").status_code == 400, "not the size that was told"
    assert send(form, content).status_code == 204
    stranger = refusal(stack.api.generate("stability-video", parameters, user_id="stranger"))
    assert stranger == early
    audio = refusal(
        stack.api.generate("musicgen", {"prompt": "x", "input_audio": form["handle"]}, user_id=user)
    )
    assert "wanted is audio" in audio["parameters.input_audio"]
    job_id = stack.api.submit("stability-video", parameters, user_id=user)
    ended = stack.api.finish(job_id)
    assert ended["status"] == "succeeded", ended
    assert (ended["result"]["width"], ended["result"]["height"]) == (320, 192)
    told = web.get(f"{stack.api.url}/status/{job_id}?include=parameters").json()
    assert told["parameters"]["image"] == form["handle"]
    (made,) = [p for p in stack.control.predictions() if job_id in str(p.webhook)]
    assert "X-Amz-Signature" in made.input["input_image"]


def test_an_upload_that_is_asked_for_wrongly(stack: Stack) -> None:
    assert refusal(ask(stack, userId="u", contentType="image/svg+xml")).keys() == {"contentType"}
    wrong = ask(stack, userId="u", contentType="audio/wav", size=10**9, fileName="../x")
    assert refusal(wrong).keys() == {"fileName", "size"}
