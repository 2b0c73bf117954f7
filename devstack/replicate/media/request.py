"""What a model is given, and what it gives: an output with files in it, or its failure."""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from PIL import Image, UnidentifiedImageError

from devstack.replicate.media.kinds import MAKEABLE

Files = dict[str, bytes]
ALL_NSFW = (
    "All generated images contained NSFW content. Try running it again with a different prompt."
)
SENSITIVE = (
    "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
)


class ModelFailed(Exception):
    """The prediction fails; the text is its `error`."""


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One output file."""

    name: str
    content: bytes

    @property
    def content_type(self) -> str:
        return MAKEABLE[self.name.rpartition(".")[2]]


@dataclass(frozen=True, slots=True)
class Request:
    """`input` has its defaults filled in, `files` the bytes of the inputs that are addresses.

    Those of a list are named by their place in it, such as `images.0`. `flagged`: how many outputs
    the safety checker drops by order; -1 all, None none by order.
    """

    model: str
    input: Mapping[str, Any]
    files: Files
    seed: int
    flagged: int | None = None

    @property
    def prompt(self) -> str:
        return str(self.input.get("prompt") or "")

    def picture(self, name: str) -> Image.Image | None:
        """An input file in RGB; None if it is not given. Raises ModelFailed in Pillow's words."""
        if name not in self.files:
            return None
        content = self.files[name]
        try:
            opened = Image.open(io.BytesIO(content))
            opened.draft("RGB", (2048, 2048))
            return opened.convert("RGB")
        except UnidentifiedImageError:
            path = f"/tmp/{temporary_name(content)}{name}"  # noqa: S108  # nosec B108 # text of the error
            raise ModelFailed(f"cannot identify image file '{path}'") from None
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise ModelFailed(str(error)) from None

    def dropped(self, outputs: int) -> list[int]:
        """The outputs the safety checker drops: every second one first, so that names have gaps. A
        prompt that says nsfw trips it for all, unless it is switched off."""
        nsfw = "nsfw" in self.prompt.lower() and not self.input.get("disable_safety_checker")
        order = [*range(1, outputs, 2), *range(0, outputs, 2)]
        return order if nsfw or self.flagged == -1 else order[: self.flagged or 0]


@dataclass(frozen=True, slots=True)
class Production:
    """`output` is what the API shows, with a MediaFile wherever it will show an address."""

    output: Any
    logs: str = ""

    @property
    def files(self) -> list[MediaFile]:
        found: list[MediaFile] = []
        self.with_addresses(found.append)
        return found

    def with_addresses(self, address: Callable[[MediaFile], Any]) -> Any:
        """The output with each file replaced, in the order of `files`."""
        return _replaced(self.output, address)

    def checked(self, request: Request, all_flagged: str = ALL_NSFW) -> "Production":
        """Without the pictures and films that the safety checker drops, which leave gaps in a list.

        Raises ModelFailed if none is left or the output is no list.
        """
        seen = [file for file in self.files if file.content_type.startswith(("image/", "video/"))]
        dropped = sorted(request.dropped(len(seen)))
        if not dropped:
            return self
        if not isinstance(self.output, list):
            raise ModelFailed(SENSITIVE)
        if len(dropped) == len(seen):
            raise ModelFailed(all_flagged)
        gone = [id(seen[index]) for index in dropped]
        logs = "".join(f"NSFW content detected in image {index}\n" for index in dropped)
        return Production([item for item in self.output if id(item) not in gone], logs)


def chance(*parts: object) -> Random:
    """Random numbers that are the same for the same parts, on every machine."""
    text = "\0".join(map(str, parts)).encode(errors="surrogatepass")
    return Random(text)  # noqa: S311  # nosec B311 # pictures and tunes, no secrets


def temporary_name(content: bytes) -> str:
    """A name such as tmpql776w8x, as Python's tempfile gives; the same for the same content."""
    return "tmp" + hashlib.sha256(content).hexdigest()[:8]


def _replaced(output: Any, address: Callable[[MediaFile], Any]) -> Any:
    if isinstance(output, MediaFile):
        return address(output)
    if isinstance(output, dict):
        return {key: _replaced(item, address) for key, item in output.items()}
    return [_replaced(item, address) for item in output] if isinstance(output, list) else output
