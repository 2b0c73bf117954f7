"""For every test: no look-up of credentials leaves the machine, no setting of the caller's leaks in."""

import os

import pytest
import pytest_socket
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_TERMINAL = {"COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"}
for name in [name for name in os.environ if name.startswith("AWS_") or name in _TERMINAL]:
    del os.environ[name]
os.environ |= {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_DEV": "false",
}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Whatever a test before left closed; the suites that want closed sockets close them after this."""
    pytest_socket.enable_socket()


class OneStack(LoadScopeScheduling):  # type: ignore[misc]  # xdist leaves it untyped
    """With several workers a file stays together, and so do all tests that share the one stack."""

    def _split_scope(self, nodeid: str) -> str:
        return "e2e" if nodeid.startswith("tests/e2e/") else nodeid.partition("::")[0]


# With several workers the last to finish decides: what takes long begins first.
_SLOWEST_FIRST = ("tests/e2e/", "tests/fault/", "tests/chaos/", "tests/integration/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        slow = [item.nodeid.startswith(suite) for suite in _SLOWEST_FIRST]
        return slow.index(True) if any(slow) else len(slow)

    items.sort(key=place)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneStack:
    config.option.loadscopereorder = False
    return OneStack(config, log)


# A busy machine is no fault of a property: time is what benchmarks measure.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
