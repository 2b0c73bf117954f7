"""The product's SAM template made ready for the engine: mechanical changes, nothing else.

The engine runs stock Python runtimes without the exceptions' class names, so every function becomes
`provided.al2023` with a bootstrap that starts AWS's own runtime interface client on the code in the
working tree (or in a `sam build` output). Layers leave the template; the bootstrap sees them.
"""

import copy
import io
import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from devstack.left_out import without
from devstack.paths import HARDWARE_CONFIG, LAYER_CORE, REPOSITORY, python_of

RUNTIME = "provided.al2023"
FUNCTION = "AWS::Serverless::Function"
LAYER = "AWS::Serverless::LayerVersion"
# The engine knows no saved queries and no alarms with metric math, and refuses a template with them.
# Versions and aliases: here every caller calls what was deployed last.
ALIAS = "live"
CATALOGUE = "ModelsConfig"
ROLLOUT = ("AutoPublishAlias", "AutoPublishAliasAllProperties", "DeploymentPreference")
_ALIASED = re.compile(rf"(\w+(?:Function|StateMachine))Alias{ALIAS}")
# A distribution is played by devstack/distribution.
UNKNOWN_TO_THE_ENGINE = {
    "AWS::CloudFront::CachePolicy",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::KeyGroup",
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::PublicKey",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Logs::QueryDefinition",
}


class TemplateError(ValueError):
    """The template cannot be deployed as it is; the message says what to change."""


class _Loader(yaml.CSafeLoader):  # libyaml, which PyYAML's wheels have, takes a ninth of the time
    """YAML with CloudFormation's short tags: `!Sub x` is `{"Fn::Sub": x}`."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}


_Loader.add_multi_constructor("!", _intrinsic)
_Loader.yaml_implicit_resolvers = {  # dates stay text: "2012-10-17" is a policy's version
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_yaml(path: Path) -> Any:
    """Raises TemplateError naming file and place."""
    try:
        return yaml.load(path.read_text(), _Loader)  # noqa: S506  # nosec B506 # a SafeLoader
    except FileNotFoundError:
        raise TemplateError(f"{path} does not exist.") from None
    except yaml.YAMLError as error:
        raise TemplateError(f"{path}: {error}") from error


def load_template(path: Path) -> dict[str, Any]:
    """The template with what it includes from other files: OpenAPI document and state machines."""
    template: dict[str, Any] = _inline(load_yaml(path), path.parent)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        location = properties.get("DefinitionUri")
        if resource["Type"] == "AWS::Serverless::StateMachine" and isinstance(location, str):
            del properties["DefinitionUri"]
            properties["Definition"] = json.loads((path.parent / location).read_text())
        if resource["Type"] == "AWS::Serverless::Api" and isinstance(location, str):
            del properties["DefinitionUri"]
            properties["DefinitionBody"] = load_yaml(path.parent / location)
    return template


def _inline(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        include = value.get("Fn::Transform")
        if isinstance(include, dict) and include.get("Name") == "AWS::Include":
            return load_yaml(folder / include["Parameters"]["Location"])
        return {key: _inline(inner, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [_inline(inner, folder) for inner in value]
    return value


@dataclass(frozen=True, slots=True)
class Localisation:
    """What differs on this machine. `code` is every function's CodeUri, `built` is set for the output
    of `sam build`."""

    code: Any
    environment: Mapping[str, str] = field(default_factory=dict)
    built: bool = False


def localise(template: Mapping[str, Any], folder: Path, local: Localisation) -> dict[str, Any]:
    """The SAM template for the engine. Raises TemplateError for a function without its folder."""
    changed = without_aliases(copy.deepcopy(dict(template)))
    resources = changed["Resources"]
    layers = {name: part for name, part in resources.items() if part["Type"] == LAYER}
    defaults = changed.get("Globals", {}).get("Function", {})
    for name, resource in resources.items():
        if resource["Type"] == FUNCTION:
            _localise_function(name, resource["Properties"], defaults, layers, folder, local)
    for part in ("Layers", "Runtime", "CodeUri"):
        defaults.pop(part, None)
    unknown = {n for n, each in resources.items() if each["Type"] in UNKNOWN_TO_THE_ENGINE}
    return without(changed, {*layers, *unknown})


def without_aliases(template: Mapping[str, Any]) -> dict[str, Any]:
    """The same template with every reference to an alias on the function or machine itself."""
    changed: dict[str, Any] = _unaliased(template)
    parts = [resource.get("Properties", {}) for resource in changed["Resources"].values()]
    defaults = changed.get("Globals", {}).get("Function", {})
    for properties in (*parts, defaults):
        for name in (*ROLLOUT, "PublishLambdaVersion"):
            properties.pop(name, None)
    variables = defaults.get("Environment", {}).get("Variables", {})
    for name, value in variables.items():
        if isinstance(value, dict) and str(value.get("Fn::Sub", "")).endswith(f":{ALIAS}"):
            variables[name] = {"Fn::Sub": value["Fn::Sub"].removesuffix(f":{ALIAS}")}
    return changed


def _unaliased(value: Any) -> Any:
    if isinstance(value, dict):
        aliased = _ALIASED.fullmatch(str(value.get("Ref", "")))
        if aliased and aliased[1].endswith("Function"):
            return {"Fn::GetAtt": [aliased[1], "Arn"]}
        if aliased:
            return {"Ref": aliased[1]}
        return {key: _unaliased(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unaliased(inner) for inner in value]
    if isinstance(value, str):
        value = re.sub(rf"(:function:[^:]+):{ALIAS}$", r"\1", value)
        return re.sub(
            rf"\${{{_ALIASED.pattern}}}",
            lambda found: f"${{{found[1]}{'.Arn' if found[1].endswith('Function') else ''}}}",
            value,
        )
    return value


def _localise_function(
    name: str,
    properties: dict[str, Any],
    defaults: Mapping[str, Any],
    layers: Mapping[str, Any],
    folder: Path,
    local: Localisation,
) -> None:
    code = properties.get("CodeUri", defaults.get("CodeUri"))
    source = (folder / str(code)).resolve()
    if not (source / "app.py").is_file():
        raise TemplateError(f"{name}: its code {source}/app.py does not exist.")
    used = [*defaults.get("Layers", ()), *properties.pop("Layers", ())]
    built = _built_layers(used, layers, folder) if local.built else []
    properties["Runtime"] = RUNTIME
    properties["CodeUri"] = local.code
    properties.setdefault("Handler", defaults.get("Handler", "app.handler"))
    variables = properties.setdefault("Environment", {}).setdefault("Variables", {})
    variables |= {
        **local.environment,
        "VSL_FUNCTION_FOLDER": str(source),
        "VSL_INTERPRETER": str(_interpreter(local.built)),
        **(_built_environment(built, source) if local.built else _live_environment()),
    }


def _interpreter(built: bool) -> Path:
    return python_of("lambda" if built else "functions")


def _live_environment() -> dict[str, Any]:
    """Code from the working tree, reloaded when it changes (devstack/worker/live.py)."""
    return {
        "PYTHONPATH": str(LAYER_CORE),
        "HARDWARE_CONFIG": str(HARDWARE_CONFIG),
        "VSL_LIVE_ROOTS": os.pathsep.join((str(REPOSITORY / "functions"), str(LAYER_CORE))),
        "VSL_LIVE_FILES": {"Fn::Join": [os.pathsep, [{"Ref": CATALOGUE}, str(HARDWARE_CONFIG)]]},
    }


def _built_environment(layers: list[Path], source: Path) -> dict[str, str]:
    """Code and layers as built, on an interpreter that has only what Lambda itself brings."""
    config = next((path for layer in layers for path in layer.glob("config/models.json")), None)
    environment = {
        "PYTHONPATH": os.pathsep.join(
            str(layer / "python") for layer in layers if (layer / "python").is_dir()
        ),
        "VSL_LIVE_ROOTS": str(source),
    }
    if config is None:
        return environment
    hardware = {"HARDWARE_CONFIG": str(config.with_name("hardware.json"))}
    return {**environment, "MODELS_CONFIG": str(config), **hardware}


def _built_layers(used: list[Any], layers: Mapping[str, Any], folder: Path) -> list[Path]:
    """In the order of the function's list; Lambda lays later layers over earlier ones."""
    names = [str(layer.get("Ref", "")) for layer in reversed(used) if isinstance(layer, dict)]
    return [
        (folder / str(layers[name]["Properties"]["ContentUri"])).resolve()
        for name in names
        if name in layers
    ]


def bootstrap_zip(built: bool) -> bytes:
    """The code package of every function: one executable file that starts the worker."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, _bootstrap(built))
    return target.getvalue()


def write_for_sam(build: Path, folder: Path, environment: Mapping[str, str]) -> Path:
    """A template in `folder` that `sam deploy` brings to the engine, for the `sam build` output `build`."""
    code = folder / "bootstrap"
    code.mkdir(parents=True)
    (code / "bootstrap").write_text(_bootstrap(built=True))
    (code / "bootstrap").chmod(0o755)
    local = Localisation(code=str(code), environment=environment, built=True)
    written = folder / "template.json"
    written.write_text(json.dumps(localise(load_template(build / "template.yaml"), build, local)))
    return written


def _bootstrap(built: bool) -> str:
    """Where a fork server listens, this process only holds the place of the worker that it makes."""
    python = _interpreter(built)
    worker = REPOSITORY / "devstack" / "worker" / "bootstrap.py"
    return f"""#!/bin/sh
if [ -p "$VSL_WORKER_QUEUE" ]; then
  printf '%s\\t%s\\t%s\\n' "$$" "{python}" "$PYTHONPATH" 1<> "$VSL_WORKER_QUEUE"
  exec sleep 2147483647
fi
exec "{python}" "{worker}" "$_HANDLER"
"""
