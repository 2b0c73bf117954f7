"""The catalogue as a parameter of SSM: what the document's command writes, the functions read."""

import json
import re

import boto3
import pytest
from moto import mock_aws

from cli.release.catalogue import write
from tests.support.template import REPOSITORY, template
from vsl.adapters.aws.packed_catalogue import unpacked
from vsl.domain.errors import ConfigurationError

MODELS = (REPOSITORY / "config/models.json").read_text()
NAME = "/vsl/homolog/models"


def test_the_command_of_the_document_is_this_one() -> None:
    text = (REPOSITORY / "docs/catalogue.md").read_text()
    assert f"-m cli.release.catalogue config/models.json {NAME}" in text


def test_the_functions_read_what_is_written() -> None:
    with mock_aws():
        ssm = boto3.client("ssm")
        assert [write(ssm, NAME, MODELS) for _ in range(2)] == [1, 2]
        value = ssm.get_parameter(Name=NAME)["Parameter"]["Value"]
    assert json.loads(unpacked(NAME, value)) == json.loads(MODELS)


def test_a_catalogue_with_a_mistake_is_not_written() -> None:
    broken = json.loads(MODELS)
    broken["image"]["flux-schnell"]["parameters"]["width"]["minimum"] = 99999
    with mock_aws():
        ssm = boto3.client("ssm")
        with pytest.raises(ConfigurationError, match="width"):
            write(ssm, NAME, json.dumps(broken))
        assert ssm.describe_parameters()["Parameters"] == []


def test_the_parameter_takes_a_path_or_a_name_in_ssm() -> None:
    """As JSON the catalogue fits neither into a parameter of a stack nor into an environment."""
    pattern = template()["Parameters"]["ModelsConfig"]["AllowedPattern"]
    assert len(MODELS) > 4096
    for value in (
        "/opt/config/models.json",
        "/Users/me/my projects/vsl é/config/models.json",  # the local stack's
        "ssm:/vsl/homolog/models",
        "ssm:/vsl/homolog/models-2",
    ):
        assert re.fullmatch(pattern, value)
    for value in ("", MODELS, '{"image": {}}', "models.json", "ssm:models", "/opt/a "):
        assert not re.fullmatch(pattern, value)
