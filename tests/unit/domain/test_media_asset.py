"""A measurement of a file that no database holds is none: the file is delivered all the same."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsl.domain.jobs.job import MediaAsset

PLAIN: dict[str, Any] = {
    "index": 0,
    "s3_key": "media/x/0-a.mp4",
    "content_type": "video/mp4",
    "file_size": 7,
    "sha256": "0" * 64,
}


@pytest.mark.parametrize(
    ("measure", "value", "kept"),
    [
        ("width", 1024, 1024),
        ("width", 0, None),
        ("height", -1, None),
        ("height", 2**31, None),
        ("width", True, None),
        ("duration", 4.5, 4.5),
        ("duration", 0, 0.0),
        ("duration", -0.04, None),
        ("duration", math.nan, None),
        ("duration", math.inf, None),
        ("fps", 1e300, None),
        ("fps", -1, None),
        ("codec", "h264", "h264"),
        ("codec", "a\0b\x1b", "ab"),
        ("codec", "", None),
    ],
)
def test_what_could_not_be_measured_is_none(measure: str, value: object, kept: object) -> None:
    asset = MediaAsset(**(PLAIN | {measure: value}))
    assert getattr(asset, measure) == kept
    json.dumps(asset.document(), allow_nan=False)


NUMBER = st.none() | st.floats() | st.integers()


@given(NUMBER, NUMBER, NUMBER, NUMBER)
def test_an_asset_travels_and_stays_as_it_is(
    width: Any, height: Any, duration: Any, fps: Any
) -> None:
    """StoreMedia hands it over as JSON; one that an older version measured is read the same way."""
    document = MediaAsset(**PLAIN).document() | {
        "width": width,
        "height": height,
        "duration": duration,
        "fps": fps,
    }
    asset = MediaAsset.from_document(document)
    text = json.dumps(asset.document(), allow_nan=False)
    assert MediaAsset.from_document(json.loads(text)) == asset
    assert asset.width is None or 0 < asset.width < 2**31
    assert asset.duration is None or 0 <= asset.duration < 1e9
