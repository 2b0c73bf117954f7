"""A request of OpenAI's images API: what it may say, and what a model of ours is asked for."""

from typing import Any

import pytest

from tests.support.models import model
from vsl.domain.catalogue.models import Parameter
from vsl.domain.compat.openai_aliases import read_aliases
from vsl.domain.compat.openai_parameters import model_parameters
from vsl.domain.compat.openai_request import (
    File,
    ResponseFormat,
    form_members,
    parse_image_request,
)
from vsl.domain.errors import ConfigurationError, InvalidRequest

PICTURE = File("image", b"\x89PNG\r\n\x1a\n")


def asked(
    model_id: str, images: tuple[str, ...] = (), mask: str | None = None, **members: Any
) -> Any:
    request = parse_image_request({"model": model_id, "prompt": "a bell", **members})
    return model_parameters(model(model_id), request, images, mask)


def fault(model_id: str, **members: Any) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        asked(model_id, **members)
    (found,) = caught.value.faults
    return found


def test_the_models_own_parameters_under_openais_names() -> None:
    assert asked("flux-schnell", n=3, size="1536x1024", output_format="jpeg") == {
        "prompt": "a bell",
        "num_outputs": 3,
        "width": 1536,
        "height": 1024,
        "output_format": "jpg",
    }
    assert asked("flux-schnell", output_compression=30, seed=7) == {
        "prompt": "a bell",
        "num_outputs": 1,
        "output_quality": 30,
        "seed": 7,
    }


def test_what_leaves_the_choice_to_the_model_changes_nothing() -> None:
    neutral = {"quality": "standard", "background": "auto", "moderation": "auto", "size": "auto"}
    given: dict[str, Any] = neutral | {
        "n": None,
        "style": None,
        "stream": False,
        "partial_images": 0,
    }
    assert asked("flux-1.1-pro", **given) == {"prompt": "a bell"}


@pytest.mark.parametrize(
    ("model_id", "members", "member", "words"),
    [
        ("flux-1.1-pro", {"n": 2}, "n", "one image at a time"),
        ("flux-schnell", {"n": 5}, "n", "more than flux-schnell makes"),
        ("flux-schnell", {"n": 0}, "n", "from 1 to 10"),
        ("flux-schnell", {"n": True}, "n", "from 1 to 10"),
        ("flux-schnell", {"size": "1792x1024"}, "size", "its width must be between 256 and 1536"),
        ("flux-schnell", {"size": "large"}, "size", "WIDTHxHEIGHT"),
        ("flux-schnell", {"quality": "hd"}, "quality", "nothing that the model"),
        ("flux-schnell", {"background": "transparent"}, "background", "nothing that the model"),
        ("flux-schnell", {"style": "vivid"}, "style", "nothing that the model"),
        ("flux-schnell", {"output_format": "gif"}, "output_format", "webp, jpg, png"),
        ("sdxl", {"output_format": "png"}, "output_format", "nothing that the model"),
        ("sdxl", {"output_compression": 3}, "output_compression", "nothing that the model"),
        ("flux-schnell", {"stream": True}, "stream", "not offered"),
        ("flux-schnell", {"partial_images": 2}, "partial_images", "not offered"),
        ("flux-schnell", {"response_format": "svg"}, "response_format", "url or b64_json"),
        ("flux-schnell", {"prompt": " "}, "prompt", "not empty"),
        ("flux-schnell", {"frames": 3}, "frames", "known neither here"),
        ("musicgen", {}, "model", "makes audio"),
    ],
)
def test_what_a_model_cannot_do_is_said(
    model_id: str, members: dict[str, Any], member: str, words: str
) -> None:
    name, message = fault(model_id, **members)
    assert name == member
    assert words in message


def test_a_size_becomes_the_nearest_shape_or_the_models_name_of_it() -> None:
    request = parse_image_request({"model": "m", "prompt": "p", "size": "1536x1024"})

    def made(**parameters: Parameter) -> Any:
        sized = model("flux-1.1-pro").model_copy(
            update={"parameters": {"prompt": Parameter(type="string"), **parameters}}
        )
        return model_parameters(sized, request, (), None)

    shapes = Parameter(type="string", enum=("1:1", "16:9", "3:2", "2:3", "match_input_image"))
    assert made(aspect_ratio=shapes)["aspect_ratio"] == "3:2"
    sizes = Parameter(type="string", enum=("1024*1024", "1536*1024"))
    assert made(size=sizes)["size"] == "1536*1024"
    with pytest.raises(InvalidRequest, match="cannot be chosen"):
        made()


def test_pictures_go_where_the_model_takes_them() -> None:
    assert asked("sdxl", ("upload:1",), "upload:2") == {
        "prompt": "a bell",
        "num_outputs": 1,
        "image": "upload:1",
        "mask": "upload:2",
    }
    assert asked("flux-1.1-pro", ("upload:1",))["image_prompt"] == "upload:1"
    for words, images, mask in (
        ("image must be one", ("upload:1", "upload:2"), None),
        ("mask is nothing", ("upload:1",), "upload:2"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            asked("flux-dev", images, mask)
    with pytest.raises(InvalidRequest, match="image is nothing"):
        asked("flux-schnell", ("upload:1",))


def test_a_form_says_the_same_as_json() -> None:
    members = form_members({"model": ["m"], "prompt": ["7"], "n": ["2"], "stream": ["false"]})
    assert members == {"model": "m", "prompt": "7", "n": 2, "stream": False}
    request = parse_image_request(members, [PICTURE, PICTURE], editing=True)
    assert (request.count, len(request.images), request.response_format) == (2, 2, None)
    with pytest.raises(InvalidRequest, match="n comes twice"):
        form_members({"n": ["1", "1"]})
    with pytest.raises(InvalidRequest, match="image is required"):
        parse_image_request(members, editing=True)
    with pytest.raises(InvalidRequest, match="image is a file"):
        parse_image_request(members, [PICTURE])


def test_the_user_is_kept_as_metadata() -> None:
    request = parse_image_request(
        {"model": "m", "prompt": "p", "user": "ann", "response_format": "b64_json"}
    )
    assert request.metadata == {"user": "ann"}
    assert request.response_format is ResponseFormat.B64_JSON


def test_aliases() -> None:
    assert read_aliases("") == {}
    found = read_aliases("gpt-image-1=flux-dev, dall-e-3=sdxl")
    assert found == {"gpt-image-1": "flux-dev", "dall-e-3": "sdxl"}
    for wrong in ("a", "a=b=c", "a=B", "a=b,a=c", "=b"):
        with pytest.raises(ConfigurationError):
            read_aliases(wrong)
