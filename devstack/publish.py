"""Writes what readers of the API are given, from the files in api/: `make openapi`.

- The document that GET /openapi.json answers: api/openapi.yaml without what is AWS's alone, with the
  examples, headers and codes of api/reference.yaml and api/codes.yaml.
- The page that a problem's `type` leads to, and the tables of codes and headers in docs/api.md.

`sam build` packs a function's own folder and nothing else, so the document stands there as a second
copy; tests compare all of them. JSON, because reading YAML would cost a cold start its first second.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devstack.reference import codes, document, tables
from devstack.template import load_yaml

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "api" / "openapi.yaml"
REFERENCE = ROOT / "api" / "reference.yaml"
CODES = ROOT / "api" / "codes.yaml"
PUBLISHED = ROOT / "functions" / "get_openapi" / "openapi.json"
PROBLEMS = ROOT / "functions" / "get_openapi" / "site" / "problems.html"
GUIDE = ROOT / "docs" / "api.md"


def written() -> dict[Path, str]:
    """Each file that is made, with its text."""
    source, reference = _read(SOURCE), _read(REFERENCE)
    known = codes.read(_read(CODES), source)
    made = document.published(source, reference, known)
    return {
        PUBLISHED: json.dumps(made, indent=1, ensure_ascii=False) + "\n",
        PROBLEMS: codes.page(known),
        GUIDE: tables.filled(GUIDE.read_text(), known, made, reference),
    }


def _read(path: Path) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = load_yaml(path)
    return loaded


def main() -> None:
    for path, text in written().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
