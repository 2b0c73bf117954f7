"""Every role allows what its function does, and nothing else: compared with what it was seen doing.

The local stack refuses what a role does not allow, so a right that is missing fails whatever test
needs it; here it is looked for by name. A right that nobody used in a life that leaves nothing out
is one too many, or stands in `ELSEWHERE` with the test that uses it.
"""

import ast

import pytest

from tests.support.everything import Life
from tests.support.permissions import Call, Grant, Role, calls, roles
from tests.support.stack import Stack
from tests.support.template import REPOSITORY, resource, template

# A whole life on a busy machine.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

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
ELSEWHERE = {
    (None, "ssm:GetParameter", "/models*"): (
        "the catalogue is a file here",
        "tests/unit/adapters/test_catalogue_sources.py::test_ssm",
    ),
    ("StoreMediaFunction", "s3:AbortMultipartUpload", "/media/*"): (
        "an upload in parts breaks",
        "tests/unit/media/test_s3.py::test_a_part_that_fails_aborts_the_upload",
    ),
    (None, "ssm:GetParametersByPath", "/vsl/local/*"): (
        "AWS looks for the path with the slash at its end, the record has it without",
        "tests/unit/infrastructure/test_roles.py::test_secrets_are_readable_by_their_path",
    ),
}


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> dict[str, Role]:
    return roles(stack)


@pytest.fixture(scope="module")
def seen(life: Life) -> list[Call]:
    return calls(life.stack)


def test_no_function_was_refused_anything(seen: list[Call]) -> None:
    assert [call for call in seen if not call.allowed] == []


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
