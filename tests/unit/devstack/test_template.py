"""The one mechanical change to the product's template, and what is said when it cannot be made."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from devstack.paths import LAYER_CORE, REPOSITORY, TEMPLATE
from devstack.template import (
    FUNCTION,
    LAYER,
    UNKNOWN_TO_THE_ENGINE,
    Localisation,
    TemplateError,
    bootstrap_zip,
    load_template,
    localise,
    without_aliases,
)
from devstack.translate import translate

# What refers to a distribution, which the engine does not know.
OF_A_DISTRIBUTION = {"MediaDeliveryParameter"}
CODE = {"Bucket": "packages", "Key": "bootstrap.zip"}


def localised(**options: Any) -> dict[str, Any]:
    local = Localisation(code=CODE, environment={"AWS_ENDPOINT_URL": "http://engine"}, **options)
    return localise(load_template(TEMPLATE), REPOSITORY, local)


def test_only_runtime_code_and_layers_of_functions_change() -> None:
    before, after = without_aliases(load_template(TEMPLATE)), localised()
    for name, resource in before["Resources"].items():
        if resource["Type"] in {LAYER, *UNKNOWN_TO_THE_ENGINE} or name in OF_A_DISTRIBUTION:
            assert name not in after["Resources"]
        elif name == "MediaBucketPolicy":
            *others, distributed = resource["Properties"]["PolicyDocument"]["Statement"]
            distributed["Fn::If"][1] = {"Ref": "AWS::NoValue"}
            left = after["Resources"][name]["Properties"]["PolicyDocument"]["Statement"]
            assert left == [*others, distributed]
        elif resource["Type"] != FUNCTION:
            assert after["Resources"][name] == resource
        else:
            properties = dict(after["Resources"][name]["Properties"])
            assert properties.pop("Runtime") == "provided.al2023"
            assert properties.pop("CodeUri") == CODE
            assert properties.pop("Handler") == "app.handler"
            added = properties.pop("Environment")["Variables"]
            expected = dict(resource["Properties"])
            own = expected.pop("Environment", {}).get("Variables", {})
            assert {key: added[key] for key in own} == own
            assert added["AWS_ENDPOINT_URL"] == "http://engine"
            assert Path(added["VSL_FUNCTION_FOLDER"]) == REPOSITORY / expected.pop("CodeUri")
            assert added["PYTHONPATH"] == str(LAYER_CORE)
            expected.pop("Layers", None)
            assert properties == expected
    assert before["Conditions"] == after["Conditions"]
    assert before["Parameters"] == after["Parameters"]


def test_every_caller_calls_the_function_itself() -> None:
    """The engine has no aliases; nothing of them is left, and nothing else is lost."""
    before, after = load_template(TEMPLATE), without_aliases(load_template(TEMPLATE))
    assert "Aliaslive" in json.dumps(before)
    text = json.dumps(after)
    for word in ("Aliaslive", "AutoPublish", "DeploymentPreference", "PublishLambda", ":live"):
        assert word not in text
    api_workflow = after["Resources"]["GenerateMediaStateMachine"]["Properties"][
        "DefinitionSubstitutions"
    ]
    assert api_workflow["MediaJobStateMachineArn"] == {"Ref": "MediaJobStateMachine"}
    assert api_workflow["CreateJobFunctionArn"] == {"Fn::GetAtt": ["CreateJobFunction", "Arn"]}
    uri = after["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"]["/jobs"]["get"][
        "x-amazon-apigateway-integration"
    ]["uri"]["Fn::Sub"]
    assert uri.endswith("functions/${ListJobsFunction.Arn}/invocations")
    variables = after["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["REPAIR_FUNCTION"] == {"Fn::Sub": "vsl-${Stage}-repair-execution"}
    assert before["Resources"].keys() == after["Resources"].keys()


def test_functions_read_the_catalogue_that_the_parameter_names() -> None:
    translated = translate(localised(), {"Stage": "local"})
    variables = [
        each["Properties"]["Environment"]["Variables"]
        for each in translated["Resources"].values()
        if each["Type"] == "AWS::Lambda::Function"
    ]

    assert all(each["MODELS_CONFIG"] == {"Ref": "ModelsConfig"} for each in variables)


def test_includes_and_state_machines_are_read_in() -> None:
    resources = load_template(TEMPLATE)["Resources"]
    assert "/generate-media" in resources["Api"]["Properties"]["DefinitionBody"]["paths"]
    assert resources["MediaJobStateMachine"]["Properties"]["Definition"]["StartAt"]


def test_the_result_is_sam_that_translates() -> None:
    translated = translate(localised(), {"Stage": "local", "ApiAuth": "NONE"})
    functions = [
        each for each in translated["Resources"].values() if each["Type"] == "AWS::Lambda::Function"
    ]
    assert {each["Properties"]["Runtime"] for each in functions} == {"provided.al2023"}
    assert len(functions) == len(list((REPOSITORY / "functions").glob("*/app.py")))


def test_built_code_sees_its_layers_in_the_order_lambda_lays_them(tmp_path: Path) -> None:
    """Functions' layers come after the shared ones, and a later layer lies over an earlier one."""
    for folder in ("fn", "core/python", "extra/python", "config/config"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "fn" / "app.py").touch()
    (tmp_path / "config" / "config" / "models.json").write_text("{}")
    layers = {
        name: {"Type": LAYER, "Properties": {"ContentUri": uri}}
        for name, uri in {"Core": "core", "Extra": "extra", "Config": "config"}.items()
    }
    template = {
        "Globals": {"Function": {"Layers": [{"Ref": "Core"}, {"Ref": "Config"}]}},
        "Resources": layers
        | {"Fn": {"Type": FUNCTION, "Properties": {"CodeUri": "fn", "Layers": [{"Ref": "Extra"}]}}},
        "Outputs": {"L": {"Value": {"Ref": "Core"}}, "F": {"Value": {"Ref": "Fn"}}},
    }
    after = localise(template, tmp_path, Localisation(code=CODE, built=True))
    variables = after["Resources"]["Fn"]["Properties"]["Environment"]["Variables"]
    assert variables["PYTHONPATH"].split(":") == [
        str(tmp_path / "extra" / "python"),
        str(tmp_path / "core" / "python"),
    ]
    assert variables["MODELS_CONFIG"] == str(tmp_path / "config" / "config" / "models.json")
    assert set(after["Outputs"]) == {"F"}
    assert "Layers" not in after["Globals"]["Function"]


def test_a_function_without_its_folder_is_named(tmp_path: Path) -> None:
    template = {
        "Resources": {"Lost": {"Type": FUNCTION, "Properties": {"CodeUri": "functions/lost"}}}
    }
    with pytest.raises(
        TemplateError, match=r"Lost: its code .*functions/lost/app\.py does not exist"
    ):
        localise(template, tmp_path, Localisation(code=CODE))


@pytest.mark.parametrize(("text", "words"), [("a: [", "template.yaml"), (None, "does not exist")])
def test_a_template_that_cannot_be_read_is_named(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "template.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TemplateError, match=words):
        load_template(path)


def test_what_sam_refuses_is_passed_on() -> None:
    broken = json.loads(json.dumps(localised()))
    broken["Resources"]["GetStatusFunction"]["Properties"]["Layers"] = "nonsense"
    broken["Resources"]["GetStatusFunction"]["Properties"].pop("Handler")
    broken["Resources"]["GetStatusFunction"]["Properties"].pop("Runtime")
    broken["Globals"]["Function"].pop("Handler", None)
    with pytest.raises(TemplateError, match="GetStatusFunction"):
        translate(broken, {"Stage": "local"})


def test_the_package_holds_one_executable() -> None:
    with zipfile.ZipFile(io.BytesIO(bootstrap_zip(built=False))) as archive:
        (entry,) = archive.infolist()
        assert (entry.filename, entry.external_attr >> 16 & 0o111) == ("bootstrap", 0o111)
        assert b".venvs/functions/bin/python" in archive.read(entry)
