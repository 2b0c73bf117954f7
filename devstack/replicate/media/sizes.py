"""Width and height of what the models make, in pixels."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

Size = tuple[int, int]
_SVD_AREA = 1024 * 576


def _table(landscape: str) -> dict[str, Size]:
    """Sizes by aspect ratio, of `ratio:WxH` for the square and the wide ones: the tall mirror them."""
    table: dict[str, Size] = {}
    for entry in landscape.split():
        across, down, size = entry.split(":")
        width, height = (int(part) for part in size.split("x"))
        table[f"{across}:{down}"], table[f"{down}:{across}"] = (width, height), (height, width)
    return table


# https://github.com/replicate/cog-flux, predict.py
FLUX = _table("1:1:1024x1024 16:9:1344x768 21:9:1536x640 3:2:1216x832 5:4:1088x896 4:3:1152x896")
SEEDANCE: Mapping[str, Mapping[str, Size]] = {
    "480p": _table("16:9:864x480 4:3:736x544 1:1:640x640 21:9:960x416"),
    "720p": _table("16:9:1248x704 4:3:1120x832 1:1:960x960 21:9:1504x640"),
    "1080p": _table("16:9:1920x1088 4:3:1664x1248 1:1:1440x1440 21:9:2176x928"),
}


def nearest(size: Size, ratios: Iterable[str]) -> str:
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


def svd_size(picture: Size, strategy: str) -> Size:
    """The model works on the area of 1024 by 576, in multiples of 64."""
    width, height = picture
    if strategy == "crop_to_16_9":
        return 1024, 576
    if strategy == "use_image_dimensions" and width * height <= 4 * _SVD_AREA:
        return max(64, width // 64 * 64), max(64, height // 64 * 64)
    scale = math.sqrt(_SVD_AREA / (width * height))
    across, down = (min(1536, max(256, _multiple(side * scale, 64))) for side in picture)
    return across, down


def _multiple(value: float, of: int) -> int:
    return max(of, round(value / of) * of)
