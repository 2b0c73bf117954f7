"""What template.yaml keeps to beyond what cfn-lint checks."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.template import REPOSITORY, resource, template

FUNCTION = "AWS::Serverless::Function"
LAYERS = ["CoreLayer", "RuntimeLayer", "ConfigLayer"]
IN_VPC = {
    "AwaitSlotFunction",
    "DispatchQueueFunction",
    "CheckRateLimitFunction",
    "CreateJobFunction",
    "DeleteJobFunction",
    "DeliverCallbackFunction",
    "ListCallbacksFunction",
    "ReplayCallbackFunction",
    "FinalizeJobFunction",
    "GetStatusFunction",
    "RejectRequestFunction",
    "WaitForJobFunction",
    "OpenaiApiFunction",
    "McpFunction",
    "EstimateJobFunction",
    "GetBudgetFunction",
    "GetBudgetsFunction",
    "GetLedgerFunction",
    "GetOperationsFunction",
    "GetTimelineFunction",
    "GetUsageFunction",
    "GrantCreditsFunction",
    "ListJobsFunction",
    "ProcessWebhookFunction",
    "RecordFailureFunction",
    "RepairExecutionFunction",
    "ReplicateApiFunction",
    "SetBudgetFunction",
}
# Actions that IAM cannot narrow to a resource.
WITHOUT_RESOURCE = {
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    found = {n: r["Properties"] for n, r in template()["Resources"].items() if r["Type"] == kind}
    assert found, kind
    return found


def functions() -> dict[str, dict[str, Any]]:
    return of_type(FUNCTION)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Every policy statement anywhere below, also those behind a condition."""
    if isinstance(value, dict):
        if "Effect" in value and "Action" in value:
            yield value
        for inner in value.values():
            yield from statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from statements(inner)


def allowed() -> list[dict[str, Any]]:
    found = [s for s in statements(template()["Resources"]) if s["Effect"] == "Allow"]
    return [s for s in found if s["Action"] != "sts:AssumeRole"]


def test_no_statement_allows_more_than_it_names() -> None:
    assert len(allowed()) > 20
    for statement in allowed():
        actions = as_list(statement["Action"])
        assert all(re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action) for action in actions), statement
        if "*" in as_list(statement.get("Resource")):
            assert set(actions) <= WITHOUT_RESOURCE, statement


def test_no_function_has_a_ready_made_policy() -> None:
    named = [p for f in functions().values() for p in f.get("Policies", ()) if isinstance(p, str)]
    assert named == []
    attached = [
        p.get("Fn::If", [None, p])[1] for f in functions().values() for p in f.get("Policies", ())
    ]
    references = {policy["Ref"] for policy in attached if "Ref" in policy}
    own = of_type("AWS::IAM::ManagedPolicy")
    assert references == set(own)
    assert all("ManagedPolicyName" not in policy for policy in own.values())


def test_every_function_logs_to_a_group_that_forgets() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    for name, function in functions().items():
        group = name.removesuffix("Function") + "LogGroup"
        assert function["LoggingConfig"] == {"LogGroup": {"Ref": group}}
        kebab = function["FunctionName"]["Fn::Sub"]
        assert groups[group]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{kebab}"}
    assert len(groups) == len(functions()) + 3
    assert all(g["RetentionInDays"] == {"Ref": "LogRetentionDays"} for g in groups.values())


def test_what_all_functions_share() -> None:
    shared = template()["Globals"]["Function"]
    assert shared["Runtime"] == "python3.13"
    assert shared["Handler"] == "app.handler"
    assert shared["Architectures"] == [{"Ref": "LambdaArchitecture"}]
    assert shared["Tracing"] == "Active"
    assert shared["LoggingConfig"]["LogFormat"] == "JSON"
    assert [layer["Ref"] for layer in shared["Layers"]] == LAYERS
    own = {"Runtime", "Handler", "Architectures", "Tracing"}
    assert not any(own & function.keys() for function in functions().values())


def own_environments() -> dict[str, set[str]]:
    return {
        name: set(function["Environment"]["Variables"])
        for name, function in functions().items()
        if "Environment" in function
    }


def test_who_is_told_of_the_api_workflow() -> None:
    """Not all: the machine refers to its steps, and they cannot refer to it."""
    assert own_environments() == {
        "McpFunction": {"GENERATE_MEDIA"},
        "OpenaiApiFunction": {"GENERATE_MEDIA", "MODEL_ALIASES"},
        "ReplicateApiFunction": {"GENERATE_MEDIA"},
    }


def test_functions_that_answer_people_and_the_provider_may_start_from_a_snapshot() -> None:
    """Those behind the API, among them the webhook's, and the API workflow's steps."""
    machine = template()["Resources"]["GenerateMediaStateMachine"]["Properties"]
    called = json.dumps(machine["DefinitionSubstitutions"])
    api = (REPOSITORY / "api" / "openapi.yaml").read_text()
    answering = set(re.findall(r"(\w+Function)(?=[.}]|Alias)", api + called))
    assert {"GetStatusFunction", "ProcessWebhookFunction", "CreateJobFunction"} <= answering
    chosen = {name: f["SnapStart"] for name, f in functions().items() if "SnapStart" in f}
    assert chosen == {name: {"ApplyOn": {"Ref": "SnapStart"}} for name in answering}
    parameter = template()["Parameters"]["SnapStart"]
    assert (parameter["Default"], parameter["AllowedValues"]) == (
        "None",
        ["None", "PublishedVersions"],
    )


def test_only_store_media_carries_the_media_libraries() -> None:
    more = {name: f["Layers"] for name, f in functions().items() if "Layers" in f}
    assert more == {"StoreMediaFunction": [{"Ref": "MediaLayer"}]}


def test_the_environment_is_what_settings_and_logs_read() -> None:
    runtime = REPOSITORY / "layers/core/vsl/runtime"
    settings = (runtime / "settings.py").read_text()
    read = set(re.findall(r'_(?:text|integer|list|dollars)\(\s*"([A-Z][A-Z0-9_]+)"', settings))
    assert len(read) >= 14
    logs = (runtime / "observability.py").read_text()
    read |= set(re.findall(r'environ\.get\(\s*"((?!AWS_)[A-Z][A-Z0-9_]+)"', logs))
    shared = set(template()["Globals"]["Function"]["Environment"]["Variables"])
    assert shared.union(*own_environments().values()) == read


def test_no_secret_is_a_parameter_or_an_environment_variable() -> None:
    text = (REPOSITORY / "template.yaml").read_text()
    assert "resolve:ssm" not in text
    assert "NoEcho" not in text
    assert not re.search(r"(TOKEN|SECRET|PASSWORD|DATABASE_URL|REDIS_URL)\s*:", text)


def test_functions_that_reach_postgresql_or_redis_can_stand_in_a_vpc() -> None:
    inside = {name for name, function in functions().items() if "VpcConfig" in function}
    assert inside == IN_VPC
    for name in inside:
        condition, config, otherwise = functions()[name]["VpcConfig"]["Fn::If"]
        assert condition == "InVpc"
        assert config.keys() == {"SubnetIds", "SecurityGroupIds"}
        assert otherwise == {"Ref": "AWS::NoValue"}


def test_who_may_touch_what() -> None:
    """Grants of one function, so that a widening shows in review."""
    actions = {
        name.removesuffix("Function"): sorted(
            action for statement in statements(f) for action in as_list(statement["Action"])
        )
        for name, f in functions().items()
    }
    release = ["states:SendTaskFailure", "states:SendTaskSuccess"]
    item = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    keep = ["s3:PutObject"]  # an output that fits no item
    search = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"]
    tell = ["events:PutEvents", "sqs:SendMessage"]
    remove = ["s3:DeleteObject", "s3:ListBucket"]
    # Of the lease, and of itself.
    lease = ["dynamodb:DeleteItem", "dynamodb:UpdateItem", "lambda:InvokeFunction"]
    poll = [*lease, "dynamodb:BatchGetItem", "dynamodb:Query", "lambda:InvokeFunction"]
    assert actions == {
        "ValidateRequest": [
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "s3:GetObject",
        ],
        "CheckRateLimit": [],
        "CreateJob": ["dynamodb:PutItem", "dynamodb:UpdateItem", "events:PutEvents"],
        "SubmitPrediction": [*search, "s3:GetObject", "sqs:SendMessage"],
        "AwaitSlot": ["dynamodb:UpdateItem", "lambda:InvokeFunction", *release],
        "DispatchQueue": [
            "dynamodb:BatchGetItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "dynamodb:UpdateItem",
            "lambda:InvokeFunction",
            "states:SendTaskSuccess",
        ],
        "AwaitPrediction": ["dynamodb:UpdateItem", *release],
        "ResolveTimeout": [*item, *keep],
        "StoreMedia": sorted(
            [*item, *remove, "s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
        ),
        "FinalizeJob": item + tell,
        "RecordFailure": search + tell,
        "RejectRequest": ["dynamodb:DeleteItem"],
        "ProcessWebhook": ["dynamodb:Query", "dynamodb:UpdateItem", *keep, *release],
        "PollPredictions": sorted([*item, *keep, *release, *poll]),
        "RepairExecution": sorted(
            [
                *search,
                *tell,
                *remove,
                "dynamodb:DeleteItem",
                "dynamodb:PutItem",
                "states:DescribeExecution",
            ]
        ),
        "CancelJob": item + keep + release,
        "GetStatus": ["dynamodb:GetItem", "s3:GetObject"],
        "WaitForJob": ["dynamodb:GetItem", "s3:GetObject"],
        "Mcp": sorted(
            [*item, *release, "s3:GetObject", "s3:PutObject", "states:StartSyncExecution"]
        ),
        "OpenaiApi": [
            "dynamodb:GetItem",
            "s3:GetObject",
            "s3:PutObject",
            "states:StartSyncExecution",
        ],
        "ListJobs": ["dynamodb:BatchGetItem", "s3:GetObject"],
        "GetOperations": [
            "cloudwatch:DescribeAlarms",
            "cloudwatch:GetMetricData",
            "dynamodb:BatchGetItem",
        ],
        "GetBudget": [],
        "GetUsage": [],
        "GetBudgets": [],
        "SetBudget": [],
        "GrantCredits": [],
        "GetLedger": [],
        "AuthorizeKey": ["dynamodb:GetItem"],
        "CreateKey": ["dynamodb:PutItem"],
        "ListKeys": ["dynamodb:Scan"],
        "RevokeKey": ["dynamodb:UpdateItem"],
        "GetTimeline": ["dynamodb:GetItem"],
        "DeleteJob": ["dynamodb:GetItem", "dynamodb:PutItem", *remove],
        "DeliverCallback": [
            "s3:GetObject",
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        "ListCallbacks": [],
        "ReplayCallback": ["sqs:SendMessage"],
        "GetWebhookSecret": [],
        "GetOpenapi": [],
        "CreateUpload": ["s3:PutObject"],
        "ListModels": [],
        "GetModel": [],
        "EstimateJob": [],
        "GetConsole": [],
        # Its user's jobs, files and cancels.
        "ReplicateApi": sorted(
            [
                *item,
                *remove,
                *release,
                "dynamodb:BatchGetItem",
                # The key of the distribution, where there is one: its eleventh policy otherwise.
                "kms:Decrypt",
                "s3:GetObject",
                "s3:PutObject",
                "ssm:GetParameters",
                "states:StartSyncExecution",
            ]
        ),
    }


@pytest.mark.parametrize("name", ["MediaJobStateMachine", "GenerateMediaStateMachine"])
def test_machines_call_what_they_are_given_and_log_no_data(name: str) -> None:
    machine = resource(name)["Properties"]
    invoked = [
        target["Ref"].removesuffix("Aliaslive")
        for statement in statements(machine)
        if statement["Action"] == "lambda:InvokeFunction"
        for target in statement["Resource"]
    ]
    given = [k.removesuffix("Arn") for k in machine["DefinitionSubstitutions"] if "Function" in k]
    assert sorted(invoked) == sorted(given)
    assert machine["Logging"]["IncludeExecutionData"] is False
    assert machine["Tracing"] == {"Enabled": True}


def test_task_tokens_can_be_answered_for_the_right_machine_alone() -> None:
    answering = [s for s in allowed() if "states:SendTaskSuccess" in as_list(s["Action"])]
    assert len(answering) == 8
    name = resource("MediaJobStateMachine")["Properties"]["Name"]["Fn::Sub"]
    for statement in answering:
        assert statement["Resource"]["Fn::Sub"].endswith(f":stateMachine:{name}")


def test_data_outlives_the_stack() -> None:
    for name in ("JobsTable", "IdempotencyTable", "ApiKeysTable", "MediaBucket"):
        assert resource(name)["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource(name)["UpdateReplacePolicy"] == "Retain"
    for table in of_type("AWS::DynamoDB::Table").values():
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert table["SSESpecification"]["SSEEnabled"] is True
        assert table["TimeToLiveSpecification"]["Enabled"] is True
        assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_jobs_table_has_the_keys_the_code_uses() -> None:
    table = resource("JobsTable")["Properties"]
    indexes = {
        index["IndexName"]: (
            [key["AttributeName"] for key in index["KeySchema"]],
            index["Projection"]["ProjectionType"],
        )
        for index in table["GlobalSecondaryIndexes"]
    }
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["jobId", "timestamp"]
    assert indexes == {
        "UserIdIndex": (["userId", "timestamp"], "KEYS_ONLY"),
        "ReplicateIdIndex": (["replicateId"], "KEYS_ONLY"),
        "InFlightIndex": (["inFlightShard", "nextCheckAt"], "KEYS_ONLY"),
    }


def test_thumbnails_are_never_archived_and_temp_is_swept() -> None:
    rules = resource("MediaBucket")["Properties"]["LifecycleConfiguration"]["Rules"]
    by_id = {rule["Id"]: rule for rule in rules}
    assert by_id["ArchiveOldMedia"]["Prefix"] == "media/"
    assert by_id["ArchiveOldMedia"]["Transitions"][0]["TransitionInDays"] == 90
    assert (by_id["DeleteTempFiles"]["Prefix"], by_id["DeleteTempFiles"]["ExpirationInDays"]) == (
        "temp/",
        1,
    )
    assert "AbortIncompleteMultipartUpload" in by_id["AbortBrokenUploads"]


def test_every_parameter_and_condition_is_used() -> None:
    """cfn-lint's own check is off, because it does not look into the OpenAPI document."""
    text = (REPOSITORY / "template.yaml").read_text() + (
        REPOSITORY / "api/openapi.yaml"
    ).read_text()
    for name in [*template()["Conditions"], *template()["Parameters"]]:
        assert len(re.findall(rf"\b{name}\b", text)) >= 2, name
    grouped = [
        name
        for group in template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        for name in group["Parameters"]
    ]
    assert sorted(grouped) == sorted(template()["Parameters"])


def test_every_layer_has_its_requirements() -> None:
    for name, layer in of_type("AWS::Serverless::LayerVersion").items():
        folder = REPOSITORY / layer["ContentUri"]
        method = resource(name)["Metadata"]["BuildMethod"]
        needed = "Makefile" if method == "makefile" else "requirements.txt"
        assert (folder / needed).is_file(), name
    target = (REPOSITORY / "config/Makefile").read_text()
    assert "build-ConfigLayer:" in target


def test_outputs_are_those_others_read() -> None:
    assert {
        "ApiUrl",
        "ApiEndpoint",
        "BucketName",
        "TableName",
        "IdempotencyTableName",
        "ApiKeysTableName",
        "MediaJobStateMachineArn",
        "GenerateMediaStateMachineArn",
    } <= set(template()["Outputs"])


def test_a_domain_of_ones_own_is_the_address_everybody_is_told() -> None:
    domain, mapping = resource("ApiDomain"), resource("ApiDomainMapping")
    assert domain["Condition"] == mapping["Condition"] == "HasDomain"
    assert domain["Properties"]["DomainName"] == {"Ref": "DomainName"}
    assert domain["Properties"]["RegionalCertificateArn"] == {"Ref": "CertificateArn"}
    assert domain["Properties"]["SecurityPolicy"] == "TLS_1_2"
    # Without a base path, so that the address is the domain alone, as ApiUrlParameter says.
    assert mapping["Properties"].keys() == {"DomainName", "RestApiId", "Stage"}
    told = resource("ApiUrlParameter")["Properties"]["Value"]["Fn::If"]
    first = {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "PublicApiUrl"}]}]}
    assert told[:2] == ["HasPublicApiUrl", first]
    assert told[2]["Fn::If"][:2] == ["HasDomain", {"Fn::Sub": "https://${DomainName}"}]
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    clients = variables["API_URLS"]["Fn::If"]
    assert clients[:2] == ["HasPublicApiUrl", {"Ref": "PublicApiUrl"}]
    assert clients[2]["Fn::If"] == [*told[2]["Fn::If"][:2], ""]
    stages = told[2]["Fn::If"][2]["Fn::Sub"].removeprefix("https://${Api}.")
    assert stages == variables["API_DOMAIN"]["Fn::Sub"] + "/${Stage}"
    rule = template()["Rules"]["ADomainNeedsACertificate"]
    assert rule["Assertions"][0]["Assert"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "CertificateArn"}, ""]}]
    }


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("", True),
        ("https://media.example.com", True),
        ("http://127.0.0.1:8080,https://media.example.com/v1/api", True),
        ("media.example.com", False),
        ("https://media.example.com, https://b.example", False),
        ("https://media.example.com/?x=1", False),
        ("https://user@media.example.com", False),
        ("https://", False),
        ("https://a.example,", False),
    ],
)
def test_addresses_of_the_api_have_a_form(given: str, taken: bool) -> None:
    pattern = template()["Parameters"]["PublicApiUrl"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, given)) is taken


def test_how_much_is_logged_is_the_operators_choice() -> None:
    logging = template()["Globals"]["Function"]["LoggingConfig"]
    assert logging["ApplicationLogLevel"] == {"Fn::If": ["LogsEverything", "DEBUG", "INFO"]}
    assert logging["SystemLogLevel"] == "INFO", "the saved query of invocations reads their reports"


def test_the_stages_of_samconfig_are_those_of_the_template() -> None:
    import tomllib

    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
    parameters = template()["Parameters"]
    for stage in ("homolog", "production"):
        overrides = dict(
            pair.split("=", 1)
            for pair in config[stage]["deploy"]["parameters"]["parameter_overrides"]
        )
        assert overrides["Stage"] == stage
        assert overrides.keys() <= parameters.keys()
        for name, value in overrides.items():
            choices = [str(choice) for choice in parameters[name].get("AllowedValues", [value])]
            assert value in choices
    assert set(parameters["Stage"]["AllowedValues"]) == {"local", "homolog", "production"}


def test_compose_reads_as_yaml() -> None:
    services = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())["services"]
    assert {"postgres", "valkey", "stepfunctions"} <= services.keys()
