"""The table of the provider's hardware, as this checkout has it."""

from collections.abc import Mapping
from functools import cache

from cli.client.errors import CommandError, Exit
from devstack.paths import HARDWARE_CONFIG
from vsl.domain.catalogue.hardware import Hardware, Rates, read_hardware
from vsl.domain.errors import ConfigurationError


@cache
def hardware_table() -> Mapping[str, Hardware]:
    """Raises CommandError."""
    try:
        return read_hardware(HARDWARE_CONFIG.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{HARDWARE_CONFIG} cannot be read: {error.strerror}."
        raise CommandError("HardwareUnreadable", message, Exit.FAILED) from None
    except ConfigurationError as error:
        raise CommandError("HardwareUnreadable", error.message, Exit.FAILED) from None


def rates() -> Rates:
    """Of the table. Raises CommandError."""
    return {key: hardware.per_second for key, hardware in hardware_table().items()}
