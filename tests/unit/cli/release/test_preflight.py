"""What `vsl deploy` and `make deploy` look at in the account before anything is changed there."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.client.errors import CommandError
from cli.release import preflight
from cli.release.preflight import Account, check

QUOTA_CODE = "L-B99A9384"


class Fake:
    """The answers of an account: `quota` and `free` executions, reserves by function, a stack or none."""

    def __init__(self, quota: int = 1000, free: int | None = None) -> None:
        self.quota = quota
        self.free = quota if free is None else free
        self.kept: dict[str, int] = {}
        self.status: str | None = "UPDATE_COMPLETE"
        self.tables: set[str] = set()
        self.buckets: set[str] = set()
        self.region: str | None = "eu-central-1"

    def account(self) -> Account:
        return Account(number="123456789012", region=self.region, client=self.client)

    def client(self, service: str) -> Any:
        return {"lambda": Lambda, "cloudformation": Cloudformation, "dynamodb": Dynamodb, "s3": S3}[
            service
        ](self)


class Part:
    def __init__(self, fake: Fake) -> None:
        self.fake = fake


def refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


class Lambda(Part):
    def get_account_settings(self) -> dict[str, Any]:
        limit = {
            "ConcurrentExecutions": self.fake.quota,
            "UnreservedConcurrentExecutions": self.fake.free,
        }
        return {"AccountLimit": limit}

    def get_function_concurrency(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        if self.fake.status is None:
            raise refused("ResourceNotFoundException", "GetFunctionConcurrency")
        kept = self.fake.kept.get(FunctionName)
        return {} if kept is None else {"ReservedConcurrentExecutions": kept}


class Cloudformation(Part):
    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        if self.fake.status is None:
            raise refused("ValidationError", "DescribeStacks")
        return {"Stacks": [{"StackName": StackName, "StackStatus": self.fake.status}]}


class Dynamodb(Part):
    def describe_table(self, *, TableName: str) -> dict[str, Any]:  # noqa: N803
        if TableName not in self.fake.tables:
            raise refused("ResourceNotFoundException", "DescribeTable")
        return {"Table": {"TableName": TableName}}


class S3(Part):
    def head_bucket(self, *, Bucket: str) -> dict[str, Any]:  # noqa: N803
        if Bucket not in self.fake.buckets:
            raise refused("404", "HeadBucket")
        return {}


@pytest.fixture
def fake() -> Fake:
    return Fake()


def parameters(**given: str) -> dict[str, str]:
    return {"Stage": "homolog", "ReservedPerStep": "5", "ReservedForStoreMedia": "10"} | given


def test_an_account_with_room_is_named_and_nothing_else_said(fake: Fake) -> None:
    assert check("homolog", parameters(), fake.account()) == []


def test_a_new_account_has_no_executions_to_keep(fake: Fake) -> None:
    fake.quota = fake.free = 10
    with pytest.raises(CommandError) as caught:
        check("homolog", parameters(), fake.account())
    assert caught.value.code == "TooLittleConcurrency"
    assert "10 executions at once" in caught.value.message
    assert QUOTA_CODE in str(caught.value.hint)
    assert "ReservedPerStep=0 ReservedForStoreMedia=0" in str(caught.value.hint)


def test_without_reserves_a_new_account_is_told_what_to_expect(fake: Fake) -> None:
    fake.quota = fake.free = 10
    given = parameters(ReservedPerStep="0", ReservedForStoreMedia="0")
    (told,) = check("homolog", given, fake.account())
    assert "10 executions at once" in told
    assert "WaitsAtOnce=2." in told
    assert QUOTA_CODE in told
    assert check("homolog", {**given, "WaitsAtOnce": "2"}, fake.account()) == []


@pytest.mark.parametrize(("quota", "told"), [(499, 1), (500, 0)])
def test_clients_that_wait_hold_a_fifth_of_the_executions_at_most(
    fake: Fake, quota: int, told: int
) -> None:
    fake.quota = fake.free = quota
    assert len(check("homolog", parameters(), fake.account())) == told


def test_other_functions_of_the_account_count(fake: Fake) -> None:
    fake.free = 160
    with pytest.raises(CommandError, match=r"85 .* 60"):
        check("homolog", parameters(), fake.account())


def test_what_the_stage_has_reserved_already_is_its_own(fake: Fake) -> None:
    fake.free = 170
    fake.kept = {"vsl-homolog-process-webhook": 5, "vsl-homolog-store-media": 10}
    assert check("homolog", parameters(), fake.account()) == []


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
def test_a_stack_whose_making_failed_must_go_first(fake: Fake, status: str) -> None:
    fake.status = status
    with pytest.raises(CommandError) as caught:
        check("homolog", parameters(), fake.account())
    assert caught.value.code == "FailedStack"
    assert "aws cloudformation delete-stack --stack-name vsl-homolog" in str(caught.value.hint)


def test_a_deployment_under_way_is_waited_for(fake: Fake) -> None:
    fake.status = "UPDATE_IN_PROGRESS"
    with pytest.raises(CommandError, match="UPDATE_IN_PROGRESS"):
        check("homolog", parameters(), fake.account())


def test_leftovers_of_a_stack_that_is_gone_are_named(fake: Fake) -> None:
    fake.status = None
    fake.tables = {"vsl-homolog-realtime-jobs"}
    fake.buckets = {"vsl-homolog-media-123456789012-eu-central-1"}
    with pytest.raises(CommandError) as caught:
        check("homolog", parameters(), fake.account())
    assert caught.value.code == "Leftovers"
    assert "vsl-homolog-realtime-jobs" in caught.value.message
    assert "vsl-homolog-media-123456789012-eu-central-1" in caught.value.message
    assert "leftovers --stage homolog" in str(caught.value.hint)


def test_the_first_deployment_into_an_empty_account_goes_ahead(fake: Fake) -> None:
    fake.status = None
    assert check("homolog", parameters(), fake.account()) == []


def test_a_bucket_of_another_name_is_looked_for_by_it(fake: Fake) -> None:
    fake.status = None
    fake.buckets = {"my-own"}
    with pytest.raises(CommandError, match="my-own"):
        check("homolog", parameters(MediaBucketName="my-own"), fake.account())


def test_a_region_is_needed(fake: Fake) -> None:
    fake.region = None
    with pytest.raises(CommandError) as caught:
        check("homolog", parameters(), fake.account())
    assert caught.value.code == "NoRegion"
    assert "AWS_DEFAULT_REGION" in str(caught.value.hint)


def test_the_parameters_are_those_of_samconfig() -> None:
    given = preflight.configured("production")
    assert given["Stage"] == "production"
    assert given["Rollout"] == "Canary10Percent30Minutes"
    assert given["ReservedPerStep"] == "40"
