"""What a fork server has imported before it forks: the layers' libraries, and most of our own code.

Nothing here may read a function's settings when it is imported: in the server there are none. That
leaves out most of `vsl.runtime` and of awslambdaric, which read them; a test watches over the rest.
"""

import gc
import importlib
import os
import pkgutil
from contextlib import suppress
from pathlib import Path
from typing import Any

clients: Any = importlib.import_module("clients")
live: Any = importlib.import_module("live")

LIBRARIES = (
    "anyio",
    "av",
    "aws_lambda_powertools",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "awslambdaric.lambda_context",
    "awslambdaric.lambda_runtime_exception",
    "awslambdaric.lambda_runtime_log_utils",
    "boto3",
    "boto3.dynamodb.types",
    "botocore.httpsession",
    "botocore.signers",
    "encodings.idna",  # of a host's name, in every first call
    "httpcore",
    "httpx",
    "PIL.GifImagePlugin",
    "PIL.Image",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.PpmImagePlugin",
    "PIL.WebPImagePlugin",
    "psycopg",
    "pydantic.main",
    "pydantic.type_adapter",
    "redis",
    "simplejson",  # awslambdaric's; its runtime_client reads the Runtime API's address when loaded
)
OWN = ("vsl.domain", "vsl.services", "vsl.adapters", "vsl.runtime.settings")


class Code:
    """Imports everything when it is made."""

    def __init__(self) -> None:
        gc.disable()  # as it stays in the server: a collection writes to all that is shared
        for library in LIBRARIES:
            with suppress(ImportError):  # the layers may lack it, which is the functions' affair
                importlib.import_module(library)
        with suppress(ImportError):
            clients.describe()
        roots = [Path(each) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
        self._sources = live.Sources(tuple(roots))
        self._import()

    def refresh(self) -> None:
        """Import our own code anew if it has changed."""
        if self._sources.changed():
            self._sources.forget()
            self._import()

    def _import(self) -> None:
        try:
            for name in OWN:
                package = importlib.import_module(name)
                for module in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}."):
                    importlib.import_module(module.name)
        except Exception:  # noqa: BLE001 - the function that imports it tells
            self._sources.forget()
        self._sources.remember()
        live.preloaded = self._sources
        gc.collect()
        gc.freeze()  # collections in a worker pass these objects over, so their memory stays shared
