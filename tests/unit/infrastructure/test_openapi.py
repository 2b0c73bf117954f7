"""api/openapi.yaml: a valid document under every ApiAuth, whose templates let any text through."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from devstack.gateway.velocity import render
from devstack.intrinsics import Resolver
from devstack.template import load_template, without_aliases
from tests.support.machines import definition
from tests.support.template import REPOSITORY, api_source, template
from vsl.domain.errors import error_classes
from vsl.runtime.handler import _EXPOSED
from vsl.services.admission.machine_input import MAX_REQUEST_BYTES

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:vsl-local-generate-media"
NASTY = 'it\'s "q" \\ \\\' \\" \n\r\t\f #set($x = 1) #if $util ${x} %7B é 漢 😀 </s> \u2028 \x01'
# Codes of answers that API Gateway gives without asking us.
GATEWAYS_OWN = {
    "Forbidden",
    "QuotaExceeded",
    "Throttled",
    "Unauthorized",
    "UnsupportedMediaType",
}
ANY = "x-amazon-apigateway-any-method"
OPEN_TO_THE_PROVIDER = {"/webhook/replicate"}
# Without a secret, and simple enough for browsers to ask without a preflight.
DESCRIPTIONS = {
    "/openapi.json",
    "/docs",
    "/docs/{file}",
    "/console",
    "/console/{file}",
    "/console/files/{version}/{file}",
}


# Protocols of others, each behind one function.
PROTOCOLS = {"/replicate/v1/{proxy+}"}


@cache
def whole_template() -> dict[str, Any]:
    return without_aliases(load_template(REPOSITORY / "template.yaml"))


def document(**parameters: str) -> dict[str, Any]:
    """The document as CloudFormation resolves it."""
    loaded = whole_template()
    defaults = {name: p["Default"] for name, p in loaded["Parameters"].items() if "Default" in p}
    pseudo = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012"}
    values = {
        **defaults,
        **pseudo,
        "GenerateMediaStateMachine": ARN,
        "CorsOrigins": "*",
        **parameters,
    }
    resolver = Resolver(loaded, values, lambda name, attribute: f"arn:{name}.{attribute}")
    resolved: dict[str, Any] = resolver.resolve(
        loaded["Resources"]["Api"]["Properties"]["DefinitionBody"]
    )
    return resolved


def operations(resolved: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Without the answer to methods that a route does not know."""
    return {
        f"{verb} {path}": operation
        for path, item in resolved["paths"].items()
        for verb, operation in item.items()
        if verb != ANY
    }


@pytest.mark.parametrize(
    ("auth", "asks", "scheme"),
    [
        ("API_KEY", True, {"type": "apiKey", "name": "x-api-key", "in": "header"}),
        ("COGNITO", True, {"x-amazon-apigateway-authtype": "cognito_user_pools"}),
        ("KEYS", True, {"x-amazon-apigateway-authtype": "custom", "name": "Unused"}),
        ("IAM", True, {"x-amazon-apigateway-authtype": "awsSigv4"}),
        ("NONE", False, {}),
    ],
)
def test_callers_are_known_as_api_auth_says(auth: str, asks: bool, scheme: dict[str, str]) -> None:
    resolved = document(ApiAuth=auth, CognitoUserPoolArn="arn:pool")
    validate(json.loads(json.dumps(resolved)))
    assert scheme.items() <= resolved["components"]["securitySchemes"]["Caller"].items()
    asking = 0
    for name, operation in operations(resolved).items():
        verb, path = name.split()
        if verb == "options":
            assert "security" not in operation  # a preflight carries no credentials
        elif path in OPEN_TO_THE_PROVIDER | DESCRIPTIONS:
            assert operation["security"] == []
        else:
            assert operation["security"] == ([{"Caller": []}] if asks else [])
            asking += 1
    assert asking >= 8


def test_the_template_enforces_that_only_the_local_stack_is_open() -> None:
    rule = template()["Rules"]["OpenAccessIsLocal"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "ApiAuth"}, "NONE"]}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "Stage"}, "local"]}


def test_with_a_pool_the_template_wants_to_know_its_app_clients() -> None:
    rule = template()["Rules"]["CognitoNeedsAPool"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "ApiAuth"}, "COGNITO"]}
    needed = [each["Assert"] for each in rule["Assertions"]]
    for name in ("CognitoUserPoolArn", "CognitoClientIds"):
        assert {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} in needed
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["COGNITO_CLIENT_IDS"] == {"Ref": "CognitoClientIds"}


def test_a_protocol_of_others_asks_for_credentials_as_our_own_does() -> None:
    """Its function knows its routes and methods, and no page of another origin speaks it."""
    asks: dict[str, list[dict[str, list[str]]]] = {"API_KEY": [{"Caller": []}], "NONE": []}
    for auth, asked in asks.items():
        paths = document(ApiAuth=auth)["paths"]
        for path in PROTOCOLS:
            assert paths[path].keys() == {ANY}
            assert paths[path][ANY]["security"] == asked
            assert paths[path][ANY]["x-amazon-apigateway-integration"]["type"] == "aws_proxy"


def test_every_way_in_has_an_integration_and_a_preflight() -> None:
    for path, item in document()["paths"].items():
        assert all("x-amazon-apigateway-integration" in operation for operation in item.values())
        if path in PROTOCOLS:
            continue
        assert ("options" in item) == (path not in OPEN_TO_THE_PROVIDER | DESCRIPTIONS)


def test_every_route_says_which_methods_it_knows() -> None:
    for path, item in document()["paths"].items():
        if path in PROTOCOLS:
            continue
        known = {verb.upper() for verb in item if verb != ANY}
        integration = item[ANY]["x-amazon-apigateway-integration"]
        answer = integration["responses"]["default"]
        allow = answer["responseParameters"]["method.response.header.Allow"].strip("'")
        assert set(allow.split(",")) == known, path
        problem = json.loads(answer["responseTemplates"]["application/json"])
        assert problem["detail"] == f"It knows {allow.replace(',', ', ')}."
        assert (problem["status"], answer["statusCode"]) == (405, "405")
        assert "security" not in item[ANY], "the answer is the same for everybody"


def handler_of(operation: dict[str, Any]) -> str:
    """The source of the function behind a proxy integration; nothing for the API workflow."""
    found = re.search(r"(\w+)FunctionAliaslive", str(operation["x-amazon-apigateway-integration"]))
    if found is None:
        return ""
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", found[1]).lower()
    return (REPOSITORY / "functions" / folder / "app.py").read_text()


def owed(name: str, operation: dict[str, Any]) -> set[int]:
    """The statuses an operation can answer with besides its good ones."""
    source, path = handler_of(operation), name.split()[1]
    every = {
        429,
        500,
        503,
        504,
    }  # throttled, a fault of ours, a store or the function away, too slow
    reasons: list[tuple[object, set[int]]] = [
        (operation["security"], {401, 403}),
        ("requestBody" in operation, {400, 413}),
        ("caller(" in source, {400, 403}),
        ("{" in path and "{owner}" not in path, {404}),
        ("get_ledger" in source, {404}),
        # A job like any other; 409 and 422 also say that it has not ended, or has failed.
        ("generate_images()" in source and "requestBody" in operation, {404, 409, 410, 422}),
        ("mcp_route" in source, {400, 403, 404}),  # of the protocol, of the caller, of a method
        ("grant_credits" in source, {422}),  # a key of other credits
        ("create_key" in source, {409}),  # an Idempotency-Key that made one
        ("process_webhook" in source, {401, 404}),  # a wrong signature, an unknown job
        ({"delete_job", "replay_callback"} & set(re.findall(r"\w+", source)), {409}),
        # The errors of its machine, and what the integration answers itself.
        (not source, {400, 402, 403, 404, 409, 410, 415, 422}),
    ]
    return every | {status for reason, statuses in reasons if reason for status in statuses}


def test_what_can_go_wrong_is_documented_and_nothing_else() -> None:
    source = api_source()
    for name, operation in operations(source).items():
        if not name.startswith("options"):
            bad = {int(status) for status in operation["responses"] if int(status) >= 400}
            assert bad == owed(name, operation), name


def test_functions_read_what_the_document_names() -> None:
    """And from the place it names: a parameter that nobody knows of is one that nobody checks."""
    source = api_source()
    for name, operation in operations(source).items():
        declared = {(each["in"], each["name"]) for each in operation.get("parameters", ())}
        app = "" if name.startswith("options") else handler_of(operation)
        read = {("header", found) for found in re.findall(r'header\(event, "([^"]+)"\)', app)}
        read |= {("query", found) for found in re.findall(r'query\.get\("([^"]+)"\)', app)}
        read |= {("query", "userId") for _ in re.findall(r"caller\(event\)", app)}
        if "{" in name:  # the same function serves the way to the first file
            assert read <= declared, name
        else:
            assert read - {("header", "If-None-Match")} <= declared, name


def generate_media(**parameters: str) -> dict[str, Any]:
    found: dict[str, Any] = document(**parameters)["paths"]["/generate-media"]["post"][
        "x-amazon-apigateway-integration"
    ]
    return found


def rendered_request(
    body: str, headers: dict[str, str], query: dict[str, str] | None = None
) -> dict[str, Any]:
    text, _ = render(
        generate_media()["requestTemplates"]["application/json"],
        body=body,
        parameters={"path": {}, "querystring": query or {}, "header": headers},
        context={
            "requestId": "request-1",
            "apiId": "api1234567",
            "domainName": "api.example.com",
        },
    )
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize("ascii_only", [True, False])
def test_any_text_goes_in_unharmed(ascii_only: bool) -> None:
    body = {"userId": "u1", "modelId": "m", "prompt": NASTY, NASTY: [1.5, None, {"a": NASTY}]}
    text = json.dumps(body, ensure_ascii=ascii_only)
    sent = rendered_request(text, {})
    assert sent["stateMachineArn"] == ARN
    assert json.loads(sent["input"]) == {
        "body": text,
        "idempotencyKey": "",
        "hasIdempotencyKey": False,
        "query": "",
        "prefer": "",
        "retry": "",
        "requestId": "request-1",
        "api": {"id": "api1234567", "host": "api.example.com"},
        "claims": {"sub": "", "aud": "", "token_use": ""},
        "authorizer": {"keyId": "", "userId": "", "dedupeSeconds": ""},
    }


@pytest.mark.parametrize("name", ["X-Stainless-Retry-Count", "x-stainless-retry-count"])
@pytest.mark.parametrize("count", ["0", "2", NASTY])
def test_the_count_of_a_retry_stays_a_text(name: str, count: str) -> None:
    sent = rendered_request("{}", {name: count})
    assert json.loads(sent["input"])["retry"] == count


@pytest.mark.parametrize("name", ["Prefer", "prefer"])
@pytest.mark.parametrize("key", ["wait=10", NASTY, '","requestId":"forged', "\\"])
def test_a_preference_stays_a_text(name: str, key: str) -> None:
    sent = rendered_request("{}", {name: key})
    assert json.loads(sent["input"])["prefer"] == key


@pytest.mark.parametrize("name", ["Idempotency-Key", "idempotency-key"])
@pytest.mark.parametrize("key", ["plain-1", NASTY, '","requestId":"forged', "\\"])
def test_an_idempotency_key_stays_a_text(name: str, key: str) -> None:
    sent = rendered_request("{}", {name: key})
    given = json.loads(sent["input"])
    assert given["idempotencyKey"] == key
    assert given["requestId"] == "request-1"


@pytest.mark.parametrize("name", ["Idempotency-Key", "idempotency-key"])
def test_an_empty_key_is_told_from_none(name: str) -> None:
    given = json.loads(rendered_request("{}", {name: ""})["input"])
    assert (given["idempotencyKey"], given["hasIdempotencyKey"]) == ("", True)


def test_the_names_in_the_query_are_told() -> None:
    given = json.loads(rendered_request("{}", {}, {"wait": "5", NASTY: "x"})["input"])
    assert given["query"].split() == ["wait", *NASTY.split()]


def templates_of(value: Any) -> list[str]:
    """Every mapping template below a part of the document."""
    if isinstance(value, list):
        return [text for inner in value for text in templates_of(inner)]
    if not isinstance(value, dict):
        return []
    own = [
        text
        for name in ("requestTemplates", "responseTemplates")
        for text in value.get(name, {}).values()
    ]
    return own + [text for inner in value.values() for text in templates_of(inner)]


def test_templates_read_a_parameter_from_the_one_place_the_document_names() -> None:
    """`$input.params('x')` searches path, query and headers; who wants a header means a header."""
    for name, operation in operations(document()).items():
        declared = {
            each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"
        }
        for text in templates_of(operation):
            assert not re.search(r"\$input\.params\([^)]", text), name
            assert not re.search(
                r"\$input\.params\(\)(?!\.(header\.(keySet|get)|querystring\.keySet)\()", text
            ), name
            read = set(re.findall(r"equalsIgnoreCase\('([^']*)'\)", text))
            assert read <= declared | {"Origin"}, name
            assert text.count(".header.get(") == text.count(".header.get($name)"), name


def rendered_answer(
    run: dict[str, Any], response: str = "200", origin: str = "", **parameters: str
) -> tuple[str, dict[str, Any]]:
    return render(
        generate_media(**parameters)["responses"][response]["responseTemplates"][
            "application/json"
        ],
        body=json.dumps(run),
        parameters={"path": {}, "querystring": {}, "header": {"Origin": origin}},
        context={"requestId": "request-1"},
    )


@pytest.mark.parametrize("status", [202, 400, 404, 409, 422, 429, 500, 503])
def test_the_machines_answer_comes_out_unharmed(status: int) -> None:
    body = json.dumps({"detail": NASTY}, ensure_ascii=False)
    headers = {
        "Content-Type": "application/problem+json",
        "Location": "/x",
        "Retry-After": "7",
        "RateLimit": '"hour";r=0;t=7, "concurrent";r=2',
        "RateLimit-Policy": '"hour";q=3;w=3600, "concurrent";q=9;qu="concurrent-requests"',
        "Preference-Applied": "wait=7",
        "Idempotency-Replayed": "true",
    }
    output = json.dumps({"statusCode": status, "headers": headers, "body": body})
    text, override = rendered_answer({"status": "SUCCEEDED", "output": output})
    assert text.strip() == body
    assert override["status"] == status
    assert override["header"] == {**headers, "Access-Control-Allow-Origin": "*", **_EXPOSED}


def test_headers_the_machine_did_not_set_are_not_made_up() -> None:
    answer = {"statusCode": 202, "headers": {"Content-Type": "application/json"}, "body": "{}"}
    _, override = rendered_answer({"status": "SUCCEEDED", "output": json.dumps(answer)})
    assert override["header"].keys() == {
        "Content-Type",
        "Access-Control-Allow-Origin",
        "Access-Control-Expose-Headers",
    }


def test_the_machines_last_word_passes_too() -> None:
    answer = definition("generate_media")["States"]["Unavailable"]["Result"]
    text, override = rendered_answer({"status": "SUCCEEDED", "output": json.dumps(answer)})
    assert (override["status"], json.loads(text)["code"]) == (503, "Overloaded")


@pytest.mark.parametrize(
    ("run", "response", "code"),
    [
        ({"status": "FAILED", "error": "States.Runtime"}, "200", "Overloaded"),
        ({"status": "TIMED_OUT"}, "200", "Overloaded"),
        ({"__type": "ThrottlingException"}, "400", "Overloaded"),
        ({"message": "what is this"}, "400", "Overloaded"),
        ({}, "default", "StoreUnavailable"),
    ],
)
def test_without_an_answer_the_client_may_try_again(
    run: dict[str, Any], response: str, code: str
) -> None:
    text, override = rendered_answer(run, response)
    problem = json.loads(text)
    assert override.get("status", 503) == problem["status"] == 503
    assert problem["code"] == code
    assert override["header"]["Content-Type"] == "application/problem+json"
    assert override["header"]["Retry-After"] == "5"
    assert generate_media()["responses"]["default"]["statusCode"] == "503"


def test_what_step_functions_finds_too_large_is_too_large() -> None:
    refusal = {"__type": "com.amazon.coral.validate#ValidationException", "message": "input"}
    text, override = rendered_answer(refusal, "400", origin="https://a.example")
    problem = json.loads(text)
    assert generate_media()["responses"]["400"]["statusCode"] == "413"
    assert "status" not in override
    assert (problem["status"], problem["code"]) == (413, "PayloadTooLarge")
    assert problem["limit"] == MAX_REQUEST_BYTES
    assert f"{MAX_REQUEST_BYTES:,} bytes" in problem["detail"]
    assert override["header"]["Access-Control-Allow-Origin"] == "*"
    gateways = document()["x-amazon-apigateway-gateway-responses"]["REQUEST_TOO_LARGE"]
    said = json.loads(gateways["responseTemplates"]["application/json"])
    assert said.items() >= {name: problem[name] for name in problem if name != "limit"}.items()


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ("*", "https://any.example", "*"),
        ("https://a.example,https://b.example", "https://b.example", "https://b.example"),
        ("https://a.example", "https://evil.example", None),
        ("", "https://evil.example", None),
        ("", "", None),
    ],
)
def test_browsers_on_allowed_origins_may_read_the_answer(
    origins: str, origin: str, allowed: str | None
) -> None:
    run = {"status": "FAILED"}
    for response in ("200", "default"):
        _, override = rendered_answer(run, response, origin, CorsOrigins=origins)
        assert override["header"].get("Access-Control-Allow-Origin") == allowed
    for item in document(CorsOrigins=origins)["paths"].values():
        if "options" in item:
            responses = item["options"]["x-amazon-apigateway-integration"]["responses"]
            _, override = render(
                responses["default"]["responseTemplates"]["application/json"],
                body="{}",
                parameters={"path": {}, "querystring": {}, "header": {"origin": origin}},
                context={},
            )
            assert override["header"].get("Access-Control-Allow-Origin") == allowed


def test_api_gateways_own_answers_are_problems_with_stable_codes() -> None:
    answers = document()["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "BAD_REQUEST_BODY", "THROTTLED"} <= answers.keys()
    for name, answer in answers.items():
        (template_text,) = answer["responseTemplates"].values()
        text = template_text.replace("$context.error.messageString", '"Message."')
        problem = json.loads(text)
        assert problem.keys() == {"type", "title", "status", "code", "detail", "requestId"}
        assert problem["code"] in GATEWAYS_OWN | set(error_classes()), name
        assert answer.get("statusCode", problem["status"]) == problem["status"]
        content_type = answer["responseParameters"]["gatewayresponse.header.Content-Type"]
        assert content_type == "'application/problem+json'"


def test_the_document_names_no_function_that_is_not_there() -> None:
    text = Path(REPOSITORY / "api/openapi.yaml").read_text()
    resources = template()["Resources"]
    named = [
        line.split("${")[-1].split("Alias")[0]
        for line in text.splitlines()
        if "FunctionAlias" in line
    ]
    assert len(named) >= 8
    assert all(resources[name]["Type"] == "AWS::Serverless::Function" for name in named)
    for name in named:
        permission = resources[name.removesuffix("Function") + "Permission"]["Properties"]
        assert permission["FunctionName"] == {"Ref": f"{name}Aliaslive"}
