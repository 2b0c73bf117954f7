"""Which functions a client waits for, as far as that decides who runs first."""

import re
from pathlib import Path

_MACHINES = Path(__file__).resolve().parents[2] / "statemachines"
_ARN = re.compile(r"\$\{(\w+)FunctionArn\}")

HOLDING = frozenset(
    {
        "vsl-local-get-status",
        "vsl-local-mcp",
        "vsl-local-openai-api",
        "vsl-local-replicate-api",
        "vsl-local-wait-for-job",
    }
)
"""Those that hold a client's request (vsl/services/reading/await_change.py); a test compares."""


def behind() -> frozenset[str]:
    """The steps of a job that is accepted: no client waits for them."""
    return _called_by("media_job") - _called_by("generate_media")


def _called_by(machine: str) -> frozenset[str]:
    definition = (_MACHINES / f"{machine}.asl.json").read_text()
    return frozenset(f"vsl-local-{_kebab(name)}" for name in _ARN.findall(definition))


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
