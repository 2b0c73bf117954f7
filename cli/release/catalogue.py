"""`python -m cli.release.catalogue FILE NAME`: write the catalogue to the SSM parameter of this name."""

import sys
from pathlib import Path
from typing import Any

from devstack.paths import HARDWARE_CONFIG
from vsl.adapters.aws.packed_catalogue import remove_old_parts, store
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.hardware import rates_of


def write(ssm: Any, name: str, text: str) -> int:
    """The parameter's new version. Raises ConfigurationError for a catalogue with a mistake."""
    Catalogue.parse(text, rates_of(HARDWARE_CONFIG.read_text(encoding="utf-8")))
    version = store(ssm, name, text)
    remove_old_parts(ssm, name)
    return version


if __name__ == "__main__":
    import boto3

    file, parameter = sys.argv[1:]
    number = write(boto3.client("ssm"), parameter, Path(file).read_text(encoding="utf-8"))
    print(f"{parameter} is version {number}")
