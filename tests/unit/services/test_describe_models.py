"""The catalogue for readers."""

import jsonschema
import pytest

from tests.support.models import MODEL_IDS, catalogue
from vsl.domain.errors import UnknownModel
from vsl.services.api.get_model import GetModel
from vsl.services.api.list_models import ListModels


def test_the_list_has_every_model_in_short() -> None:
    models = ListModels(catalogue())()["models"]

    assert [model["modelId"] for model in models] == list(MODEL_IDS)
    schnell = next(model for model in models if model["modelId"] == "flux-schnell")
    assert schnell == {
        "modelId": "flux-schnell",
        "mediaType": "image",
        "output": "list",
        "description": "FLUX.1 [schnell]: good images in about a second.",
        "price": {"unit": "image", "currency": "USD", "amount": "0.003"},
        "estimatedTime": 2.0,
        "example": {
            "prompt": "A lighthouse on a cliff at sunset, oil painting",
            "width": 1344,
            "height": 768,
        },
    }


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_one_model_brings_the_schema_its_example_fits(model_id: str) -> None:
    model = GetModel(catalogue(), allow_http=False)(model_id)
    jsonschema.Draft202012Validator(model["parameters"]).validate(model["example"])
    assert model["parameters"]["title"] == model_id


def test_an_unknown_model() -> None:
    with pytest.raises(UnknownModel, match="Did you mean 'bark'"):
        GetModel(catalogue(), allow_http=False)("barc")
