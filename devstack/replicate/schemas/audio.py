"""Inputs of the audio models."""

from devstack.replicate.schemas.fields import UNSET, Field, choice, flag, number, text, uri, whole

_LANGUAGES = ("de", "en", "es", "fr", "hi", "it", "ja", "ko", "pl", "pt", "ru", "tr", "zh")
SPEAKERS = ("announcer", *(f"{language}_speaker_{n}" for language in _LANGUAGES for n in range(10)))

MUSICGEN: tuple[Field, ...] = (
    choice(
        "model_version",
        "stereo-melody-large stereo-large melody-large large",
        "stereo-melody-large",
        "Model to use",
    ),
    text("prompt", "The music to make"),
    uri("input_audio", "Audio to continue, or whose melody to follow"),
    whole("duration", 8, "Length in seconds"),
    flag("continuation", False, "Continue input_audio instead of following its melody"),
    whole("continuation_start", 0, "Where to start in input_audio, seconds", (0, None)),
    whole("continuation_end", UNSET, "Where to end in input_audio, seconds", (0, None)),
    flag("multi_band_diffusion", False, "Decode with MultiBand Diffusion; not for stereo models"),
    choice(
        "normalization_strategy", "loudness clip peak rms", "loudness", "How the loudness is set"
    ),
    whole("top_k", 250, "Sample from the k likeliest tokens"),
    number("top_p", 0, "Sample from tokens of this cumulative probability; 0 means top_k"),
    number("temperature", 1, "Higher is more diverse"),
    whole("classifier_free_guidance", 3, "Higher follows the prompt more closely"),
    choice("output_format", "wav mp3", "wav", "Format of the audio"),
    whole("seed", description="Random seed; -1 or none for a random one"),
)

BARK: tuple[Field, ...] = (
    text(
        "prompt",
        "The words to speak",
        default=(
            "Hello, my name is Suno. And, uh — and I like pizza. [laughs] "
            "But I also have other interests such as playing tic tac toe."
        ),
    ),
    choice("history_prompt", " ".join(SPEAKERS), description="Voice"),
    uri("custom_history_prompt", "An .npz file with a voice of your own"),
    number("text_temp", 0.7, "Higher is more diverse"),
    number("waveform_temp", 0.7, "Higher is more diverse"),
    flag(
        "output_full", False, "Also return the generation as .npz, to be used as a history prompt"
    ),
)

STABLE_AUDIO: tuple[Field, ...] = (
    text("prompt", required=True),
    text("negative_prompt", default=""),
    whole("seconds_start", 0),
    whole("seconds_total", 8),
    number("cfg_scale", 6),
    whole("steps", 100),
    whole("seed", -1),
    text("sampler_type", default="dpmpp-3m-sde"),
    number("sigma_min", 0.03),
    whole("sigma_max", 500),
    number("init_noise_level", 1),
    whole("batch_size", 1),
)
