"""The API's own address, by what the deployment and API Gateway say of it."""

import re

from vsl.domain.api.own_address import own_address
from vsl.runtime.settings import settings

_API_ID = re.compile(r"[A-Za-z0-9]{1,64}")


def api_address(api_id: object, host: object) -> str:
    """Without a trailing slash; empty when nothing tells it, as for a job started by hand.

    `api_id` is API Gateway's: with it comes the address that every stage has.
    """
    own, domain = settings().api_urls, settings().api_domain
    if not own and domain and isinstance(api_id, str) and _API_ID.fullmatch(api_id):
        own = (f"https://{api_id}.{domain}/{settings().stage}",)
    return own_address(own, host) if own else ""
