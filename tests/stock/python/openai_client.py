"""OpenAI's own client, with a base URL and a key: `openai_client.py URL SCENARIO PROMPT [KEY]`."""

import base64
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import openai

URL, SCENARIO, PROMPT, *REST = sys.argv[1:]
CLIENT = openai.OpenAI(base_url=f"{URL}/openai/v1", api_key="of-the-deployment")
MODEL = "flux-schnell"


def works() -> Any:
    """What a client reads today (both), and what it may ask for."""
    both = CLIENT.images.generate(model=MODEL, prompt=PROMPT, n=2, size="1024x1536", user="u-17")
    by_url = CLIENT.images.generate(model=MODEL, prompt=PROMPT, response_format="url")
    picture = CLIENT.images.generate(
        model="flux-dev", prompt=PROMPT, response_format="b64_json", output_format="jpeg"
    )
    content = base64.b64decode(picture.data[0].b64_json)
    edited = CLIENT.images.edit(
        model="sdxl", prompt=PROMPT, image=content, mask=("mask.jpg", content), size="512x512"
    )
    return {
        "models": [model.id for model in CLIENT.models.list()],
        "model": CLIENT.models.retrieve("sdxl").id,
        "both": [[bool(image.url), bool(image.b64_json)] for image in both.data],
        "url": [by_url.data[0].url, by_url.data[0].b64_json],
        "jpeg": content[:3].hex(),
        "edited": edited.data[0].url,
    }


def refused() -> Any:
    """Each with the class that the client raises."""
    wrong: Mapping[str, Mapping[str, Any]] = {
        "model": {"model": "dall-e-9"},
        "n": {"n": 9},
        "size": {"size": "1792x1024"},
        "quality": {"quality": "hd"},
        "seed": {"extra_body": {"seed": "many"}},
        "media": {"model": "musicgen"},
    }
    told = {}
    for name, members in wrong.items():
        try:
            CLIENT.images.generate(**{"model": MODEL, "prompt": PROMPT, **members})
        except openai.APIStatusError as error:
            told[name] = [type(error).__name__, error.code, error.param, error.type]
    return told


def one() -> Any:
    """One picture, or the error."""
    client = CLIENT.with_options(max_retries=int(REST[1])) if REST[1:] else CLIENT
    headers = {"Idempotency-Key": REST[0]} if REST and REST[0] else {}
    try:
        made = client.images.generate(
            model=MODEL, prompt=PROMPT, response_format="url", extra_headers=headers
        )
    except openai.APIStatusError as error:
        return {"error": [type(error).__name__, error.code, error.message]}
    return {"url": made.data[0].url}


def keys() -> Any:
    """What each key of REST gets; the first also where it names another user than its own."""
    callers: list[tuple[str, Mapping[str, str]]] = [(key, {}) for key in REST]
    told = []
    for key, headers in [*callers, (REST[0], {"VSL-User": "another"})]:
        client = openai.OpenAI(
            base_url=f"{URL}/openai/v1", api_key=key, default_headers=headers, max_retries=2
        )
        try:
            client.images.generate(model=MODEL, prompt=PROMPT, response_format="url")
        except openai.APIStatusError as error:
            told.append([type(error).__name__, error.status_code, error.code])
        else:
            told.append(["works"])
    return told


SCENARIOS: Mapping[str, Callable[[], Any]] = {
    "works": works,
    "refused": refused,
    "one": one,
    "keys": keys,
}
print(json.dumps(SCENARIOS[SCENARIO]()))
