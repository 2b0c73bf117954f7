"""AuthorizeKey: API Gateway's authorizer where ApiAuth is KEYS.

What it is asked and what it answers:
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

from vsl.domain.api.api_key import ApiKeyRefused
from vsl.runtime.authorization import Authorization, allowed, header_values
from vsl.runtime.handler import Context, Event
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.observability import job_keys, logger
from vsl.runtime.use_cases.keys import authorize_key

prepare("dynamodb")
at_init(authorize_key)


class Unauthorized(Exception):
    def __init__(self) -> None:
        super().__init__("Unauthorized")


def handler(event: Event, context: Context) -> Authorization:
    """Any error but Unauthorized, such as an unavailable store, becomes 5xx: the request is not admitted."""
    with job_keys({}, request_id=context.aws_request_id):
        try:
            key = authorize_key()(header_values(event))
        except ApiKeyRefused as refused:
            logger.warning("key refused", reason=refused.reason, key_id=refused.key_id)
            raise Unauthorized from None
        except Exception:
            logger.exception("the key could not be checked")
            raise
    return allowed(event["methodArn"], key)
