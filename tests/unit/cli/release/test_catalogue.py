"""The catalogue as a parameter of SSM: what the document's command makes, the functions read."""

import json
import re

import pytest

from cli.release.catalogue import packed
from tests.support.template import REPOSITORY, template
from vsl.adapters.aws.catalogue import decompressed
from vsl.domain.errors import ConfigurationError

# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
STANDARD, ADVANCED = 4096, 8192
MODELS = (REPOSITORY / "config/models.json").read_text()


def test_the_functions_read_what_is_packed() -> None:
    assert json.loads(decompressed("/vsl/homolog/models", packed(MODELS))) == json.loads(MODELS)


def test_ours_fits_an_advanced_parameter_and_no_other() -> None:
    assert STANDARD < len(packed(MODELS)) <= ADVANCED
    text = (REPOSITORY / "docs/catalogue.md").read_text()
    (command,) = re.findall(r"aws ssm put-parameter.*?models\n?```", text, re.DOTALL) or [""]
    assert "--tier Advanced" in text
    assert "cli.release.catalogue config/models.json" in text
    assert command or "--name /vsl/homolog/models" in text


def test_a_catalogue_with_a_mistake_is_not_packed() -> None:
    broken = json.loads(MODELS)
    broken["image"]["flux-schnell"]["parameters"]["width"]["minimum"] = 99999
    with pytest.raises(ConfigurationError, match="width"):
        packed(json.dumps(broken))


def test_the_parameter_takes_a_path_or_a_name_in_ssm() -> None:
    """As JSON the catalogue fits neither into a parameter of a stack nor into an environment."""
    pattern = template()["Parameters"]["ModelsConfig"]["AllowedPattern"]
    assert len(MODELS) > 4096
    for value in (
        "/opt/config/models.json",
        "ssm:/vsl/homolog/models",
        "ssm:/vsl/homolog/models-2",
    ):
        assert re.fullmatch(pattern, value)
    for value in ("", MODELS, '{"image": {}}', "models.json", "ssm:models", "/opt/a b"):
        assert not re.fullmatch(pattern, value)
