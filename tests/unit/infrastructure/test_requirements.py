"""The layers' requirements are the lock file's: same versions, same hashes, nothing else."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.template import REPOSITORY

MIB = 1024**2
# What Lambda is, whatever the machine that runs the tests.
LAMBDA = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "aarch64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}


def locked() -> dict[str, dict[str, Any]]:
    """The newest version of each: an older one is there for a tool that pins it (pyproject.toml)."""
    lock = tomllib.loads((REPOSITORY / "uv.lock").read_text())
    by_age = sorted(lock["package"], key=lambda package: Version(package["version"]))
    return {package["name"]: package for package in by_age}


def applies(marker: str | None) -> bool:
    return marker is None or Marker(marker).evaluate(LAMBDA)


def closure(group: str) -> set[str]:
    """Every package of the group with what it needs, as the lock file has it."""
    packages = locked()
    waiting = [
        (entry["name"], tuple(entry.get("extra", ())))
        for entry in packages["vsl"]["dev-dependencies"][group]
        if applies(entry.get("marker"))
    ]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while waiting:
        name, extras = found = waiting.pop()
        if found in seen:
            continue
        seen.add(found)
        needed = list(packages[name].get("dependencies", ()))
        for extra in extras:
            needed += packages[name]["optional-dependencies"][extra]
        waiting += [
            (entry["name"], tuple(entry.get("extra", ())))
            for entry in needed
            if applies(entry.get("marker"))
        ]
    return {name for name, _ in seen}


def requirements(layer: str) -> dict[str, tuple[str, set[str]]]:
    """Name → version and hashes of what Lambda would install."""
    text = (REPOSITORY / "layers" / layer / "requirements.txt").read_text()
    found = {}
    for entry in text.replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.startswith("#"):
            continue
        specification, *hashes = re.split(r"\s+--hash=", entry.strip())
        requirement = Requirement(specification)
        if requirement.marker is None or requirement.marker.evaluate(LAMBDA):
            (version,) = requirement.specifier
            assert version.operator == "=="
            found[requirement.name] = (version.version, {part.strip() for part in hashes})
    return found


@pytest.mark.parametrize("layer", ["runtime", "media"])
def test_a_layer_installs_what_is_locked(layer: str) -> None:
    packages = locked()
    installed = requirements(layer)
    assert len(installed) >= 2
    assert set(installed) == closure(f"layer-{layer}"), "run `make requirements`"
    for name, (version, hashes) in installed.items():
        assert version == packages[name]["version"], f"{name}: run `make requirements`"
        files = [*packages[name].get("wheels", ()), packages[name].get("sdist", {})]
        assert hashes == {file["hash"] for file in files if file}, (
            f"{name}: run `make requirements`"
        )


def size(layers: list[str]) -> int:
    """Bytes that the layers' libraries take unzipped, compiled bytecode included."""
    names = {name for layer in layers for name in requirements(layer)}
    files = [file for name in names for file in distribution(name).files or ()]
    places = {Path(str(file.locate())) for file in files}
    return sum(place.stat().st_size for place in places if place.is_file())


def test_no_function_is_larger_than_lambda_takes() -> None:
    """StoreMedia has both layers; 250 MiB is for them and the code together."""
    assert size(["runtime"]) < 90 * MIB
    assert size(["runtime", "media"]) < 240 * MIB


def test_the_core_layer_brings_no_library() -> None:
    assert (REPOSITORY / "layers/core/requirements.txt").read_text().strip() == ""
