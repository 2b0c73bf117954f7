"""Fetches the renderer of the API page, one file of an npm package, and verifies tarball and file.

`python -m devstack.renderer` (`make renderer`) writes the pinned version again; it needs `npm`. For another
version: its name in vsl/runtime/reference_page.py, its two checksums here, its licence text beside it.
"""

import base64
import hashlib
import io
import subprocess
import tarfile
import tempfile
from pathlib import Path

from devstack.paths import REPOSITORY
from vsl.runtime.reference_page import RENDERER

SITE = REPOSITORY / "functions" / "get_openapi" / "site"
PACKAGE = "@scalar/api-reference"
VERSION = RENDERER.removeprefix("scalar-api-reference-").removesuffix(".js")
MEMBER = "package/dist/browser/standalone.js"
# `npm view @scalar/api-reference@VERSION dist.integrity`
INTEGRITY = (
    "sha512-pjqwnzmA9YK3ZX+IZSICMsywm4qI6HLSngR2py9H6TvFApHH"  # pragma: allowlist secret
    "uJjkTAd+gFJfnqJDzJuro8k7ji6JCtJ2U+Byng=="  # pragma: allowlist secret
)
SHA256 = (
    "dcb027152bf20bf2f6dcd66e8f9fb073c1a9e274cf0b94b939a7d99ab8947060"  # pragma: allowlist secret
)


def renderer(tarball: bytes) -> bytes:
    """The file in the package's tarball. Raises ValueError if either is not the pinned one."""
    if integrity(tarball) != INTEGRITY:
        raise ValueError(f"The tarball is not {PACKAGE} {VERSION}: {integrity(tarball)}.")
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        member = archive.extractfile(MEMBER)
        found = member.read() if member else b""
    if hashlib.sha256(found).hexdigest() != SHA256:
        raise ValueError(f"{MEMBER} has another checksum than the pinned one.")
    return found


def integrity(tarball: bytes) -> str:
    """As npm writes it (Subresource Integrity)."""
    return f"sha512-{base64.b64encode(hashlib.sha512(tarball).digest()).decode()}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, f"{PACKAGE}@{VERSION}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (packed,) = Path(folder).glob("*.tgz")
        (SITE / RENDERER).write_bytes(renderer(packed.read_bytes()))
    print(f"{RENDERER}: {PACKAGE} {VERSION}, as pinned.")


if __name__ == "__main__":
    main()
