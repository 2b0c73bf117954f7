"""A catalogue of many models in SSM: in parts, and never one half of it."""

import copy
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.support.models import CATALOGUE_PATH
from vsl.adapters.aws import catalogue as adapter
from vsl.adapters.aws import clients
from vsl.adapters.aws import packed_catalogue as packing
from vsl.adapters.aws.catalogue import SSM_TTL_SECONDS, load_catalogue
from vsl.adapters.aws.packed_catalogue import (
    MOST_CHARACTERS,
    PART_CHARACTERS,
    joined,
    pack,
    part_names,
    read_text,
    remove_old_parts,
    store,
    unpacked,
)
from vsl.domain.errors import ConfigurationError

NAME = "/vsl/homolog/models"


def many(count: int, word: str = "model") -> str:
    """A catalogue of so many models, each with texts of its own."""
    known = json.loads(CATALOGUE_PATH.read_text(encoding="utf-8"))
    kinds = [(kind, entry) for kind, group in known.items() for entry in group.values()]
    made: dict[str, dict[str, Any]] = {kind: {} for kind in known}
    for number in range(count):
        kind, entry = kinds[number % len(kinds)]
        entry = copy.deepcopy(entry)
        for name, parameter in entry["parameters"].items():
            parameter["description"] = f"{word} {number * 7919} of {name}: {number**5:x}"
        made[kind][f"{word}-{number}"] = entry
    return json.dumps(made)


@pytest.fixture
def ssm() -> Iterator[Any]:
    adapter._loaded.clear()
    clients.forget()
    with mock_aws():
        yield boto3.client("ssm")
    adapter._loaded.clear()
    clients.forget()


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute is over."""
    now = time.monotonic() + SSM_TTL_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: now)


def test_many_models_are_read_from_their_parts(ssm: Any) -> None:
    store(ssm, NAME, many(400))
    value = ssm.get_parameter(Name=NAME)["Parameter"]["Value"]
    assert len(part_names(NAME, value)) > packing.MOST_READ, "more than one request reads"

    assert len(load_catalogue(f"ssm:{NAME}").models) == 400


def test_a_small_catalogue_is_one_parameter(ssm: Any) -> None:
    store(ssm, NAME, CATALOGUE_PATH.read_text(encoding="utf-8"))
    assert [each["Name"] for each in ssm.describe_parameters()["Parameters"]] == [NAME]


def test_it_may_grow_and_shrink(ssm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for count in (3, 80, 5, 120):
        store(ssm, NAME, many(count))
        assert len(load_catalogue(f"ssm:{NAME}").models) == count
        later(monkeypatch)


def test_the_parts_are_read_only_when_something_was_written(
    ssm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(ssm, NAME, many(60))
    first = load_catalogue(f"ssm:{NAME}")
    later(monkeypatch)
    asked: list[str] = []
    monkeypatch.setattr(adapter, "read_text", lambda *_: asked.append("parts"))
    assert load_catalogue(f"ssm:{NAME}") is first
    assert asked == []


def test_a_reader_between_two_writes_has_one_of_them(
    ssm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its head was replaced, and the parts it names are removed already."""
    store(ssm, NAME, many(60, "old"))
    old = ssm.get_parameter(Name=NAME)["Parameter"]["Value"]
    store(ssm, NAME, many(60, "new"))
    remove_old_parts(ssm, NAME, datetime.now(UTC) + timedelta(days=2))
    values = iter([old])
    ask = adapter._ssm_value
    monkeypatch.setattr(adapter, "_ssm_value", lambda name: next(values, None) or ask(name))
    assert "new-1" in load_catalogue(f"ssm:{NAME}").models


def test_parts_that_are_gone_are_a_mistake_that_is_named(ssm: Any) -> None:
    store(ssm, NAME, many(60))
    value = ssm.get_parameter(Name=NAME)["Parameter"]["Value"]
    ssm.delete_parameter(Name=part_names(NAME, value)[1])
    with pytest.raises(ConfigurationError, match=f"parts of the SSM parameter {NAME}"):
        load_catalogue(f"ssm:{NAME}")


def test_parts_that_were_changed_are_not_taken(ssm: Any) -> None:
    store(ssm, NAME, many(60))
    value = ssm.get_parameter(Name=NAME)["Parameter"]["Value"]
    part = part_names(NAME, value)[0]
    ssm.put_parameter(Name=part, Value="AAAA", Type="String", Overwrite=True)
    with pytest.raises(ConfigurationError, match="are not what was written"):
        load_catalogue(f"ssm:{NAME}")


def test_old_parts_stay_for_a_day_and_the_current_ones_for_ever(ssm: Any) -> None:
    store(ssm, NAME, many(60, "old"))
    old = part_names(NAME, ssm.get_parameter(Name=NAME)["Parameter"]["Value"])
    store(ssm, NAME, many(60, "new"))
    now = datetime.now(UTC)
    assert remove_old_parts(ssm, NAME, now) == []
    assert sorted(remove_old_parts(ssm, NAME, now + timedelta(days=2))) == sorted(old)
    value = ssm.get_parameter(Name=NAME)["Parameter"]["Value"]
    assert json.loads(read_text(ssm, NAME, value) or "") == json.loads(many(60, "new"))


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=30_000))
def test_whatever_is_packed_comes_back(content: bytes) -> None:
    text = json.dumps({"text": content.hex()})
    packed = pack(NAME, text)
    assert len(packed.value) <= MOST_CHARACTERS
    assert all(0 < len(part) <= PART_CHARACTERS for part in packed.parts.values())
    assert part_names(NAME, packed.value) == list(packed.parts)
    whole = joined(NAME, packed.value, packed.parts)
    assert whole is not None
    assert json.loads(unpacked(NAME, whole)) == json.loads(text)
    for part in packed.parts:
        rest = {name: value for name, value in packed.parts.items() if name != part}
        assert joined(NAME, packed.value, rest) is None
