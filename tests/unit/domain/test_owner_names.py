"""Under which names a user's objects may lie, and that none of them tells of the user."""

import pytest

from tests.support.jobs import make_job
from tests.support.template import REPOSITORY
from vsl.domain.api.request import is_user_id
from vsl.domain.errors import ConfigurationError
from vsl.domain.jobs.object_keys import (
    JobPlace,
    media_prefix,
    record_key,
    thumbnail_prefix,
    upload_key,
)
from vsl.domain.jobs.owner_names import OWNER_NAME_SECRET, OwnerNames, read_owner_secrets

NEW, OLD = "n" * 32, "o" * 40
USER = "ann+test@example.com"
JOB = make_job(user_id=USER)
KEYS = (media_prefix(JOB), thumbnail_prefix(JOB), upload_key(USER, JOB.job_id))


def owners(text: str | None = f"{NEW}, {OLD}", *, opaque: bool = True) -> OwnerNames:
    return OwnerNames(opaque=opaque, secrets=lambda: text)


@pytest.mark.parametrize("key", KEYS)
def test_an_opaque_key_is_the_same_but_for_the_user(key: str) -> None:
    current = owners().current(key)
    assert "ann" not in current
    assert "example" not in current
    (named,) = set(current.split("/")) - set(key.split("/"))
    assert current.replace(named, "ann%2Btest%40example.com") == key
    assert len(named) == 33
    assert not is_user_id(named), "no user can be called so"


def test_a_user_has_one_name_and_no_two_have_the_same() -> None:
    def name(user: str, secret: str = NEW) -> str:
        return owners(secret).current(upload_key(user, "x"))

    assert name("ann") == name("ann")
    assert len({name("ann"), name("bob"), name("ann", OLD)}) == 3


@pytest.mark.parametrize("key", KEYS)
def test_what_was_stored_under_another_name_is_found(key: str) -> None:
    by_new, by_old = owners(NEW).current(key), owners(OLD).current(key)
    assert list(owners().every(key)) == [by_new, by_old, key]
    assert list(owners(opaque=False).every(key)) == [key, by_new, by_old]
    assert list(owners(None, opaque=False).every(key)) == [key]
    assert owners(opaque=False).current(key) == key


def test_a_key_that_names_no_user_has_one_place() -> None:
    key = record_key(JOB, 0)
    assert list(owners().every(key)) == [key]
    assert list(owners(None).every("")) == [""]


def test_every_prefix_of_a_job_has_its_places() -> None:
    all_of_it = JobPlace.of(JOB).prefixes
    places = [place for prefix in all_of_it for place in owners().every(prefix)]
    assert len(places) == 3 + 3 + 1
    assert set(all_of_it) <= set(places)


def test_the_secret_is_read_only_where_a_name_is_made_of_it() -> None:
    def unread() -> str:
        raise AssertionError

    plain = OwnerNames(opaque=False, secrets=unread)
    assert [plain.current(key) for key in KEYS] == list(KEYS)
    assert OwnerNames(opaque=True, secrets=unread).current(record_key(JOB, 0))


@pytest.mark.parametrize("text", [None, "", " , "])
def test_without_a_secret_nothing_is_stored_under_an_opaque_name(text: str | None) -> None:
    with pytest.raises(ConfigurationError, match="owner-name-secret holds no secret"):
        owners(text).current(KEYS[0])
    assert list(owners(text, opaque=False).every(KEYS[0])) == [KEYS[0]]


def test_a_secret_that_can_be_guessed_is_none_and_the_good_ones_work() -> None:
    with pytest.raises(ConfigurationError) as caught:
        owners("guess-me").current(KEYS[0])
    assert "guess-me" not in str(caught.value)
    pasted = f'guess-me,\n"{NEW}" , {OLD}\n'
    assert read_owner_secrets(pasted) == ([NEW, OLD], [1])
    assert owners(pasted).current(KEYS[0]) == owners(NEW).current(KEYS[0])


def test_the_functions_read_the_parameter_that_the_doctor_looks_at() -> None:
    wiring = (REPOSITORY / "layers/core/vsl/runtime/wiring.py").read_text()
    assert f'parameters().find("{OWNER_NAME_SECRET}")' in wiring
