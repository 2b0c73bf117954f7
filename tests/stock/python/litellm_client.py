"""LiteLLM's image generation with an `api_base`: `litellm_client.py URL SCENARIO PROMPT`."""

import io
import json
import sys
from typing import Any

import litellm

URL, SCENARIO, PROMPT = sys.argv[1:]
AT = {"api_base": f"{URL}/openai/v1", "api_key": "of-the-deployment"}
# The smallest PNG.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6364f8"
    "cf500f00038601805a347d6b0000000049454e44ae426082"
)  # fmt: skip


def refusal(**members: Any) -> list[str]:
    try:
        litellm.image_generation(
            **{"model": "openai/flux-schnell", "prompt": PROMPT, **AT, **members}
        )
    except Exception as error:  # noqa: BLE001 - its classes are what is looked at
        return [type(error).__name__, str(error)]
    return []


if SCENARIO == "works":
    made = litellm.image_generation(
        model="openai/flux-schnell", prompt=PROMPT, size="1024x1024", n=2, **AT
    )
    picture = io.BytesIO(PNG)
    picture.name = "dot.png"
    edited = litellm.image_edit(model="openai/flux-dev", image=picture, prompt=PROMPT, **AT)
    told: Any = {"urls": [image.url for image in made.data], "edited": edited.data[0].url}
else:
    told = {"model": refusal(model="openai/dall-e-9"), "n": refusal(n=9)}
print(json.dumps(told))
