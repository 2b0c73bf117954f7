"""For every test: no look-up of credentials leaves the machine, no setting of the caller's leaks in."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.support.fresh import forget_use_cases

_HERE = Path(__file__).parent
_TERMINAL = {"COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"}
for name in [name for name in os.environ if name.startswith("AWS_") or name in _TERMINAL]:
    del os.environ[name]
os.environ |= {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_DEV": "false",
    "VSL_PORT": "0",  # several stacks at once
}

# What a shell's script runs in the background ignores Ctrl-C, and so would all that tests start and
# interrupt. Set here it holds for them as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Whatever a test before left closed; the suites that want closed sockets close them after this."""
    pytest_socket.enable_socket()
    forget_use_cases()


# What `make test` runs: every suite, a running stack with every route and every function once, the
# console in a real browser. `make test-all` runs everything, `.ci/run` this and then the rest.
SHORT = (
    "tests/unit/",
    "tests/machines/",
    "tests/contract/",
    "tests/fault/",
    "tests/integration/test_job_repository.py",
    "tests/integration/test_job_queries.py",
    "tests/integration/test_migrations.py",
    "tests/integration/test_money.py",
    "tests/integration/test_rate_limit.py",
    "tests/integration/test_redis_client.py",
    "tests/e2e/console/test_console_playground.py::test_from_the_form_to_the_picture_and_its_timeline",
    "tests/e2e/test_jobs.py",
    "tests/e2e/test_permissions.py",
)


def is_short(item: pytest.Item) -> bool:
    return item.nodeid.startswith(SHORT) and item.get_closest_marker("thorough") is None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--part", choices=["short", "rest"], help="what `make test` runs, or all else")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Every worker imports every file it collects: for `make test` none of which no test is short."""
    if config.getoption("--part") != "short" or not collection_path.is_relative_to(_HERE):
        return None
    path = collection_path.relative_to(_HERE.parent).as_posix() + "/" * collection_path.is_dir()
    return None if path.startswith(SHORT) or any(one.startswith(path) for one in SHORT) else True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    part = config.getoption("--part")
    if part:
        chosen: list[pytest.Item] = []
        others: list[pytest.Item] = []
        for item in items:
            (chosen if is_short(item) == (part == "short") else others).append(item)
        config.hook.pytest_deselected(items=others)
        items[:] = chosen

    items.sort(key=lambda item: _place(item.nodeid))


# One after another on one stack these would take far longer than all else: each group has a stack of
# its own, the longest first. A folder's name stands for all files in it.
_STACKS: Mapping[str, tuple[str, ...]] = {
    # Read what people read: pages, documents, the command line.
    "reading": (
        "any_model",
        "api_page",
        "command_line",
        "console",
        "documents",
        "tenant_isolation",
    ),
    # Speak the protocols of other APIs.
    "protocols": (
        "keys",
        "mcp",
        "openai_images",
        "repetitions",
        "replicate_fuzz",
        "replicate_javascript",
        "replicate_lists",
        "replicate_python",
        "replicate_strangers",
    ),
    # Break their stack's stores, processes and clocks, or look for what others left.
    "breaking": (
        "callbacks",
        "client_callbacks",
        "deletion",
        "doctor",
        "ends",
        "odd_answers",
        "uploads",
    ),
}
_OTHERS = "using"
_GROUPS = (_OTHERS, *_STACKS)
# With several workers the last to finish decides: what takes long begins first.
_FIRST = (
    *_GROUPS,
    "tests/fault/test_single_faults.py",
    "tests/fault/",
    "tests/chaos/",
    "tests/integration/",
)


def _scope(nodeid: str) -> str:
    """What runs in one piece: a file, or all tests that share a stack."""
    path = Path(nodeid.partition("::")[0])
    if path.parts[:2] != ("tests", "e2e"):
        return str(path)
    name = path.parts[2].removeprefix("test_").removesuffix(".py")
    return next((group for group, names in _STACKS.items() if name in names), _OTHERS)


def _place(nodeid: str) -> int:
    scope = _scope(nodeid)
    return next((place for place, each in enumerate(_FIRST) if scope.startswith(each)), len(_FIRST))


class StackScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist leaves it untyped
    """With several workers a file stays together, and so do all tests that share a stack."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        """Tests of a stack wait half of their time: one worker is left to those that never wait."""
        others = [work for each, work in self.assigned_work.items() if each is not node]
        waiting = sum(
            any(scope in _GROUPS and not all(tests.values()) for scope, tests in work.items())
            for work in others
        )
        fitting = [
            scope for scope in self.workqueue if (scope in _GROUPS) == (waiting < len(others))
        ]
        if fitting:
            self.workqueue.move_to_end(fitting[0], last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> StackScheduling:
    config.option.loadscopereorder = False
    return StackScheduling(config, log)


# A busy machine is no fault of a property: time is what benchmarks measure.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
