"""What each model does with its input, down to its file names, limits and failures."""

import hashlib
import io
from collections.abc import Callable, Mapping

from PIL import Image, UnidentifiedImageError

from devstack.replicate.media import film, music, picture, speech
from devstack.replicate.media.request import MediaFile, ModelFailed, Production, Request
from devstack.replicate.media.sizes import (
    FLUX,
    SEEDANCE,
    Size,
    cover_ratio,
    flux_pro_size,
    svd_size,
)
from devstack.replicate.media.sound import Sound

NSFW = "NSFW content detected. Try running it again, or try a different prompt."
ALL_NSFW = (
    "All generated images contained NSFW content. Try running it again with a different prompt."
)
SENSITIVE = (
    "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
)
_MAX_PIXELS = 4 * 1024**2
_MAX_AUDIO_SECONDS = 600
_NO_MEMORY = (
    "CUDA out of memory. Tried to allocate 26.11 GiB (GPU 0; 79.15 GiB total capacity; "
    "58.33 GiB already allocated; 19.60 GiB free; 58.89 GiB reserved in total by PyTorch)"
)


def _flux(request: Request) -> Production:
    """flux-schnell and flux-dev: num_outputs images; with `image` they take its aspect ratio."""
    ratio = request.input["aspect_ratio"]
    source = _source(request, "image")
    if source is not None:
        ratio = cover_ratio(source.size, FLUX)
    width, height = FLUX[ratio]
    if request.input["megapixels"] == "0.25":
        width, height = width // 2, height // 2
    return _images(request, (width, height), request.input["output_format"], source, ALL_NSFW)


def _flux_pro(request: Request) -> Production:
    """flux-1.1-pro: one image under a temporary file's name."""
    if request.dropped(1):
        raise ModelFailed(SENSITIVE)
    size, asked = flux_pro_size(request.input), request.input
    kind, quality = asked["output_format"], asked["output_quality"]
    guide = _source(request, "image_prompt")
    content = picture.render(request.prompt, request.seed, size, kind, quality, guide, 0.5)
    return Production(MediaFile(f"{_temporary_name(content)}.{kind}", content))


def _sdxl(request: Request) -> Production:
    width, height = request.input["width"], request.input["height"]
    if width % 8 or height % 8 or width < 8 or height < 8:
        text = f"`height` and `width` have to be divisible by 8 but are {height} and {width}."
        raise ModelFailed(text)
    if width * height > _MAX_PIXELS:
        raise ModelFailed(_NO_MEMORY)
    return _images(request, (width, height), "png", _source(request, "image"), NSFW)


def _stable_video(request: Request) -> Production:
    source = _source(request, "input_image")
    if source is None:
        raise ModelFailed("input_image is required")
    frames = 14 if request.input["video_length"].startswith("14") else 25
    size = svd_size(source.size, request.input["sizing_strategy"])
    fps, motion = request.input["frames_per_second"], request.input["motion_bucket_id"] / 255
    content = film.animate(source, request.seed, size, frames=frames, fps=fps, motion=motion)
    return Production(MediaFile("000000.mp4", content))


def _video_01(request: Request) -> Production:
    """Six seconds of 720p at 25 frames a second."""
    return _text_to_video(request, (1280, 720), 6, 25, _source(request, "first_frame_image"))


def _seedance(request: Request) -> Production:
    source = _source(request, "image")
    sizes, ratio = SEEDANCE[request.input["resolution"]], request.input["aspect_ratio"]
    size = sizes[cover_ratio(source.size, sizes) if source else ratio]
    return _text_to_video(request, size, request.input["duration"], request.input["fps"], source)


def _musicgen(request: Request) -> Production:
    asked, clip = request.input, request.files.get("input_audio")
    stereo = asked["model_version"].startswith("stereo")
    if not request.prompt and clip is None:
        raise ModelFailed("Must provide either prompt or input_audio")
    if asked["continuation"] and clip is None:
        raise ModelFailed("Must provide `input_audio` if continuation is `True`.")
    if asked["multi_band_diffusion"] and stereo:
        raise ModelFailed("Multi-Band Diffusion is only available with non-stereo models.")
    theme = request.prompt + hashlib.sha256(clip or b"").hexdigest()
    channels = 2 if stereo else 1
    sound = _music(request, asked["duration"], theme, rate=32_000, channels=channels)
    kind = asked["output_format"]
    return Production(MediaFile(f"out.{kind}", sound.encoded(kind)))


def _stable_audio(request: Request) -> Production:
    theme = f"{request.prompt}\0{request.input['negative_prompt']}"
    sound = _music(request, request.input["seconds_total"], theme, rate=44_100, channels=2)
    return Production(MediaFile("output.wav", sound.encoded("wav")))


def _bark(request: Request) -> Production:
    """Speech, and with `output_full` the generation as .npz."""
    voice = str(request.input["history_prompt"] or "")
    voice += hashlib.sha256(request.files.get("custom_history_prompt", b"")).hexdigest()
    sound = speech.speak(request.prompt, voice, request.seed)
    output = {"audio_out": MediaFile("audio.wav", sound.encoded("wav"))}
    if request.input["output_full"]:
        archive = speech.generation_npz(request.prompt, request.seed)
        output["prompt_npz"] = MediaFile("prompt.npz", archive)
    return Production(output)


def _images(
    request: Request, size: Size, kind: str, source: Image.Image | None, all_flagged: str
) -> Production:
    """`num_outputs` images; those the safety checker flags are dropped and leave gaps in names."""
    count = request.input["num_outputs"]
    dropped = request.dropped(count)
    if len(dropped) == count:
        raise ModelFailed(all_flagged)
    quality = request.input.get("output_quality", 90)
    strength = float(request.input["prompt_strength"]) if source is not None else 1.0
    files = []
    for index in range(count):
        if index not in dropped:
            seed = request.seed + index
            content = picture.render(request.prompt, seed, size, kind, quality, source, strength)
            files.append(MediaFile(f"out-{index}.{kind}", content))
    logs = "".join(f"NSFW content detected in image {index}\n" for index in sorted(dropped))
    return Production(files, logs)


def _text_to_video(
    request: Request, size: Size, seconds: int, fps: int, first: Image.Image | None
) -> Production:
    if request.dropped(1):
        raise ModelFailed(SENSITIVE)
    frames = seconds * fps
    content = film.film(request.prompt, request.seed, size, frames=frames, fps=fps, first=first)
    return Production(MediaFile(f"{_temporary_name(content)}.output.mp4", content))


def _source(request: Request, name: str) -> Image.Image | None:
    """An input file as an RGB image. Raises ModelFailed in Pillow's words."""
    content = request.files.get(name)
    if content is None:
        return None
    try:
        opened = Image.open(io.BytesIO(content))
        opened.draft("RGB", (2048, 2048))
        return opened.convert("RGB")
    except UnidentifiedImageError:
        path = f"/tmp/{_temporary_name(content)}{name}"  # noqa: S108  # nosec B108 # text of the error
        raise ModelFailed(f"cannot identify image file '{path}'") from None
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ModelFailed(str(error)) from None


def _music(request: Request, seconds: int, theme: str, *, rate: int, channels: int) -> Sound:
    if seconds < 1:
        raise ModelFailed(f"Expected a positive duration but got {seconds}")
    if seconds > _MAX_AUDIO_SECONDS:
        raise ModelFailed(_NO_MEMORY)
    return music.compose(theme, request.seed, seconds, rate=rate, channels=channels)


def _temporary_name(content: bytes) -> str:
    """A name such as tmpql776w8x, as Python's tempfile gives; the same for the same content."""
    return "tmp" + hashlib.sha256(content).hexdigest()[:8]


PRODUCERS: Mapping[str, Callable[[Request], Production]] = {
    "black-forest-labs/flux-schnell": _flux,
    "black-forest-labs/flux-dev": _flux,
    "black-forest-labs/flux-1.1-pro": _flux_pro,
    "stability-ai/sdxl": _sdxl,
    "sunfjun/stable-video-diffusion": _stable_video,
    "minimax/video-01": _video_01,
    "bytedance/seedance-1-lite": _seedance,
    "meta/musicgen": _musicgen,
    "suno-ai/bark": _bark,
    "stackadoc/stable-audio-open-1.0": _stable_audio,
}
