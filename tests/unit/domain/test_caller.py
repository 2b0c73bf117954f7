"""Whose token it is, and who may see what: one user sees its own, a trusted back end whatever it names."""

import pytest

from vsl.domain.api.caller import Caller, token_subject
from vsl.domain.errors import Forbidden, InvalidRequest, JobNotFound


def test_a_token_speaks_for_its_subject_alone() -> None:
    assert Caller(subject="ann").require_user() == "ann"
    assert Caller(subject="ann", named="ann").require_user() == "ann"
    with pytest.raises(Forbidden):
        Caller(subject="ann", named="bob")


def test_a_back_end_may_name_anybody_and_then_sees_that_user_alone() -> None:
    assert Caller().may_see("ann")
    assert Caller(named="ann").may_see("ann")
    assert not Caller(named="ann").may_see("bob")


def test_who_lists_has_to_say_for_whom() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Caller().require_user()
    assert caught.value.details["fields"] == [{"field": "userId", "message": "is required"}]


@pytest.mark.parametrize("named", ["", "a b", "../x", "ann\r\nX-Other: 1", "x" * 129])
def test_a_name_that_is_no_user_id_is_refused(named: str) -> None:
    with pytest.raises(InvalidRequest):
        Caller(named=named)


def test_a_stranger_reads_the_same_as_for_a_job_that_never_was() -> None:
    with pytest.raises(JobNotFound) as caught:
        Caller(subject="bob").check("some-id", "ann")
    assert caught.value.message == "There is no job with this id."


ID_TOKEN = {"sub": "ann", "aud": "app-1", "token_use": "id"}


def test_an_identity_token_for_a_known_client_tells_its_subject() -> None:
    assert token_subject(ID_TOKEN, ["app-1"]) == "ann"
    assert token_subject(ID_TOKEN | {"email": "ann@example.com"}, ["app-2", "app-1"]) == "ann"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "app-2"},
        {"aud": ""},
        {"aud": None},
        {"aud": "app"},
        {"aud": ["app-1"]},
        {"aud": "", "client_id": "app-1"},
        {"token_use": "access"},
        {"token_use": "access", "client_id": "app-1"},
        {"token_use": ""},
        {"token_use": None},
        {"sub": ""},
        {"sub": None},
    ],
)
def test_any_other_token_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(Forbidden):
        token_subject(ID_TOKEN | changed, ["app-1"])


@pytest.mark.parametrize("clients", [(), ("",)])
def test_without_known_clients_no_token_is_good(clients: tuple[str, ...]) -> None:
    for claims in (ID_TOKEN, ID_TOKEN | {"aud": ""}, {}):
        with pytest.raises(Forbidden):
            token_subject(claims, clients)
