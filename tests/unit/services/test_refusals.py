"""A refusal quotes nothing a user wrote: it is logged, by Lambda's runtime at the latest."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.jobs import catalogue
from vsl.domain.api.caller import Caller
from vsl.domain.api.job_list import ListRequest
from vsl.domain.api.request import parse_request
from vsl.domain.api.status_request import StatusRequest
from vsl.domain.catalogue.uploads import parse_upload_request
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.errors import VslError
from vsl.domain.jobs.job import MediaType
from vsl.domain.suggestions import named
from vsl.runtime.body import json_body

# Each alone would tell: a sentence, a word, what may be a secret.
SECRETS = ["my neighbour's face", "lighthouse", "r8_Zq4W9rT2LmVx7Kp1", "ann@example.com"]


def request(**changes: Any) -> Callable[[], object]:
    body = {"userId": "user-1", "modelId": "flux-schnell", "parameters": {"prompt": "x"}, **changes}
    return lambda: parse_request(body)


def parameters(model_id: str = "sdxl", /, **given: object) -> Callable[[], object]:
    model = catalogue().find(model_id)
    return lambda: validate_parameters(model, {"prompt": "x", **given}, allow_http=False)


def upload(**body: object) -> Callable[[], object]:
    return lambda: parse_upload_request(body, dict.fromkeys(MediaType, 1))


def refusals(text: str) -> list[Callable[[], object]]:
    """Every place of a request that takes text, with this one in it."""
    sentence = f"{text} and more"
    return [
        request(userId=sentence),
        request(modelId=[text]),
        request(mediaType=text),
        request(mediaType={text: [text]}),
        request(prompt=text, parameters={"prompt": f"{text} again"}),
        request(prompt={"text": text}),
        request(parameters=text),
        request(callbackUrl=sentence),
        request(callbackUrl=f"https://{text}:x@host.example/{text}"),
        request(callbackUrl=f"https://{text}.1"),
        request(callbackUrl=f"https://[{text}]/"),
        request(**{sentence: 1}),
        lambda: catalogue().find(text),
        lambda: catalogue().find(text, MediaType.AUDIO),
        parameters(width=text),
        parameters(width=[text]),
        parameters(width={text: text}),
        parameters(scheduler=text),
        parameters(refine=sentence),
        parameters(prompt=f"{text}\x01"),
        parameters(prompt=text * 10_000),
        parameters("stability-video", image=text),
        parameters("stability-video", image=f"https://{text}"),
        parameters("stability-video", image=f"https://{text}.1"),
        parameters("stability-video", image=f"https://a.0x{text}/"),
        parameters("stability-video", image=f"https://[{text}]/"),
        parameters("stability-video", image=f"upload:{text}"),
        parameters("stability-video", image=f"data:{text}"),
        parameters("sdxl", **{sentence: 1}),
        upload(contentType=text),
        upload(contentType="image/png", fileName=f"{text}/"),
        upload(contentType="image/png", size=text),
        upload(contentType="image/png", **{sentence: 1}),
        lambda: json_body({"body": json.dumps(text)}),
        lambda: json_body({"body": f"{{{text}"}),
        lambda: json_body({"body": f'{{"{sentence}": 1, "{sentence}": 2}}'}),
        lambda: Caller(named=sentence),
        lambda: Caller(subject="bob", named="ann").check(text, "ann"),
        *(
            lambda name=name: StatusRequest.parse("job", Caller(), {name: text})
            for name in ("wait", "include")
        ),
        *(
            lambda name=name: ListRequest.parse({name: sentence}, "user-1")
            for name in ("status", "mediaType", "createdAfter", "createdBefore", "limit", "cursor")
        ),
    ]


@pytest.mark.parametrize("text", SECRETS)
def test_no_refusal_quotes_what_a_user_wrote(text: str) -> None:
    for number, ask in enumerate(refusals(text)):
        with pytest.raises(VslError) as caught:
            ask()
        assert text not in str(caught.value), number
        assert text not in json.dumps(caught.value.document(), ensure_ascii=False), number


@pytest.mark.parametrize("ask", [request, parameters])
def test_suggestions_are_made_for_what_is_told_alone(
    ask: Callable[..., Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """128 KiB hold thousands of names, and each comparison takes its time."""
    compared: list[str] = []

    def did_you_mean(given: str, _known: object) -> str:
        compared.append(given)
        return ""

    for module in ("api.request", "catalogue.validation"):
        monkeypatch.setattr(f"vsl.domain.{module}.did_you_mean", did_you_mean)
    with pytest.raises(VslError) as caught:
        ask(**{f"n{number}": 1 for number in range(5000)})()
    fields = caught.value.details["fields"]
    assert isinstance(fields, list)
    assert len(fields) == len(compared) == 20


@pytest.mark.parametrize("name", ["promt", "num_outputs", "__proto__", "userID", "x-1", "a.b"])
def test_a_name_is_named(name: str) -> None:
    assert named(name) == name


@pytest.mark.parametrize("name", ["", "two words", "1st", "ü", "a" * 41, "a\nb", "a@b", 7, None])
def test_what_could_be_anything_is_not(name: object) -> None:
    assert named(name) == "…"
