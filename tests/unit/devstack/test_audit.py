"""The audit of the lock file: what it says offline, and what it lets pass."""

from pathlib import Path

import httpx
import pytest

from devstack.audit import main, unreachable, unverifiable

HASHED = {"url": "https://files.example/a.whl", "hash": "sha256:00"}
REGISTRY = {"registry": "https://packages.example/simple"}


def lock(**package: object) -> dict[str, object]:
    return {"package": [{"name": "a", "source": REGISTRY, "wheels": [HASHED], **package}]}


def test_a_package_with_a_registry_and_hashes_is_fine() -> None:
    assert unverifiable(lock()) == []


@pytest.mark.parametrize(
    "package",
    [
        {"source": {"git": "https://example/a.git"}},
        {"source": {"registry": "http://packages.example/simple"}},
        {"wheels": []},
        {"wheels": [HASHED, {"url": "https://files.example/b.whl"}]},
        {"sdist": {"url": "https://files.example/a.tar.gz", "hash": "md5:00"}},
    ],
)
def test_what_the_lock_file_does_not_pin_is_told(package: dict[str, object]) -> None:
    assert len(unverifiable(lock(**package))) == 1


def test_our_own_lock_file_is_pinned_and_offline_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main({}, reach=lambda: "ConnectError") == 0
    assert "NOT audited for known vulnerabilities" in capsys.readouterr().err


def test_offline_fails_where_the_audit_is_required() -> None:
    assert main({"VSL_AUDIT": "required"}, reach=lambda: "ConnectError") == 1


def test_an_unpinned_package_fails_before_anything_is_asked(tmp_path: Path) -> None:
    bad = tmp_path / "uv.lock"
    bad.write_text('[[package]]\nname = "a"\nsource = { git = "https://example/a.git" }\n')
    assert main({}, lock=bad, reach=lambda: pytest.fail("asked")) == 1


@pytest.mark.parametrize("code", [0, 1])
def test_online_the_answer_is_the_auditor_s(code: int) -> None:
    assert main({}, reach=lambda: None, audit=lambda: code) == code


@pytest.mark.parametrize(("status", "reason"), [(200, None), (503, "HTTP 503")])
def test_reach_is_what_the_database_answers(status: int, reason: str | None) -> None:
    assert unreachable(httpx.MockTransport(lambda _: httpx.Response(status))) == reason


def test_no_network_is_a_reason() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    assert unreachable(httpx.MockTransport(refuse)) == "ConnectError"
