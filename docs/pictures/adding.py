"""Make `adding.svg` from a real run: `.venv/bin/python docs/pictures/adding.py [FOLDER]`.

Each line after a `$` is run by the command line itself, on a copy of the catalogue, against a stand-in
that was given two made-up models. `tests/contract` compares the committed picture with a new run.
"""  # noqa: INP001 - a script, not a package

import contextlib
import io
import json
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from recording import save
from rich.console import Console

from cli.client.screen import Screen
from cli.main import app
from devstack.paths import MODELS_CONFIG, REPOSITORY
from devstack.replicate.config import Config
from devstack.replicate.control import Control
from devstack.replicate.server import running

HERE = Path(__file__).resolve().parent
MODELS = REPOSITORY / "tests" / "support" / "provider_models"
GIVEN = ("meadow_reel-one", "ember_private-weights")
COLUMNS = 104
COMMANDS = (
    "vsl models add meadow/reel-one --price 0.1 --unit output_second --count duration",
    "vsl models add ember/private-weights",
)


def main(folder: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as scratch,
        contextlib.chdir(scratch),
        running(Config()) as server,
        Control(server.url) as control,
    ):
        catalogue = Path("config", "models.json")
        catalogue.parent.mkdir()
        shutil.copy(MODELS_CONFIG, catalogue)
        for name in GIVEN:
            model = json.loads((MODELS / f"{name}.json").read_text())
            control.offer_model(model["owner"], model["name"], _offered(model))
        os.environ |= {
            "REPLICATE_API_URL": f"{server.url}/v1",
            "REPLICATE_API_TOKEN": server.app.state.stand_in.config.token,
            # `vsl` is called so where it is on the path.
            "PATH": f"{REPOSITORY / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
        save(record(catalogue), folder / "adding.svg")


def record(catalogue: Path) -> Console:
    """Both streams of all commands, as a terminal shows them."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=False, highlight=False
    )
    for stream in ("out", "err"):
        setattr(Screen, stream, property(lambda _screen: console))
    for number, command in enumerate(COMMANDS):
        if number:
            console.print()
        console.print(f"$ {command}", style="bold", markup=False)
        _, *words = shlex.split(command)
        where = ["--from", "replicate", "--file", str(catalogue.resolve())]
        with contextlib.suppress(SystemExit):
            app([*words, *where], standalone_mode=False)
    return console


def _offered(model: dict[str, object]) -> dict[str, object]:
    keys = ("official", "description", "version", "openapi_schema", "default_example")
    return {key: model[key] for key in keys if key in model}


if __name__ == "__main__":
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE)
