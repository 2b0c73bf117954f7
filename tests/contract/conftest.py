"""One stand-in for the tests of a module, as new for each of them."""

from collections.abc import Iterator

import pytest

from tests.support.stand_in import StandIn, stand_in


@pytest.fixture(scope="module")
def shared() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@pytest.fixture
def server(shared: StandIn) -> StandIn:
    shared.control.reset()
    return shared
