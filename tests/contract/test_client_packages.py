"""What a user of the clients installs, and the samples of their READMEs under strict settings."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.documents import document
from tests.support.template import REPOSITORY
from tests.support.typescript import TYPESCRIPT, needs_typescript

pytestmark = pytest.mark.thorough


def sample(readme: str, language: str) -> str:
    return next(block.text for block in document(readme).blocks if block.language == language)


def test_the_python_sample_is_strictly_typed(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(sample("clients/python/README.md", "python"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", tmp_path / "sample.py"],
        cwd=REPOSITORY / "clients" / "python",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@needs_typescript
def test_the_typescript_package_has_what_its_sample_needs(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(TYPESCRIPT, source, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (source / "node_modules").symlink_to(TYPESCRIPT / "node_modules")
    subprocess.run(["npm", "run", "--silent", "build"], cwd=source, check=True)
    subprocess.run(
        ["npm", "pack", "--silent", "--pack-destination", tmp_path], cwd=source, check=True
    )

    modules = tmp_path / "user" / "node_modules"
    modules.mkdir(parents=True)
    for installed in (TYPESCRIPT / "node_modules").iterdir():
        (modules / installed.name).symlink_to(installed)
    (package,) = tmp_path.glob("*.tgz")
    with tarfile.open(package) as archive:
        archive.extractall(modules, filter="data")
    (modules / "package").rename(modules / "vsl-client")
    (tmp_path / "user" / "package.json").write_text('{"type": "module"}')
    (tmp_path / "user" / "sample.ts").write_text(sample("clients/typescript/README.md", "ts"))

    options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022"]
    done = subprocess.run(
        [modules / ".bin" / "tsc", *options, "sample.ts"],
        cwd=tmp_path / "user",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    script = 'import { Client, verifyWebhook } from "vsl-client"; new Client(""); verifyWebhook'
    subprocess.run(
        ["node", "--input-type=module", "--eval", script], cwd=tmp_path / "user", check=True
    )
