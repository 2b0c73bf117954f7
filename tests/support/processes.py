"""The machine's processes, as /proc tells."""

from pathlib import Path


def children(parent: int) -> list[int]:
    """The process ids of the direct children of a process."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            found.append(int(folder.name))
    return found


def environment(pid: int) -> dict[str, str]:
    """What a process was started with; empty when it is gone."""
    try:
        content = (Path("/proc") / str(pid) / "environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return {}
    pairs = (entry.decode(errors="replace").partition("=") for entry in content.split(b"\0"))
    return {name: value for name, _, value in pairs if name}
