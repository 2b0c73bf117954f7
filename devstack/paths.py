"""Where things are: the working tree, its environments, and the folder of one running stack."""

import shutil
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENTS = REPOSITORY / ".venvs"
LAYER_CORE = REPOSITORY / "layers" / "core"
MODELS_CONFIG = REPOSITORY / "config" / "models.json"
TEMPLATE = REPOSITORY / "template.yaml"
DEFAULT_STATE = REPOSITORY / ".vsl"


def program() -> str:
    """How to call the command line: by name where it is on the path, else as the README does."""
    found = shutil.which("vsl")
    ours = Path(".venv", "bin", "vsl")
    return "vsl" if found and Path(found).resolve() == REPOSITORY / ours else str(ours)


def python_of(environment: str) -> Path:
    """The interpreter of one of the environments below `.venvs/`."""
    return ENVIRONMENTS / environment / "bin" / "python"


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Everything one stack writes lives below `root`; `temporary` is removed when it stops."""

    root: Path

    @classmethod
    def at(cls, path: Path | None) -> "StateFolder":
        return cls((path or DEFAULT_STATE).expanduser().resolve())

    @property
    def stack(self) -> Path:
        return self.root / "stack.json"

    @property
    def processes(self) -> Path:
        return self.root / "processes.json"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def api(self) -> Path:
        """The resolved OpenAPI document the gateway serves."""
        return self.root / "api.json"

    @property
    def identity(self) -> Path:
        """Keys of callers (devstack/identity.py)."""
        return self.root / "identity.json"

    @property
    def calls(self) -> Path:
        """What the functions asked of AWS, and were allowed (devstack/engine_process.py)."""
        return self.root / "calls.jsonl"

    def create(self) -> None:
        for folder in (self.root, self.logs, self.temporary, self.valkey):
            folder.mkdir(parents=True, exist_ok=True)
