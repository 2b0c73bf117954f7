"""Unit tests reach nothing: sockets are closed, all but unix ones, which asyncio needs."""

import pytest_socket


def pytest_runtest_setup() -> None:
    """Before any fixture of the test; pytest-socket itself opens them again afterwards."""
    pytest_socket.disable_socket(allow_unix_socket=True)
