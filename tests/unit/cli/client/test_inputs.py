"""Words of the command line as parameters."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.client.errors import CommandError
from cli.client.inputs import LocalFile, identity, read_parameters, unsent
from devstack.paths import MODELS_CONFIG
from vsl.adapters.aws.catalogue import load_catalogue
from vsl.services.api.get_model import GetModel


def model(model_id: str) -> dict[str, Any]:
    return GetModel(load_catalogue(str(MODELS_CONFIG)), allow_http=True)(model_id)


def read(model_id: str, *pairs: str, **given: Any) -> dict[str, Any]:
    options = {"prompt": None, "images": (), "sounds": (), **given}
    return read_parameters(model(model_id), pairs=pairs, **options)


def test_values_have_the_types_of_the_schema() -> None:
    found = read("flux-dev", "width=768", "guidance=3.5", "output_format=png", prompt="a=b")
    assert found == {"width": 768, "guidance": 3.5, "output_format": "png", "prompt": "a=b"}
    assert read("minimax-video-01", "prompt_optimizer=False") == {"prompt_optimizer": False}


def test_what_does_not_fit_is_left_for_the_api_to_refuse() -> None:
    assert read("flux-schnell", "width=wide", "promt=x") == {"width": "wide", "promt": "x"}


def test_a_pair_may_hold_an_equals_sign_and_text_an_at_sign() -> None:
    assert read("flux-schnell", "prompt=@home = here") == {"prompt": "@home = here"}


SHAPES = {
    "modelId": "shapes",
    "parameters": {
        "properties": {
            "first": {"type": "string", "format": "uri"},
            "images": {"type": "array", "items": {"type": "string", "format": "uri"}},
            "sizes": {"type": ["array", "null"], "items": {"type": "integer"}},
            "seed": {"type": ["integer", "null"]},
            "word": {"type": "string"},
        }
    },
}


def shaped(*pairs: str, images: Sequence[str] = ()) -> dict[str, Any]:
    return read_parameters(SHAPES, prompt=None, pairs=pairs, images=images, sounds=())


def test_a_list_is_given_member_by_member_or_as_json() -> None:
    assert shaped("sizes=3", "sizes=4") == {"sizes": [3, 4]}
    assert shaped("sizes=[3, 4]", "sizes=5") == {"sizes": [3, 4, 5]}
    assert shaped("sizes=three") == {"sizes": ["three"]}
    assert shaped("sizes=[3") == {"sizes": ["[3"]}


def test_null_is_a_value_where_the_schema_has_it() -> None:
    assert shaped("seed=null", "word=null", "unknown=null") == {
        "seed": None,
        "word": "null",
        "unknown": "null",
    }


def test_files_beyond_the_single_ones_make_a_list(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"png")
    one, two = "https://example.com/1.png", "https://example.com/2.png"
    file = LocalFile(picture, b"png", "image/png")
    assert shaped(images=[one, str(picture), two]) == {"first": one, "images": [file, two]}
    named = shaped(f"images=@{picture}", f"images={one}", images=[two])
    assert named == {"images": [file, one], "first": two}
    assert identity(named)["images"] == [f"sha256:{file.sha256}", one]
    assert unsent(named)["images"] == ["data:image/png;base64,AA==", one]
    with pytest.raises(CommandError, match="takes 1; 2 given"):
        shaped(f"images={one}", images=[one, two])


@pytest.mark.parametrize("pair", ["width", "=3"])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(CommandError, match="NAME=VALUE") as caught:
        read("flux-schnell", pair)
    assert "vsl models flux-schnell" in caught.value.hint


def test_files_and_addresses_go_where_a_person_means_them(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"png")
    address = "https://example.com/b.png"
    found = read("seedance-1-lite", images=[str(picture), address])
    assert found == {
        "image": LocalFile(picture, b"png", "image/png"),
        "last_frame_image": address,
    }
    assert read("minimax-video-01", images=[address]) == {"first_frame_image": address}
    assert read("flux-1.1-pro", images=[address]) == {"image_prompt": address}
    assert read("musicgen", sounds=[address]) == {"input_audio": address}
    named = read("sdxl", f"mask=@{picture}", images=[address])
    assert (named["mask"].content, named["image"]) == (b"png", address)


def test_more_files_than_the_model_takes_are_refused() -> None:
    with pytest.raises(CommandError, match="takes no --audio"):
        read("flux-schnell", sounds=["https://example.com/a.wav"])
    with pytest.raises(CommandError, match="takes 1; 2 given"):
        read("musicgen", sounds=["https://example.com/a.wav"] * 2)


def test_a_file_that_is_not_there_has_neighbours(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(CommandError, match=r"Did you mean 'holiday\.jpg'"):
        read("stability-video", images=[str(tmp_path / "holidy.jpg")])
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(CommandError, match="is empty"):
        read("stability-video", images=[str(tmp_path / "empty.jpg")])


def test_two_commands_are_equal_when_their_files_are(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"same")
    first, second = (
        identity(read("stability-video", images=[str(tmp_path / name)]))
        for name in ("a.png", "b.png")
    )
    assert first == second
    (tmp_path / "b.png").write_bytes(b"other")
    assert identity(read("stability-video", images=[str(tmp_path / "b.png")])) != first
