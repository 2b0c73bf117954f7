"""What functions in a VPC call is what docs/deploy.md lists: a call without a way out hangs.

Of AWS's services by the actions of their roles; of the internet by what they ask the provider and
clients.
"""

from tests.support.documents import document
from tests.support.template import resource
from tests.support.wired import FOLDERS, parts_of
from tests.unit.infrastructure.test_secrets_by_need import (
    function_of,
    listed,
    statements,
    used_by,
)

# Lambda itself uses these rights, and not from the VPC; SSM decrypts by itself.
NOT_CALLED = {"logs", "xray", "ec2", "kms"}
# Services whose endpoint has another name than their actions.
ENDPOINTS = {"cloudwatch": "monitoring"}
# Makes calls to the addresses of clients.
CALLS_CLIENTS = "deliver_callback"


def inside() -> list[str]:
    return [f for f in FOLDERS if "VpcConfig" in resource(function_of(f))["Properties"]]


def called() -> dict[str, set[str]]:
    """Functions by what they call."""
    found: dict[str, set[str]] = {}
    for folder in inside():
        for statement in statements(function_of(folder)):
            for action in listed(statement["Action"]):
                if statement["Effect"] == "Allow":
                    service = action.partition(":")[0]
                    found.setdefault(ENDPOINTS.get(service, service), set()).add(folder)
        if "replicate-token" in used_by(folder):
            found.setdefault("internet", set()).add(folder)
    found.setdefault("internet", set()).add(CALLS_CLIENTS)
    return {name: folders for name, folders in found.items() if name not in NOT_CALLED}


def documented() -> set[str]:
    """The endpoints of the table's rows."""
    for head, *rows in document("docs/deploy.md").tables():
        if head[:2] == ["to", "endpoint"]:
            return {row[1].strip("`") for row in rows}
    raise AssertionError("no table of endpoints")


def test_the_document_lists_what_functions_in_a_vpc_call() -> None:
    assert documented() == called().keys()


def test_the_internet_is_needed_whatever_endpoints_there_are() -> None:
    assert {"record_failure", "process_webhook", CALLS_CLIENTS} <= called()["internet"]
    assert CALLS_CLIENTS in inside()
    assert [f for f in FOLDERS if "callback_sender" in parts_of(f)] == [CALLS_CLIENTS]


def test_what_is_outside_reaches_neither_store() -> None:
    """So it needs no VPC, and would only lose its way out."""
    for folder in set(FOLDERS) - set(inside()):
        assert not {"database-url", "redis-url"} & used_by(folder), folder
    for folder in inside():
        assert {"database-url", "redis-url"} & used_by(folder), folder
