"""The file that draws the API page is the pinned one of npm, with its licence beside it."""

import hashlib
import io
import tarfile

import pytest

from devstack import renderer
from vsl.runtime.reference_page import RENDERER


def test_the_committed_file_is_the_pinned_one() -> None:
    found = (renderer.SITE / RENDERER).read_bytes()
    assert hashlib.sha256(found).hexdigest() == renderer.SHA256
    assert f"@scalar/api-reference {renderer.VERSION}".encode() in found
    assert [path.name for path in renderer.SITE.glob("scalar-*.js")] == [RENDERER]


def test_its_licence_stands_beside_it() -> None:
    licence = (renderer.SITE / RENDERER).with_suffix(".LICENSE.txt").read_text()
    assert licence.startswith(f"{RENDERER} is dist/browser/standalone.js of the npm package")
    for words in ("MIT License", "present Scalar", "BSD 3-Clause", "Apache License"):
        assert words in licence


def tarball(content: bytes) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        member = tarfile.TarInfo(renderer.MEMBER)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


def test_another_tarball_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not @scalar/api-reference"):
        renderer.renderer(tarball(b"alert(1)"))


def test_another_file_is_refused_whatever_its_tarball(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tarball(b"alert(1)")
    monkeypatch.setattr(renderer, "INTEGRITY", renderer.integrity(packed))
    with pytest.raises(ValueError, match="another checksum"):
        renderer.renderer(packed)
    monkeypatch.setattr(renderer, "SHA256", hashlib.sha256(b"alert(1)").hexdigest())
    assert renderer.renderer(packed) == b"alert(1)"
