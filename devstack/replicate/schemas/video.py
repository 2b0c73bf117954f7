"""Inputs of the video models."""

from devstack.replicate.schemas.fields import Field, choice, flag, number, text, uri, whole

SEEDANCE_RATIOS = "16:9 4:3 1:1 3:4 9:16 21:9 9:21"

STABLE_VIDEO: tuple[Field, ...] = (
    uri("input_image", "Image to animate", required=True),
    choice(
        "video_length",
        "14_frames_with_svd 25_frames_with_svd_xt",
        "14_frames_with_svd",
        "14 frames with svd, 25 with svd_xt",
    ),
    choice(
        "sizing_strategy",
        "maintain_aspect_ratio crop_to_16_9 use_image_dimensions",
        "maintain_aspect_ratio",
        "How the input image is resized",
    ),
    whole("frames_per_second", 6, "Frames per second", (5, 30)),
    whole("motion_bucket_id", 127, "Amount of motion", (1, 255)),
    number("cond_aug", 0.02, "Noise added to the input image"),
    whole("decoding_t", 14, "Frames decoded at a time"),
    whole("seed", description="Random seed; leave blank for a random one"),
)

VIDEO_01: tuple[Field, ...] = (
    text("prompt", "What the video shows", required=True),
    flag("prompt_optimizer", True, "Let a model rewrite the prompt"),
    uri("first_frame_image", "First frame of the video"),
    uri("subject_reference", "Picture of the character to show"),
)

SEEDANCE: tuple[Field, ...] = (
    text("prompt", "What the video shows", required=True),
    uri("image", "First frame, for image-to-video"),
    uri("last_frame_image", "Last frame; needs a first one"),
    Field(
        "reference_images", "array", "Reference pictures", items={"type": "string", "format": "uri"}
    ),
    whole("duration", 5, "Length in seconds", (2, 12)),
    choice("resolution", "480p 720p 1080p", "720p", "Resolution"),
    choice("aspect_ratio", SEEDANCE_RATIOS, "16:9", "Aspect ratio; ignored with an image"),
    Field("fps", "integer", "Frames per second", default=24, enum=(24,)),
    flag("camera_fixed", False, "Keep the camera still"),
    whole("seed", description="Random seed, for reproducible videos"),
)
