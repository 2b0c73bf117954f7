"""The functions' database address, read on another machine: Lambda's paths, where they lead here."""

import re
from pathlib import Path

import certifi

# The bundle for RDS, which an operator puts beside the catalogue, and that of the runtime layer.
CERTIFICATES = {
    "/opt/config/rds.pem": str(Path(__file__).parent.parent / "config" / "rds.pem"),
    "/opt/python/certifi/cacert.pem": certifi.where(),
}
_ROOT = re.compile(r"\b(sslrootcert=)([^&\s]+)")


def here(url: str) -> str:
    """The same address with its certificates where this machine has them."""
    return _ROOT.sub(lambda found: found[1] + CERTIFICATES.get(found[2], found[2]), url)
