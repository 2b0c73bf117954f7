"""Who can read the media, for how long and from where; and what is written down about it."""

from typing import Any

from tests.support.template import REPOSITORY, resource, template
from vsl.adapters.s3.signer import MAX_SECONDS, MIN_SECONDS

PARAMETERS: dict[str, Any] = template()["Parameters"]
SERVERLESS = "AWS::Serverless::"


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    found = {n: r["Properties"] for n, r in template()["Resources"].items() if r["Type"] == kind}
    assert found, kind
    return found


def test_addresses_are_signed_for_a_bounded_time() -> None:
    parameter = PARAMETERS["SignedUrlSeconds"]
    assert (parameter["MinValue"], parameter["MaxValue"]) == (MIN_SECONDS, MAX_SECONDS)
    assert parameter["Default"] == 3600
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["SIGNED_URL_SECONDS"] == {"Ref": "SignedUrlSeconds"}


def test_the_public_reads_media_only_if_a_parameter_says_so() -> None:
    assert PARAMETERS["MediaAccess"]["Default"] == "private"
    assert template()["Conditions"]["MediaIsPublic"] == {
        "Fn::Equals": [{"Ref": "MediaAccess"}, "public"]
    }
    tls, public, _ = resource("MediaBucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
    assert tls["Effect"] == "Deny"
    condition, opened, otherwise = public["Fn::If"]
    assert (condition, otherwise) == ("MediaIsPublic", {"Ref": "AWS::NoValue"})
    assert opened["Action"] == "s3:GetObject"
    assert opened["Resource"] == [
        {"Fn::Sub": "${MediaBucket.Arn}/media/*"},
        {"Fn::Sub": "${MediaBucket.Arn}/thumbnails/*"},
    ]


def test_pages_of_other_origins_are_let_in_by_the_parameter_alone() -> None:
    assert PARAMETERS["CorsOrigins"]["Default"] == ""
    condition, rules, otherwise = resource("MediaBucket")["Properties"]["CorsConfiguration"][
        "Fn::If"
    ]
    assert (condition, otherwise) == ("HasCorsOrigins", {"Ref": "AWS::NoValue"})
    (rule,) = rules["CorsRules"]
    assert rule["AllowedOrigins"] == {"Fn::Split": [",", {"Ref": "CorsOrigins"}]}
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["CORS_ORIGINS"] == {"Ref": "CorsOrigins"}


def test_links_to_archived_media_keep_working_unless_a_parameter_says_otherwise() -> None:
    parameter = PARAMETERS["ArchiveStorageClass"]
    assert parameter["Default"] == "GLACIER_IR"
    assert "GLACIER" in parameter["AllowedValues"]
    rules = resource("MediaBucket")["Properties"]["LifecycleConfiguration"]["Rules"]
    archived = [rule["Prefix"] for rule in rules if "Transitions" in rule]
    assert archived == ["media/"], "thumbnails stay where they are"
    (archive,) = [rule for rule in rules if "Transitions" in rule]
    assert archive["Transitions"][0]["StorageClass"] == {"Ref": "ArchiveStorageClass"}


def test_machines_log_without_what_they_handle() -> None:
    for name, machine in of_type(f"{SERVERLESS}StateMachine").items():
        assert machine["Logging"]["IncludeExecutionData"] is False, name
        assert machine["Logging"]["Level"] in {"ERROR", "ALL"}, name


def test_the_api_logs_neither_bodies_nor_addresses_nor_callers() -> None:
    api = resource("Api")["Properties"]
    for setting in api["MethodSettings"]:
        assert not {"DataTraceEnabled", "LoggingLevel"} & setting.keys()
    written = api["AccessLogSetting"]["Format"]
    for word in ("identity", "authorizer", "path}", "$context.path", "querystring", "header"):
        assert word not in written, word


def test_traces_hold_nothing_of_a_request() -> None:
    """No annotation, no metadata: a prompt cannot get there. What a call to the provider tells of
    itself, `adapters.tracing` has a test of its own for."""
    sources = [
        *(REPOSITORY / "layers/core").rglob("*.py"),
        *(REPOSITORY / "functions").rglob("*.py"),
    ]
    for path in sources:
        text = path.read_text()
        for word in ("put_annotation", "put_metadata", "Tracer", "aws_xray_sdk"):
            assert word not in text, path


def test_functions_log_nothing_below_information() -> None:
    logging = template()["Globals"]["Function"]["LoggingConfig"]
    assert logging["ApplicationLogLevel"] == {"Fn::If": ["LogsEverything", "DEBUG", "INFO"]}
    assert template()["Parameters"]["LogLevel"]["Default"] == "INFO"
    own = [f.get("LoggingConfig", {}) for f in of_type(f"{SERVERLESS}Function").values()]
    assert all(config.keys() <= {"LogGroup"} for config in own)
