"""Every role allows what its function does, and nothing else: compared with what it was seen doing.

The local stack refuses what a role does not allow, so a right that is missing fails whatever test
needs it; here it is looked for by name. A right that nobody used in a life that leaves nothing out
is one too many, or stands in `ELSEWHERE` with the test that uses it.
"""

import ast

import pytest

from tests.support.permission_coverage import Usage
from tests.support.permissions import Call, Grant, Role, calls, roles
from tests.support.stack import Stack
from tests.support.template import REPOSITORY, resource, template

# A whole run on a busy machine.
pytestmark = pytest.mark.e2e

# What SAM adds for logging, tracing and the network interfaces of a VPC.
READY_MADE = {
    "AWSLambdaBasicExecutionRole",
    "AWSXrayWriteOnlyAccess",
    "AWSLambdaVPCAccessExecutionRole",
}
# Rights that AWS uses itself in the name of the function, by what the template says of it.
QUEUE_READER = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
# Rights of which this stack makes no use: function (or all), action, end of the resource, and where
# they are used.
ON_A_BAD_DAY = (
    "read only when what is nearer does not know",
    "tests/unit/infrastructure/test_secrets_by_need.py::test_a_role_reads_its_functions_secrets",
)
ELSEWHERE: dict[tuple[str | None, str, str], tuple[str, str]] = {
    ("GetStatusFunction", "ssm:GetParameters", "/database-url"): ON_A_BAD_DAY,
    ("WaitForJobFunction", "ssm:GetParameters", "/database-url"): ON_A_BAD_DAY,
    ("ProcessWebhookFunction", "ssm:GetParameters", "/database-url"): ON_A_BAD_DAY,
    ("ProcessWebhookFunction", "ssm:GetParameters", "/replicate-token"): ON_A_BAD_DAY,
    (None, "ssm:GetParameters", "/models*"): (
        "the catalogue is a file here",
        "tests/unit/adapters/test_catalogue_parts.py::test_many_models_are_read_from_their_parts",
    ),
    (None, "ssm:GetParameter", "/models*"): (
        "the catalogue is a file here",
        "tests/unit/adapters/test_catalogue_sources.py::test_ssm",
    ),
    ("ValidateRequestFunction", "dynamodb:GetItem", "-idempotency"): (
        "the catalogue does not change under a request's key",
        "tests/machines/test_real_handlers.py::test_after_acceptance_the_catalogue_may_change",
    ),
    (None, "dynamodb:Query", "/index/ReplicateIdIndex"): (
        "an answer of the provider is lost while others submit",
        "tests/unit/services/test_search.py::test_another_job_s_prediction_is_known_unasked",
    ),
    ("StoreMediaFunction", "s3:AbortMultipartUpload", "/media/*"): (
        "an upload in parts breaks",
        "tests/unit/media/test_s3.py::test_a_part_that_fails_aborts_the_upload",
    ),
    ("PollPredictionsFunction", "dynamodb:GetItem", "-realtime-jobs"): (
        "an item that its batch does not bring",
        "tests/unit/services/test_poller_at_scale.py::test_an_item_that_cannot_be_read_stops_no_other",
    ),
    ("DispatchQueueFunction", "lambda:InvokeFunction", ":vsl-local-dispatch-queue"): (
        "jobs still wait when a run has used its time",
        "tests/unit/functions/test_dispatch_queue.py::test_what_still_waits_is_handed_on_once_the_lease_is_free",
    ),
    ("PollPredictionsFunction", "lambda:InvokeFunction", ":vsl-local-poll-predictions"): (
        "more is due than one run serves",
        "tests/unit/functions/test_poll_predictions.py::test_what_is_left_is_handed_on_once_the_lease_is_free",
    ),
    **{
        ("RepairExecutionFunction", "s3:DeleteObject", place): (
            "what a step wrote after its job was deleted",
            "tests/unit/services/test_delete_job.py::test_what_was_written_after_the_deletion_is_swept",
        )
        for place in ("/media/*", "/temp/stored/*", "/thumbnails/*")
    },
    ("ResolveTimeoutFunction", "s3:PutObject", "/temp/stored/*"): (
        "a large output that only the timeout finds",
        "tests/unit/adapters/test_large_outputs.py::test_a_timeout_that_finds_a_large_output_keeps_it",
    ),
    **{
        (function, "s3:PutObject", "/temp/stored/*"): (
            "a large output that a cancel finds",
            "tests/unit/adapters/test_large_outputs.py::test_a_cancel_that_comes_too_late_keeps_it",
        )
        for function in ("CancelJobFunction", "McpFunction", "ReplicateApiFunction")
    },
    **{
        (function, "s3:GetObject", "/thumbnails/*"): (
            "whose address is signed, and fetched where the picture itself is large",
            "tests/unit/runtime/test_mcp.py::test_files_are_links_and_small_pictures_are_seen",
        )
        for function in ("McpFunction", "OpenaiApiFunction")
    },
    **{
        ("McpFunction", f"states:SendTask{end}", ":stateMachine:vsl-local-media-job"): (
            "a cancel that finds the prediction's end",
            "tests/unit/services/test_cancel_job.py::test_a_prediction_that_was_faster_is_kept",
        )
        for end in ("Success", "Failure")
    },
    ("OpenaiApiFunction", "ssm:GetParameters", "/database-url"): ON_A_BAD_DAY,
    **{
        ("ReplicateApiFunction", action, ":vsl-local-media-job"): (
            "the provider tells of a cancel first, or there is no prediction",
            "tests/unit/services/test_cancel_job.py::test_a_running_prediction_is_canceled_and_the_wait_ends",
        )
        for action in ("states:SendTaskFailure", "states:SendTaskSuccess")
    },
    **{
        (function, "s3:PutObject", "/temp/stored/*"): (
            "a large output, which is rare",
            "tests/e2e/test_odd_answers.py::test_the_job_ends",
        )
        for function in ("ProcessWebhookFunction", "PollPredictionsFunction")
    },
    **{
        (function, "ssm:GetParameters", "/owner-name-secret"): (
            "users stand in keys by their ids here",
            "tests/e2e/test_opaque_names.py::test_no_address_tells_whose_file_it_is",
        )
        for function in (
            "StoreMediaFunction",
            "CreateUploadFunction",
            "OpenaiApiFunction",
            "ReplicateApiFunction",
        )
    },
}


EXAMPLES_ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> dict[str, Role]:
    return roles(stack)


@pytest.fixture(scope="module")
def seen(usage: Usage) -> list[Call]:
    return calls(usage.stack)


def test_no_function_was_refused_anything(seen: list[Call]) -> None:
    """But for what the payloads in events/ name, which is of another account: test_events sends them."""
    refused = [call for call in seen if not call.allowed]
    assert [call for call in refused if f":{EXAMPLES_ACCOUNT}:" not in call.resource] == []


def test_every_right_is_used(seen: list[Call], deployed: dict[str, Role]) -> None:
    granted = {grant for name, role in deployed.items() for grant in role.grants(name)}
    unused = {grant for grant in granted if not any(call.uses(grant) for call in seen)}
    unexplained = [g for g in unused if not used_by_aws(g) and not used_elsewhere(g)]
    assert not unexplained, "\n".join(map(str, sorted(unexplained)))


def test_every_function_that_may_do_something_was_seen(
    seen: list[Call], deployed: dict[str, Role]
) -> None:
    assert {n for n, role in deployed.items() if role.statements} >= {c.function for c in seen}
    assert len({call.function for call in seen}) > 20


def test_no_role_holds_a_policy_that_this_file_does_not_know(deployed: dict[str, Role]) -> None:
    for name, role in deployed.items():
        in_vpc = "VpcConfig" in resource(name)["Properties"]
        assert role.ready_made <= READY_MADE, name
        assert ("AWSLambdaVPCAccessExecutionRole" in role.ready_made) <= in_vpc, name


def test_the_exceptions_name_tests_that_are_there() -> None:
    for _reason, test in ELSEWHERE.values():
        path, _, name = test.partition("::")
        tree = ast.parse((REPOSITORY / path).read_text())
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def used_elsewhere(grant: Grant) -> bool:
    return any(
        (function in {None, grant.function})
        and grant.action == action
        and grant.resource.endswith(end)
        for function, action, end in ELSEWHERE
    )


def used_by_aws(grant: Grant) -> bool:
    """A queue is read, and what failed is put aside, with the function's own rights."""
    if grant.action in QUEUE_READER:
        return any(
            entry["Type"] == "AWS::Lambda::EventSourceMapping"
            and grant.function in str(entry["Properties"]["FunctionName"])
            for entry in template()["Resources"].values()
        )
    kept = resource(grant.function)["Properties"].get("EventInvokeConfig", {})
    return grant.action == "sqs:SendMessage" and "failed" in grant.resource and bool(kept)
