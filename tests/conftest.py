"""For every test: no look-up of credentials leaves the machine, no setting of the caller's leaks in."""

import os

import pytest

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_DEV": "false",
}


@pytest.hookimpl(tryfirst=True)  # the workers' own hook reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers a file stays together, and so do all tests that share the one stack."""
    for item in items:
        stack = "tests/e2e/" in item.nodeid
        item.add_marker(pytest.mark.xdist_group("e2e" if stack else item.nodeid.split("::")[0]))
