"""`vsl demo`, as `make demo` runs it: three files that are what they say they are."""

import json
import subprocess
import sys
from pathlib import Path

import av
import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.integration


def test_the_demo_makes_an_image_a_video_and_music(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("vsl")), "demo", "--json", "--speed", "0.02"]
    command += ["--state", str(tmp_path / "state"), "--output", str(tmp_path / "media")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["succeeded"]
    image, video, audio = report["jobs"]

    with Image.open(image["file"]) as picture:
        assert picture.size == (image["width"], image["height"])
    with av.open(video["file"]) as container:
        (stream,) = container.streams.video
        assert (stream.width, stream.height) == (video["width"], video["height"])
        frames = [frame.to_image().tobytes() for frame in container.decode(stream)]
    assert len(frames) > 10
    assert frames[0] != frames[-1], "it moves"
    with av.open(audio["file"]) as container:
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(audio["duration"], abs=0.2)
    assert all(0 <= job["overheadSeconds"] < job["seconds"] for job in report["jobs"])
    assert not (tmp_path / "state" / "stack.json").exists()
