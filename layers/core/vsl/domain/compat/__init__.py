"""Protocols of others that the API speaks as well, so that their stock clients work unchanged."""
