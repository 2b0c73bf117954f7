"""Files come out of a form byte for byte, whatever is in them."""

import base64
import random

import httpx

from vsl.runtime.multipart import form_of


def test_any_bytes() -> None:
    draw = random.Random(7)
    contents = [
        b"",
        b"\r\n",
        b"\r\n\r\n--",
        b"a\rb\nc\r\n",
        bytes(range(256)) * 3,
        draw.randbytes(9999),
    ]
    contents += [bytes(draw.choices(b"\r\n-\x00\xff", k=200)) for _ in range(20)]
    for content in contents:
        request = httpx.Request(
            "POST", "http://x", data={"n": "2"}, files={"image": ("a.png", content, "image/png")}
        )
        body = base64.b64encode(request.read()).decode()
        form = form_of({"headers": dict(request.headers), "body": body, "isBase64Encoded": True})
        assert form.files["image"][0].content == content
        assert form.fields == {"n": ["2"]}
