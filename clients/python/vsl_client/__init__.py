"""The client of VSL, the media generation API."""

from vsl_client import types
from vsl_client.client import Client
from vsl_client.download import read, save
from vsl_client.errors import VslError
from vsl_client.webhooks import Event, verify_webhook

__all__ = ["Client", "Event", "VslError", "read", "save", "types", "verify_webhook"]
