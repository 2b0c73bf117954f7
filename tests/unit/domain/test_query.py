"""The query of a request: what a route does not know is refused by name."""

import pytest

from vsl.domain.api.query import KNOWN_PARAMETERS, check_query
from vsl.domain.errors import InvalidRequest


@pytest.mark.parametrize("route", sorted(KNOWN_PARAMETERS))
def test_what_a_route_knows_passes_and_all_else_is_named(route: str) -> None:
    known = KNOWN_PARAMETERS[route]
    check_query(route, {name.replace("[]", "[x]"): ["1"] for name in known})
    with pytest.raises(InvalidRequest) as caught:
        check_query(route, {"colour": ["red"], "userID": ["u"], **{name: ["1"] for name in known}})
    assert [field for field, _ in caught.value.faults] == ["colour", "userID"]
    if "userId" in known:
        assert "Did you mean 'userId'?" in caught.value.message


def test_what_comes_twice_is_told() -> None:
    with pytest.raises(InvalidRequest, match="status comes twice"):
        check_query("GET /jobs", {"status": ["failed", "succeeded"]})


def test_no_text_of_a_user_is_repeated() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_query("GET /models", {"my secret prompt": ["x"]})
    assert "secret" not in caught.value.message


def test_a_page_for_people_takes_any() -> None:
    check_query("GET /docs", {"utm_source": ["mail"]})
