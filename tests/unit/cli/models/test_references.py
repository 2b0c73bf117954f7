"""What is named on the command line, and the names that come of it."""

import pytest

from cli.models.translation.names import model_id, public_name
from cli.models.translation.reference import Reference
from tests.support.published import VERSION


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("acme/painter", Reference("acme", "painter")),
        (f"acme/painter:{VERSION}", Reference("acme", "painter", VERSION)),
        ("deployments/acme/live-2", Reference("acme", "live-2", deployment=True)),
        ("https://replicate.com/acme/painter/", Reference("acme", "painter")),
        (f"replicate.com/acme/painter/versions/{VERSION}", Reference("acme", "painter", VERSION)),
    ],
)
def test_a_reference_and_the_providers_address_of_it(text: str, reference: Reference) -> None:
    assert Reference.parse(text) == reference
    assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    "text",
    ["painter", "acme/", "a/b/c", "acme/painter:latest", "../etc", "acme/pain ter", "", "ä/b"],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match=r"OWNER/NAME|64 hexadecimal"):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("given", "taken", "name"),
    [
        ("prompt", [], "prompt"),
        ("negativePrompt", [], "negative_prompt"),
        ("CFG_Scale", [], "cfg_scale"),
        ("model.variant", [], "model_variant"),
        ("_seed", [], "seed"),
        ("3d", [], "input_3d"),
        ("Seed", ["seed", "seed_2"], "seed_3"),
        ("x" * 90, [], "x" * 64),
        ("X" * 90, ["x" * 64], "x" * 62 + "_2"),
    ],
)
def test_a_parameters_public_name(given: str, taken: list[str], name: str) -> None:
    assert public_name(given, taken) == name


def test_a_models_id_is_its_name_unless_another_has_it() -> None:
    assert model_id("acme", "Painter-2.0", []) == "painter-2.0"
    assert model_id("acme", "painter", ["painter"]) == "acme-painter"
    assert model_id("acme", "painter", ["painter", "acme-painter"]) == "acme-painter-2"
