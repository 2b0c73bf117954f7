"""`python -m cli.release.catalogue FILE`: the catalogue as a parameter of SSM takes it."""

import base64
import json
import sys
import zlib
from pathlib import Path

from devstack.paths import HARDWARE_CONFIG
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.hardware import rates_of


def packed(text: str) -> str:
    """Base64 of zlib: as JSON it is too large. Raises ConfigurationError for a catalogue with a mistake."""
    Catalogue.parse(text, rates_of(HARDWARE_CONFIG.read_text()))
    small = json.dumps(json.loads(text), separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(small, 9)).decode()


if __name__ == "__main__":
    print(packed(Path(sys.argv[1]).read_text()))
