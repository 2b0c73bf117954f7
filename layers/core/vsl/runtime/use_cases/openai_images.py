"""The use cases of `services.compat` behind OpenAI's images API."""

from functools import cache
from typing import TYPE_CHECKING

from vsl.runtime import wiring
from vsl.runtime.settings import settings
from vsl.runtime.use_cases.admission import submit_job
from vsl.runtime.use_cases.reading import wait_for_job

if TYPE_CHECKING:
    from vsl.services.compat.generate_images import GenerateImages
    from vsl.services.compat.named_models import NamedModels


@cache
def named_models() -> "NamedModels":
    from vsl.domain.compat.openai_aliases import read_aliases
    from vsl.services.compat.named_models import NamedModels

    return NamedModels(wiring.lazily(wiring.catalogue), read_aliases(settings().model_aliases))


@cache
def generate_images() -> "GenerateImages":
    from vsl.services.compat.generate_images import GenerateImages
    from vsl.services.compat.image_files import KeepImageFiles

    return GenerateImages(
        models=named_models(),
        keep_files=KeepImageFiles(
            wiring.user_files(), settings().max_upload_bytes, wiring.content_type
        ),
        submit=submit_job(),
        wait=wait_for_job(),
        read_object=wiring.read_object,
        clock=wiring.clock,
    )
