"""The project's documents as tests see them: links, code, tables, and commands with their answers."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.template import REPOSITORY

_SKIPPED = {"node_modules", ".venv", ".venvs", ".vsl", ".aws-sam", ".git", ".pytest_cache"}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language and its lines."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    path: Path
    text: str

    @property
    def name(self) -> str:
        return str(self.path.relative_to(REPOSITORY))

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        return [Block(*found.groups()) for found in _FENCE.finditer(self.text)]

    @property
    def spans(self) -> list[str]:
        """What stands between single backticks."""
        return _CODE.findall(self.prose)

    @property
    def code(self) -> str:
        """Everything that is set as code, in blocks and within lines."""
        return "\n".join([*(block.text for block in self.blocks), *self.spans])

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """The headings' anchors, as GitHub makes them."""
        return {_slug(heading) for heading in _HEADING.findall(self.prose)}

    def tables(self) -> Iterator[list[list[str]]]:
        """Each table's rows of cells, the head first."""
        rows: list[list[str]] = []
        for line in [*self.prose.splitlines(), ""]:
            if line.startswith("|"):
                cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
                rows.append([cell.strip() for cell in cells])
            elif rows:
                yield [row for row in rows if not set("".join(row)) <= set(":- ")]
                rows = []

    def section(self, heading: str) -> "Document":
        """What stands below a heading, down to the next one of its rank or above."""
        found = re.search(rf"^(#+) {re.escape(heading)}$", self.text, re.MULTILINE)
        assert found, f"{self.name} has no section {heading!r}"
        rank = len(found[1])
        rest = self.text[found.end() :]
        following = re.search(rf"^#{{1,{rank}}} ", rest, re.MULTILINE)
        return Document(self.path, rest[: following.start()] if following else rest)


def document(name: str) -> Document:
    path = REPOSITORY / name
    return Document(path, path.read_text())


def documents() -> list[Document]:
    """Every Markdown file of the project."""
    paths = []
    for folder, below, files in REPOSITORY.walk():
        below[:] = [
            name for name in below if name not in _SKIPPED
        ]  # tens of thousands of others' files
        paths += [folder / name for name in files if name.endswith(".md")]
    return [Document(path, path.read_text()) for path in sorted(paths)]


def rows(svg: Path) -> list[str]:
    """The lines of a recorded terminal."""
    found: dict[str, str] = {}
    pattern = r'<text class="\w+-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>'
    for _, y, text in re.findall(pattern, svg.read_text()):
        found[y] = found.get(y, "") + html.unescape(text).replace("\xa0", " ")
    return list(found.values())


def _slug(heading: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
