"""The catalogue's time limits are ones the provider takes."""

from tests.support.models import catalogue
from vsl.adapters.replicate.client import CANCEL_AFTER_RANGE


def test_every_time_limit_is_one_the_provider_can_enforce() -> None:
    low, high = CANCEL_AFTER_RANGE
    assert all(low <= model.timeout <= high for model in catalogue().models.values())
