"""The link to an execution."""

import pytest

from vsl.domain.api.execution_url import execution_url


@pytest.mark.parametrize(
    ("place", "host"),
    [
        ("aws:states:eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn:states:cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov:states:us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_the_console_of_each_partition(place: str, host: str) -> None:
    arn = f"arn:{place}:123456789012:execution:vsl-production-media-job:01a2"
    url = execution_url(arn)
    assert url is not None
    assert url.startswith(f"https://{host}/states/home?region={arn.split(':')[3]}#")
    assert url.endswith(arn)


@pytest.mark.parametrize(
    "arn", [None, "", "arn", "arn:aws:states:us-east-1:000000000000:execution:m:n"]
)
def test_where_there_is_none(arn: str | None) -> None:
    assert execution_url(arn) is None
