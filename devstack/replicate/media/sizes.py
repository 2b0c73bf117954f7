"""Width and height of what the models make, in pixels."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

Size = tuple[int, int]

# https://github.com/replicate/cog-flux, predict.py
FLUX: Mapping[str, Size] = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "21:9": (1536, 640),
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "3:4": (896, 1152),
    "4:3": (1152, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}
SEEDANCE: Mapping[str, Mapping[str, Size]] = {
    "480p": {
        "16:9": (864, 480),
        "4:3": (736, 544),
        "1:1": (640, 640),
        "3:4": (544, 736),
        "9:16": (480, 864),
        "21:9": (960, 416),
        "9:21": (416, 960),
    },
    "720p": {
        "16:9": (1248, 704),
        "4:3": (1120, 832),
        "1:1": (960, 960),
        "3:4": (832, 1120),
        "9:16": (704, 1248),
        "21:9": (1504, 640),
        "9:21": (640, 1504),
    },
    "1080p": {
        "16:9": (1920, 1088),
        "4:3": (1664, 1248),
        "1:1": (1440, 1440),
        "3:4": (1248, 1664),
        "9:16": (1088, 1920),
        "21:9": (2176, 928),
        "9:21": (928, 2176),
    },
}
_SVD_AREA = 1024 * 576


def cover_ratio(size: Size, ratios: Sequence[str]) -> str:
    """The aspect ratio nearest to that of `size`, on a logarithmic scale."""

    def distance(ratio: str) -> float:
        width, height = (int(part) for part in ratio.split(":"))
        return abs(math.log(size[0] / size[1]) - math.log(width / height))

    return min(ratios, key=distance)


def flux_pro_size(asked: Mapping[str, Any]) -> Size:
    """With aspect_ratio=custom, width and height to the nearest multiple of 32."""
    if asked["aspect_ratio"] != "custom":
        return FLUX[asked["aspect_ratio"]]
    return _multiple(asked["width"] or 1024, 32), _multiple(asked["height"] or 1024, 32)


def seedance_size(resolution: str, ratio: str, picture: Size | None) -> Size:
    """An input image brings its own aspect ratio."""
    table = SEEDANCE[resolution]
    return table[ratio if picture is None else cover_ratio(picture, tuple(table))]


def svd_size(picture: Size, strategy: str) -> Size:
    """The model works on the area of 1024 by 576, in multiples of 64."""
    width, height = picture
    if strategy == "crop_to_16_9":
        return 1024, 576
    if strategy == "use_image_dimensions" and width * height <= 4 * _SVD_AREA:
        return max(64, width // 64 * 64), max(64, height // 64 * 64)
    scale = math.sqrt(_SVD_AREA / (width * height))
    return (
        min(1536, max(256, _multiple(width * scale, 64))),
        min(1536, max(256, _multiple(height * scale, 64))),
    )


def _multiple(value: float, of: int) -> int:
    return max(of, round(value / of) * of)
