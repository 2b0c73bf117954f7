"""What a function is made of, by its code: its app.py and the factories of `vsl.runtime` behind it."""

import ast
from collections.abc import Iterator
from functools import cache

from tests.support.template import REPOSITORY

RUNTIME = REPOSITORY / "layers/core/vsl/runtime"
FOLDERS = sorted(path.parent.name for path in (REPOSITORY / "functions").glob("*/app.py"))


@cache
def _factories() -> dict[str, ast.FunctionDef]:
    """Those of the adapters and those of the use cases, by name."""
    found: dict[str, ast.FunctionDef] = {}
    for path in sorted([*RUNTIME.glob("wiring*.py"), *RUNTIME.glob("use_cases/*.py")]):
        tree = ast.parse(path.read_text())
        made = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert not made.keys() & found.keys(), path
        found |= made
    assert {"postgres", "create_job", "submit_prediction"} <= found.keys()
    return found


def parts_of(folder: str) -> dict[str, ast.AST]:
    """By name: the function's own code (`app`), and every factory that it calls or hands on."""
    app = ast.parse((REPOSITORY / "functions" / folder / "app.py").read_text())
    found: dict[str, ast.AST] = {"app": app}
    routes = RUNTIME / f"{folder}.py"
    if routes.exists():  # a protocol's, which the function has all of
        found["routes"] = ast.parse(routes.read_text())
    waiting = [name for part in found.values() for name in _named_in(part)]
    while waiting:
        name = waiting.pop()
        if name not in found and name in _factories():
            found[name] = _factories()[name]
            waiting += _named_in(found[name])
    return found


def _named_in(tree: ast.AST) -> Iterator[str]:
    """`uploads` as a name, and as `wiring.uploads`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.attr
