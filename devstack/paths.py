"""Where things are: the working tree, its environments, and the folder of one running stack."""

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENTS = REPOSITORY / ".venvs"
LAYER_CORE = REPOSITORY / "layers" / "core"
MODELS_CONFIG = REPOSITORY / "config" / "models.json"
HARDWARE_CONFIG = MODELS_CONFIG.with_name("hardware.json")
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


class StateFolder:
    """Everything one stack writes lives below `root`; `temporary` is removed when it stops."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stack = root / "stack.json"
        self.processes = root / "processes.json"
        self.lock = root / "lock"
        self.logs = root / "logs"
        self.temporary = root / "tmp"
        self.postgres = root / "postgres"
        self.valkey = root / "valkey"
        self.objects = root / "objects"  # S3's
        self.provider = root / "provider.json"  # models given to the Replicate stand-in
        self.api = root / "api.json"  # the resolved OpenAPI document that the gateway serves
        self.identity = root / "identity.json"  # keys of callers (devstack/identity.py)
        self.media_key = root / "media-key.pem"  # signs addresses of files (devstack/media_key.py)
        self.distribution = root / "distribution.json"  # what serves files goes by
        # What the functions asked of AWS, and were allowed (devstack/engine_process.py).
        self.calls = root / "calls.jsonl"

    @classmethod
    def at(cls, path: Path | None) -> "StateFolder":
        return cls((path or DEFAULT_STATE).expanduser().resolve())

    def create(self) -> None:
        for folder in (self.root, self.logs, self.temporary, self.valkey):
            folder.mkdir(parents=True, exist_ok=True)
