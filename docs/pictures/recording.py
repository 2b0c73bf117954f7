"""A terminal as a picture: Rich's SVG without its web fonts, so that it fetches nothing."""  # noqa: INP001 - used by the scripts beside it

from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

FRAME = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px;
  line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def save(console: Console, path: Path) -> None:
    """What the console has recorded, as `path`; the file's name is also that of its styles."""
    drawing = console.export_svg(
        title="VSL",
        theme=MONOKAI,
        code_format=FRAME,
        unique_id=path.stem,
        font_aspect_ratio=0.61,
    )
    lines = [line.rstrip() for line in drawing.splitlines()]
    path.write_text("\n".join(line for line in lines if line) + "\n")
