"""Clients are made with the imports on Lambda alone, and a restored process shares nothing."""

import random
from collections.abc import Iterator

import pytest
import snapshot_restore_py

from vsl.adapters.aws import clients
from vsl.runtime.initialization import prepare, restored

KIND = "AWS_LAMBDA_INITIALIZATION_TYPE"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    clients.forget()
    yield
    clients.forget()
    snapshot_restore_py._after_restore_registry.clear()


def made() -> set[str]:
    return {client.meta.service_model.service_name for client in clients._made}


def test_elsewhere_an_import_makes_nothing() -> None:
    prepare("ssm")
    assert made() == set()


def test_on_lambda_the_clients_stand_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KIND, "on-demand")
    prepare("ssm", "dynamodb")
    assert made() == {"ssm", "dynamodb"}
    assert not snapshot_restore_py._after_restore_registry


def test_a_restored_process_shares_neither_numbers_nor_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(KIND, "snap-start")
    prepare("ssm")
    ((hook, _, _),) = snapshot_restore_py._after_restore_registry
    assert hook is restored
    client = clients.client("ssm")
    closed: list[bool] = []
    monkeypatch.setattr(client, "close", lambda: closed.append(True))
    random.seed(1)
    snapshot = random.getstate()
    hook()
    assert random.getstate() != snapshot
    assert closed == [True]
    assert clients.client("ssm") is client, "what was made with the imports is kept"
