"""Who may see what: one user sees its own, a trusted back end whatever it names."""

import pytest

from vsl.domain.caller import Caller
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
