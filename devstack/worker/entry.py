"""`entry.handler` is what the runtime loads: importing it imports the function, so a function that
cannot be imported fails in the init phase, as it does on Lambda."""

import importlib

handler = importlib.import_module("live").from_environment()
