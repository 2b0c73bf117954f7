"""Tests that interrupt what they start can run in the background of a script."""

import subprocess
import sys

from tests.support.template import REPOSITORY

STARTED = """
import signal, subprocess, sys
import tests.conftest
child = [sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGINT))"]
print(subprocess.run(child, capture_output=True, text=True).stdout)
"""


def test_what_tests_start_can_be_interrupted_where_sigint_is_ignored() -> None:
    """A shell starts what runs in the background with SIGINT ignored, and ignored it is inherited."""
    command = ["sh", "-c", 'trap "" INT; exec "$0" -c "$1"', sys.executable, STARTED]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "default_int_handler" in told.stdout
