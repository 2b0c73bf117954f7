"""Make `terminal.svg` from a real run: `.venv/bin/python docs/pictures/terminal.py [--state DIR] [FOLDER]`.

Each line after a `$` is parsed and run by the command line itself, on the stack of `--state`, else on
one of its own. `tests/e2e` compares the committed picture with a new run.
"""  # noqa: INP001 - a script, not a package

import argparse
import contextlib
import io
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from recording import save
from rich.console import Console

from cli.client.screen import Screen
from cli.main import app

HERE = Path(__file__).resolve().parent
COLUMNS = 104
COMMANDS = (
    "vsl generate flux-schnell --prompt 'a red fox in the snow' -p width=1344 -p height=768 -o fox",
    "vsl trace last",
    "vsl jobs",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    options = parser.parse_args()
    folder = options.folder.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        given = None if options.state is None else options.state.resolve()
        with contextlib.chdir(scratch), _stack(given, Path(scratch)) as state:
            os.environ |= {"XDG_STATE_HOME": scratch, "VSL_USER": f"picture-{os.getpid()}"}
            save(record(state), folder / "terminal.svg")


def record(state: Path) -> Console:
    """Both streams of all commands, as a terminal shows them."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=False, highlight=False
    )
    for stream in ("out", "err"):
        setattr(Screen, stream, property(lambda _screen: console))
    # Not recorded: the first job starts every function cold.
    _vsl(COMMANDS[0], state)
    console.export_text(clear=True)
    for number, command in enumerate(COMMANDS):
        if number:
            console.print()
        console.print(f"$ {command}", style="bold", markup=False)
        _vsl(command, state)
    return console


def _vsl(command: str, state: Path) -> None:
    _, *words = shlex.split(command)
    app([*words, "--state", str(state)], standalone_mode=False)


@contextlib.contextmanager
def _stack(given: Path | None, scratch: Path) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    vsl, state = Path(sys.executable).with_name("vsl"), scratch / "state"
    try:
        _run(vsl, "up", "--detach", "--state", state)
        yield state
    finally:
        _run(vsl, "down", "--state", state)


def _run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)  # noqa: S603 - ours


if __name__ == "__main__":
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    main()
