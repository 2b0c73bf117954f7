"""Both machines in moto, once a module: making a machine takes longer than running it."""

from collections.abc import Iterator

import pytest

from tests.support.machines import Machines, machines


@pytest.fixture(scope="module")
def engine() -> Iterator[Machines]:
    with machines() as made:
        yield made
