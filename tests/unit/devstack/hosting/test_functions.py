"""What the gate knows of the functions is what their code and the machines say."""

import ast
from pathlib import Path

from devstack.hosting.functions import HOLDING, behind
from tests.support.template import REPOSITORY
from tests.support.wired import FOLDERS, parts_of

WAITING = "vsl.services.reading.await_change"


def imports(path: Path) -> set[str]:
    return imports_in(ast.parse(path.read_text()))


def imports_in(tree: ast.AST) -> set[str]:
    return {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }


def reaches(names: set[str], seen: set[Path]) -> bool:
    """Whether one of the modules is AwaitChange's, or a service that imports it, directly or not."""
    for name in names:
        if name == WAITING:
            return True
        inner = REPOSITORY / "layers" / "core" / Path(*name.split(".")).with_suffix(".py")
        if name.startswith("vsl.services.") and inner not in seen:
            seen.add(inner)
            if reaches(imports(inner), seen):
                return True
    return False


def test_functions_that_hold_a_request_are_those_that_wait_for_a_change() -> None:
    found = {
        f"vsl-local-{folder.replace('_', '-')}"
        for folder in FOLDERS
        if any(reaches(imports_in(part), set()) for part in parts_of(folder).values())
    }
    assert found == HOLDING


def test_what_runs_behind_is_what_only_a_job_calls() -> None:
    names = {path.name for path in REPOSITORY.glob("functions/*") if path.is_dir()}
    found = {name.removeprefix("vsl-local-").replace("-", "_") for name in behind()}
    assert found <= names
    assert {"submit_prediction", "store_media", "finalize_job"} <= found
    assert not found & {"validate_request", "check_rate_limit", "create_job", "reject_request"}
