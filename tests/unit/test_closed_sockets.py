"""The fence around the unit tests holds."""

import asyncio
import socket

import pytest
import pytest_socket


def test_a_unit_test_cannot_connect() -> None:
    with (
        pytest.warns(UserWarning, match="socket"),
        pytest.raises(pytest_socket.SocketBlockedError),
    ):
        socket.create_connection(("127.0.0.1", 9), timeout=1)


def test_asyncio_still_runs() -> None:
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"
