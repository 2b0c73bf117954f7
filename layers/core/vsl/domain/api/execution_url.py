"""Where people look at an execution: the console of Step Functions."""

from urllib.parse import quote

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_LOCAL_ACCOUNT = "000000000000"  # the local engine has no console


def execution_url(arn: str | None) -> str | None:
    """The address for `arn:{partition}:states:{region}:{account}:execution:{machine}:{name}`."""
    parts = (arn or "").split(":")
    if arn is None or len(parts) != 8 or parts[4] == _LOCAL_ACCOUNT:
        return None
    console, region = _CONSOLES.get(parts[1]), parts[3]
    if console is None:
        return None
    return (
        f"https://{region}.{console}/states/home?region={region}"
        f"#/v2/executions/details/{quote(arn, safe=':')}"
    )
