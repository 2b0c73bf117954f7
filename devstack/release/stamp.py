"""`python -m devstack.release.stamp TEMPLATE`: give a built template a release of its own.

A function publishes a version when its properties change in the template; a parameter's new value
is no such change, and would never reach the alias. The release, a tag of every function, always is.
"""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

UNRELEASED = "unreleased"
_TAG = re.compile(rf"""(\bRelease: *)["']?{UNRELEASED}["']?""")


def stamp(template: Path, at: datetime) -> str:
    """The release, written into the template. Raises ValueError unless there is one place for it."""
    release = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    text, found = _TAG.subn(rf"\g<1>{release}", template.read_text())
    if found != 1:
        raise ValueError(f"{template}: the tag `Release: {UNRELEASED}` is there {found} times.")
    template.write_text(text)
    return release


if __name__ == "__main__":
    print(f"Release {stamp(Path(sys.argv[1]), datetime.now(UTC))}")
