"""Output files: kept on disk for as long as Replicate keeps them, under a key that cannot be guessed."""

import hashlib
import secrets
import string
import tempfile
from dataclasses import dataclass
from pathlib import Path

from devstack.replicate.clock import NANOSECONDS, now
from devstack.replicate.faults import FileFault

_ALPHABET = string.ascii_letters + string.digits


@dataclass(slots=True)
class OutputFile:
    """`created` in nanoseconds since 1970, `size` in bytes, `downloads` counts the requests for it."""

    key: str
    name: str
    index: int
    content_type: str
    path: Path
    size: int
    md5: bytes
    created: int
    faults: tuple[FileFault, ...] = ()
    downloads: int = 0

    @property
    def location(self) -> str:
        return f"/pbxt/{self.key}/{self.name}"

    def strike(self) -> FileFault | None:
        """Count a download; the fault that befalls it."""
        self.downloads += 1
        for fault in self.faults:
            if fault.index is not None and fault.index != self.index:
                continue
            if fault.downloads is None or self.downloads <= fault.downloads:
                return fault
        return None


class OutputStore:
    """Files of equal content share one file on disk; expired ones are gone at the next look."""

    def __init__(self, lifetime: float, directory: Path | None) -> None:
        self._lifetime = int(lifetime * NANOSECONDS)
        self._temporary = (
            tempfile.TemporaryDirectory(prefix="replicate-outputs-") if directory is None else None
        )
        self._directory = Path(self._temporary.name) if self._temporary else Path(directory or ".")
        self._directory.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, OutputFile] = {}

    def write(self, content: bytes) -> tuple[Path, bytes]:
        """Put content on disk (blocking: call it in a thread); its path and MD5."""
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        path = self._directory / digest.hex()
        if not path.exists():
            partial = path.with_suffix("." + secrets.token_hex(4))
            partial.write_bytes(content)
            partial.replace(path)
        return path, digest

    def add(
        self,
        path: Path,
        md5: bytes,
        *,
        name: str,
        index: int,
        content_type: str,
        faults: tuple[FileFault, ...] = (),
    ) -> OutputFile:
        key = "".join(secrets.choice(_ALPHABET) for _ in range(45))
        size = path.stat().st_size
        file = OutputFile(key, name, index, content_type, path, size, md5, now(), faults)
        self._files[key] = file
        return file

    def get(self, key: str, name: str) -> OutputFile | None:
        file = self._files.get(key)
        if file is None or file.name != name or now() - file.created >= self._lifetime:
            return None
        return file

    def sweep(self) -> None:
        """Remove what has expired."""
        self._remove([f for f in self._files.values() if now() - f.created >= self._lifetime])

    def clear(self) -> None:
        self._remove(list(self._files.values()))

    def close(self) -> None:
        self.clear()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _remove(self, files: list[OutputFile]) -> None:
        for file in files:
            del self._files[file.key]
        kept = {file.path for file in self._files.values()}
        for path in {file.path for file in files} - kept:
            path.unlink(missing_ok=True)
