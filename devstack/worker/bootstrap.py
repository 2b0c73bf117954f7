"""Entry point of a function's process: `bootstrap.py HANDLER`, started by the engine.

It ends with the engine, and hands over to AWS's own runtime interface client; where that has no
wheel (macOS), to our small loop with the same error shapes (runtime_loop.py;
VSL_OWN_RUNTIME_LOOP asks for it). On Linux the workers are forked instead (fork_server.py) and
begin at `serve`.
"""

import importlib
import importlib.util
import os
import sys
import threading
import time
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def main(handler: str) -> None:
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    serve(handler)


def serve(handler: str) -> None:
    """Run the function's invocations until the engine ends."""
    os.environ["VSL_LIVE_HANDLER"] = handler
    folder = os.environ["VSL_FUNCTION_FOLDER"]
    os.chdir(folder)
    os.environ["LAMBDA_TASK_ROOT"] = folder
    sys.path[0] = folder  # as on Lambda: the function's own code first, then its layers
    sys.path.append(str(_HERE))
    address = os.environ["AWS_LAMBDA_RUNTIME_API"]
    if "VSL_OWN_RUNTIME_LOOP" in os.environ or importlib.util.find_spec("awslambdaric") is None:
        os.environ["VSL_RUNTIME_FAULTS"] = "runtime_loop"
        importlib.import_module("runtime_loop").run("entry.handler", address)
    else:
        os.environ["VSL_RUNTIME_FAULTS"] = "awslambdaric.lambda_runtime_exception"
        client = importlib.import_module("awslambdaric.lambda_runtime_client")
        runtime = importlib.import_module("awslambdaric.bootstrap")
        runtime.run("entry.handler", client.LambdaRuntimeClient(address))


def _end_with(parent: int) -> None:
    """Exit when the engine is gone, also in the middle of an invocation.

    Not PR_SET_PDEATHSIG: that watches the parent's thread, and the engine starts us from a thread
    that ends with the execution.
    """
    if sys.platform == "linux":
        import select  # noqa: PLC0415

        try:
            descriptor = os.pidfd_open(parent)
        except OSError:
            os._exit(0)
        select.select([descriptor], [], [])
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
