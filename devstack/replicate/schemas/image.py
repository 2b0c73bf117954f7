"""Inputs of the image models."""

from devstack.replicate.schemas.fields import UNSET, Field, choice, flag, number, text, uri, whole

FLUX_RATIOS = "1:1 16:9 21:9 3:2 2:3 4:5 5:4 3:4 4:3 9:16 9:21"
PRO_RATIOS = "custom 1:1 16:9 3:2 2:3 4:5 5:4 9:16 3:4 4:3"
FORMATS = "webp jpg png"
SCHEDULERS = "DDIM DPMSolverMultistep HeunDiscrete KarrasDPM K_EULER_ANCESTRAL K_EULER PNDM"

_PROMPT = text("prompt", "What the image shows", required=True)
_SEED = whole("seed", description="Random seed, for reproducible images")
_RATIO = choice("aspect_ratio", FLUX_RATIOS, "1:1", "Aspect ratio of the image")
_FORMAT = choice("output_format", FORMATS, "webp", "Format of the images")
_QUALITY = whole("output_quality", 80, "Quality, 0 to 100; no effect on png", (0, 100))
_OUTPUTS = whole("num_outputs", 1, "How many images", (1, 4))
_SAFETY = flag("disable_safety_checker", False, "Switch the safety checker off")
_FAST = flag("go_fast", True, "Use the quantised model")
_MEGAPIXELS = choice("megapixels", "1 0.25", "1", "Approximate size in megapixels")
_STRENGTH = number("prompt_strength", 0.8, "1.0 replaces the input image altogether", (0, 1))

FLUX_SCHNELL: tuple[Field, ...] = (
    _PROMPT,
    _RATIO,
    _OUTPUTS,
    whole("num_inference_steps", 4, "Denoising steps", (1, 4)),
    _SEED,
    _FORMAT,
    _QUALITY,
    _SAFETY,
    _FAST,
    _MEGAPIXELS,
)

FLUX_DEV: tuple[Field, ...] = (
    _PROMPT,
    _RATIO,
    uri("image", "Image to start from; the output takes its aspect ratio"),
    _STRENGTH,
    _OUTPUTS,
    whole("num_inference_steps", 28, "Denoising steps", (1, 50)),
    number("guidance", 3, "Guidance", (0, 10)),
    _SEED,
    _FORMAT,
    _QUALITY,
    _SAFETY,
    _FAST,
    _MEGAPIXELS,
)

FLUX_PRO: tuple[Field, ...] = (
    _PROMPT,
    uri("image_prompt", "Image that guides the composition; jpeg, png, gif or webp"),
    choice("aspect_ratio", PRO_RATIOS, "1:1", "Aspect ratio of the image"),
    whole("width", UNSET, "With aspect_ratio=custom; multiple of 32", (256, 1440)),
    whole("height", UNSET, "With aspect_ratio=custom; multiple of 32", (256, 1440)),
    whole("safety_tolerance", 2, "1 is the strictest", (1, 6)),
    _SEED,
    flag("prompt_upsampling", False, "Let a model rewrite the prompt"),
    _FORMAT,
    _QUALITY,
)

SDXL: tuple[Field, ...] = (
    text("prompt", "What the image shows", default="An astronaut riding a rainbow unicorn"),
    text("negative_prompt", "What it must not show", default=""),
    uri("image", "Image for img2img or inpainting"),
    uri("mask", "Mask for inpainting: black is kept, white is painted"),
    whole("width", 1024, "Width of the image"),
    whole("height", 1024, "Height of the image"),
    _OUTPUTS,
    choice("scheduler", SCHEDULERS, "K_EULER", "Scheduler"),
    whole("num_inference_steps", 50, "Denoising steps", (1, 500)),
    number("guidance_scale", 7.5, "Classifier-free guidance", (1, 50)),
    _STRENGTH,
    whole("seed", description="Random seed; leave blank for a random one"),
    choice(
        "refine", "no_refiner expert_ensemble_refiner base_image_refiner", "no_refiner", "Refiner"
    ),
    number("high_noise_frac", 0.8, "For expert_ensemble_refiner", (0, 1)),
    whole("refine_steps", description="For base_image_refiner"),
    flag("apply_watermark", True, "Invisible watermark"),
    number("lora_scale", 0.6, "LoRA scale, trained models only", (0, 1)),
    text("replicate_weights", "LoRA weights"),
    _SAFETY,
)
