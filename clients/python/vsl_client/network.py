"""How requests leave this machine."""

from urllib.parse import urlsplit

_HERE = {"localhost", "127.0.0.1", "::1"}


def trusts_environment(url: str) -> bool:
    """Whether proxies of the environment apply: never to what runs on this machine."""
    return urlsplit(url).hostname not in _HERE
