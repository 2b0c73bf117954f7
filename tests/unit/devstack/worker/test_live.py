"""Which modules are watched for changes, and how little that touches of what workers share."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from devstack.worker.live import Sources


class Counted(ModuleType):
    """A loaded module that counts how often it is looked at."""

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name)
        path.touch()
        self.path = str(path)
        self.looks = 0

    @property
    def __file__(self) -> str:  # type: ignore[override]
        self.looks += 1
        return self.path


def test_what_the_fork_server_has_looked_at_is_not_touched_in_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look writes to the module, which costs the worker a page of its own."""
    shared = Counted("vsl_shared", tmp_path / "shared.py")
    monkeypatch.setitem(sys.modules, shared.__name__, shared)
    server = Sources((tmp_path,))
    server.remember()
    assert shared.looks == 1
    worker = Sources((tmp_path,), before=server)
    own = Counted("vsl_own", tmp_path / "own.py")
    monkeypatch.setitem(sys.modules, own.__name__, own)
    for _ in range(3):
        worker.remember()
        assert not worker.changed()
    assert (shared.looks, own.looks) == (1, 1)


@pytest.mark.parametrize("changed", ["shared", "own"])
def test_a_change_of_either_drops_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    paths = {name: tmp_path / f"{name}.py" for name in ("shared", "own")}
    modules = {name: Counted(f"vsl_{name}", path) for name, path in paths.items()}
    monkeypatch.setitem(sys.modules, "vsl_shared", modules["shared"])
    server = Sources((tmp_path,))
    server.remember()
    worker = Sources((tmp_path,), before=server)
    monkeypatch.setitem(sys.modules, "vsl_own", modules["own"])
    worker.remember()
    paths[changed].unlink()
    assert worker.changed()
    worker.forget()
    assert not {"vsl_shared", "vsl_own"} & set(sys.modules)
    monkeypatch.setitem(sys.modules, "vsl_shared", modules["shared"])  # as a new import does
    worker.remember()
    assert modules["shared"].looks > 1
    assert not worker.changed()
