"""Make the pictures of README.md from a real run of the demo: `.venv/bin/python docs/pictures/make.py`.

`demo.svg` is what `make demo` prints; the three WebP files are what it made: the thumbnails of
image and music as StoreMedia draws them, and the video, small and moving. `tests/e2e` compares the
committed terminal with a new run.
"""  # noqa: INP001 - a script, not a package

import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path

import av
from recording import save
from rich.console import Console

from cli.demo import demo_command
from devstack.paths import StateFolder
from vsl.adapters.media.probe import probe
from vsl.adapters.media.sniff import sniff

HERE = Path(__file__).resolve().parent
COLUMNS = 96
VIDEO_SIZE = (320, 180)  # pixels of the moving picture


def main(output: Path) -> int:
    """Run the demo on a stack of its own and write four files into `output`."""
    output.mkdir(parents=True, exist_ok=True)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=False)
    console.print("[bold]$ make demo[/bold]", highlight=False)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        media = Path("vsl-demo")
        state = StateFolder.at(Path("state"))
        code = demo_command(state, media, speed=0.05, keep=False, console=console)
        if code != 0:
            print(console.export_text(), file=sys.stderr)  # noqa: T201
            return code
        (image,) = media.glob("image-*")
        (video,) = media.glob("video-*")
        (audio,) = media.glob("audio-*")
        (output / "image.webp").write_bytes(_thumbnail(image))
        (output / "audio.webp").write_bytes(_thumbnail(audio))
        (output / "video.webp").write_bytes(_moving(video))
    save(console, output / "demo.svg")
    return 0


def _thumbnail(file: Path) -> bytes:
    """The product's own thumbnail of a file. Raises ValueError if it made none."""
    found = probe(lambda _expired: file.open("rb"), sniff(file.read_bytes()[:4096]))
    if found.thumbnail is None:
        raise ValueError(f"{file.name}: {', '.join(found.faults)}")
    return found.thumbnail


def _moving(video: Path) -> bytes:
    """The video as an animated WebP that browsers repeat for ever."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or 12)
        pictures = (frame.to_image() for frame in container.decode(stream))  # type: ignore[no-untyped-call]
        frames = [picture.resize(VIDEO_SIZE) for picture in pictures]
    buffer = io.BytesIO()
    first, *others = frames
    first.save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=round(1000 / rate),
        loop=0,
        quality=45,
        method=6,
    )
    return buffer.getvalue()


if __name__ == "__main__":
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    sys.exit(main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE))
