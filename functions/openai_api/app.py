"""OpenaiApi: OpenAI's images API under /openai/v1, for its own clients with another base URL."""

from vsl.domain.compat.openai_answers import model_list
from vsl.domain.compat.openai_errors import OpenAIError
from vsl.domain.compat.openai_request import parse_image_request
from vsl.runtime.handler import Context, Event, Response, answer
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.openai_route import error_answer, members_and_files, openai, sender
from vsl.runtime.time_left import seconds_left
from vsl.runtime.use_cases.openai_images import generate_images, named_models

prepare("s3", "ssm")
at_init(generate_images)

_MODELS = "/openai/v1/models"


@openai
def handler(event: Event, context: Context) -> Response:
    if event["resource"] == _MODELS:
        return answer(200, model_list(named_models().cards()))
    if event["resource"].startswith(_MODELS):
        return answer(200, named_models().card(event["pathParameters"]["model"]))
    who = sender(event, context)
    members, files = members_and_files(event)
    request = parse_image_request(members, files, editing=event["resource"].endswith("/edits"))
    made = generate_images()(
        request,
        who,
        lambda: seconds_left(event, context),
    )
    if isinstance(made, OpenAIError):
        return error_answer(made)
    return answer(200, made, {"Cache-Control": "no-store"})
