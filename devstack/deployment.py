"""The deployment of a starting stack, in a process of its own (child.py): boto3 and SAM's translator take
60 MiB. They are imported while the servers start."""

from typing import Any

import boto3  # noqa: F401
from samtranslator.translator import translator  # type: ignore[import-untyped]  # noqa: F401

from devstack.child import serve
from devstack.deploy import Deployer


def deploy(*, stack: dict[str, Any], sam: bool) -> dict[str, Any]:
    return Deployer(stack, sam=sam).deploy()


if __name__ == "__main__":
    serve(deploy)
