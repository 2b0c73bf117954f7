"""The documents name only what exists: files, targets, commands, functions, states, errors."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import typer
from botocore import xform_name

from cli.main import app
from devstack.template import load_yaml
from tests.support.documents import Document, document, documents
from tests.support.template import REPOSITORY, api_source, template
from vsl.domain.errors import error_classes
from vsl.runtime.observability import METRICS

ALL = [pytest.param(each, id=each.name) for each in documents()]
# Names of others that look like ours.
FOREIGN = {
    "DefinitionSubstitutions", "FileOutput", "GetItem", "GetParameters", "PublishLambdaVersion", "PutItem",
    "RateLimit", "ResultPath", "ResultSelector", "TimeoutSecondsPath", "UpdateItem",
}  # fmt: skip
INTERNAL = {"ResubmitPrediction", "SlotUnavailable"}
ANY_METHOD = "x-amazon-apigateway-any-method"


def definition(machine: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (REPOSITORY / "statemachines" / f"{machine}.asl.json").read_text()
    )
    return loaded


def states() -> set[str]:
    return {
        state
        for machine in ("media_job", "generate_media")
        for state in definition(machine)["States"]
    }


def functions() -> set[str]:
    return {path.parent.name for path in (REPOSITORY / "functions").glob("*/app.py")}


@cache
def classes() -> set[str]:
    sources = (path.read_text() for path in (REPOSITORY / "layers/core/vsl").rglob("*.py"))
    return {name for text in sources for name in re.findall(r"^class (\w+)", text, re.MULTILINE)}


def anchors(target: Path) -> set[str]:
    return Document(target, target.read_text()).anchors


def gateway_answers() -> dict[tuple[str, int], str]:
    """(code, status) of every answer API Gateway gives itself."""
    api = api_source()
    answers = dict(api["x-amazon-apigateway-gateway-responses"])
    for path, item in api["paths"].items():
        integration = item[ANY_METHOD]["x-amazon-apigateway-integration"]
        if integration["type"] == "mock":  # else a function knows the methods
            answers[path] = integration["responses"]["default"]
    found = {}
    for name, response in answers.items():
        text = response["responseTemplates"]["application/json"]
        code = re.search(r'"code":"(\w+)"', text)
        status = re.search(r'"status":(\d+)', text)
        assert code
        assert status
        found[code[1], int(status[1])] = name
    return found


# What the AWS command line has beside the operations of the API.
COMMAND_LINE_ONLY = {
    ("cloudformation", "deploy"): {
        "--stack-name",
        "--template-file",
        "--capabilities",
        "--parameter-overrides",
    },
    ("s3", "cp"): set(),
}


# The names that the AWS command line gives a service instead of the API's.
SERVICES = {"deploy": "codedeploy"}


@pytest.mark.parametrize("each", ALL)
def test_every_link_leads_somewhere(each: Document) -> None:
    broken = []
    for link in each.links:
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = (each.path.parent / name) if name else each.path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("each", ALL)
def test_every_make_target_exists(each: Document) -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", each.code)) <= targets


@pytest.mark.parametrize("each", ALL)
def test_every_vsl_command_exists_with_its_options(each: Document) -> None:
    group: Any = typer.main.get_command(app)
    for name, rest in re.findall(r"(?:^|[\s/($])vsl ([a-z]+)([^\n`|)]*)", each.code, re.MULTILINE):
        assert name in group.commands, f"vsl {name}"
        command = group.commands[name]
        if hasattr(command, "commands") and rest.strip():
            word = rest.split()[0]
            default = getattr(command, "default", word)
            command = command.commands[word if word in command.commands else default]
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        used = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", re.split(r"\s{2,}", rest)[0]))
        assert used - {"--help"} <= known, f"vsl {name}{rest}"


@pytest.mark.parametrize("each", ALL)
def test_every_aws_command_exists_with_its_options(each: Document) -> None:
    session = botocore.session.get_session()
    everywhere = {"--query", "--output", "--region", "--profile"}
    code = each.code.replace("\\\n", " ")
    for service, operation, rest in re.findall(r"\baws ([a-z0-9]+) ([a-z-]+)([^\n`|)]*)", code):
        if (service, operation) in COMMAND_LINE_ONLY:
            used = set(re.findall(r"(?<!\S)--[a-z-]+", rest))
            assert used <= COMMAND_LINE_ONLY[service, operation]
            continue
        model = session.get_service_model(SERVICES.get(service, service))
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        assert operation in operations, f"aws {service} {operation}"
        shape = model.operation_model(operations[operation]).input_shape
        known = {f"--{xform_name(name, '-')}" for name in shape.members} if shape else set()
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= known | everywhere


@pytest.mark.parametrize("each", ALL)
def test_every_name_of_ours_exists(each: Document) -> None:
    """Names in CamelCase are states, errors, metrics, parts of the template or classes of ours."""
    known = states() | set(error_classes()) | set(METRICS) | FOREIGN | classes()
    known |= {code for code, _ in gateway_answers()}
    for part in ("Resources", "Parameters", "Outputs"):
        known |= set(template()[part])
    known |= set(load_yaml(REPOSITORY / "deployment/github.yaml")["Parameters"])
    for parameter in template()["Parameters"].values():
        known |= {str(value) for value in parameter.get("AllowedValues", ())}
    for table in ("JobsTable", "IdempotencyTable"):
        indexes = template()["Resources"][table]["Properties"].get("GlobalSecondaryIndexes", [])
        known |= {index["IndexName"] for index in indexes}
    named = {span for span in each.spans if re.fullmatch(r"[A-Z][a-z]+([A-Z][a-z]+)+", span)}
    assert named - known == set()


@pytest.mark.parametrize("each", ALL)
def test_every_function_and_table_named_in_a_table_exists(each: Document) -> None:
    schema = (REPOSITORY / "database" / "schema.sql").read_text()
    relations = set(re.findall(r"^CREATE (?:TABLE|VIEW) (\w+)", schema, re.MULTILINE))
    known = {"function": functions(), "table": relations, "state": states()}
    for head, *rows in each.tables():
        for column, title in enumerate(head):
            names = known.get(title.lower(), set())
            for row in rows if names else []:
                named = set(re.findall(r"`([A-Za-z_]+)`", row[column]))
                assert named <= names, f"{title}: {named - names}"


@pytest.mark.parametrize("each", ALL)
def test_every_drawn_step_of_a_state_machine_exists(each: Document) -> None:
    """A drawing may leave steps out; what it shows is in one of the definitions."""
    edges = _edges(definition("media_job")) | _edges(definition("generate_media"))
    for block in each.blocks:
        if block.language == "mermaid" and block.text.startswith("stateDiagram"):
            drawn = set(re.findall(r"^\s+(\w+) --> (\w+)", block.text, re.MULTILINE))
            assert drawn <= edges, drawn - edges


def test_the_architecture_names_every_function() -> None:
    for head, *rows in document("docs/architecture.md").tables():
        if head[0] == "function":
            assert {row[0].strip("`") for row in rows} == functions()
            return
    pytest.fail("there is no table of the functions")


def test_the_api_document_names_every_route() -> None:
    api = api_source()
    routes = {
        f"{method.upper()} {path}"
        for path, methods in api["paths"].items()
        for method in methods
        if method not in {"options", ANY_METHOD}
    }
    described = document("docs/api.md")
    assert {
        span for span in described.spans if re.match(r"(GET|POST|PUT|DELETE) /", span)
    } >= routes
    headings = set(re.findall(r"^## ((?:GET|POST|PUT|DELETE) .+)$", described.text, re.MULTILINE))
    assert headings == routes


def test_the_error_tables_are_complete_and_true() -> None:
    described = document("docs/api.md")
    refused, gateway = described.section("How a request can be refused").tables()
    (failed,) = described.section("How a job can fail").tables()
    classes = error_classes()
    for code, status, *_ in refused[1:]:
        assert classes[code.strip("`")].status == int(status), code
    assert {(code.strip("`"), int(status)) for code, status, *_ in gateway[1:]} == set(
        gateway_answers()
    )
    named = {row[0].strip("`") for row in [*refused[1:], *failed[1:]]}
    assert named | INTERNAL == set(classes)


def test_the_pictures_are_small() -> None:
    pictures = {path.name: path.stat().st_size for path in (REPOSITORY / "docs/pictures").iterdir()}
    media = [size for name, size in pictures.items() if name.endswith(".webp")]
    assert len(media) == 4
    assert sum(media) < 220_000
    assert pictures["demo.svg"] < 50_000
    assert pictures["terminal.svg"] < 50_000


def test_make_up_is_what_the_documents_say_it_is() -> None:
    """The commands of README are run with the CLI itself; these targets are that and nothing more."""
    makefile = (REPOSITORY / "Makefile").read_text()
    for target, command in {
        "up": "up --detach --state $(STATE)",
        "down": "down --state $(STATE)",
        "demo": "demo --state $(STATE)/demo",
    }.items():
        assert re.search(
            rf"^{target}: stack ##.*\n\t@.venv/bin/vsl {re.escape(command)}$",
            makefile,
            re.MULTILINE,
        ), target


def _edges(machine: Mapping[str, Any]) -> set[tuple[str, str]]:
    edges = set()
    for name, state in machine["States"].items():
        following = [state.get("Next"), state.get("Default")]
        for branches in ("Choices", "Catch"):
            following += [branch["Next"] for branch in state.get(branches, ())]
        edges |= {(name, each) for each in following if each}
    return edges
