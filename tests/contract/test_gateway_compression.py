"""Answers are compressed as API Gateway does it: from a size, and only for clients that ask for it."""

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any

import pytest

from devstack.gateway.compression import compressed
from devstack.gateway.responses import Answer
from tests.support.front import Backend, Front, api_document, header

LONG = "a long answer " * 500


def answering(body: str, headers: Mapping[str, str] | None = None) -> Front:
    output = json.dumps({"statusCode": 200, "headers": headers or {}, "body": body}).encode()
    return Front(Backend(function=lambda _event: (output, False)))


def ask(front: Front, accept: str | None) -> Answer:
    return front.send(
        "GET", "/models", headers={} if accept is None else {"accept-encoding": accept}
    )


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate, br, zstd", "gzip"),
        ("deflate, gzip", "deflate"),
        ("gzip;q=0.5, deflate", "deflate"),
        ("GZIP", "gzip"),
        ("br, gzip;q=0.9", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=x", None),
        ("*", None),
        ("", None),
        (None, None),
    ],
)
def test_the_coding_the_client_likes_best_counts(accept: str | None, coding: str | None) -> None:
    answer = ask(answering(LONG), accept)
    assert header(answer, "Content-Encoding") == coding
    decode: Any = {"gzip": gzip.decompress, "deflate": zlib.decompress, None: bytes}[coding]
    assert decode(answer.body) == LONG.encode()
    assert (len(answer.body) < len(LONG)) == (coding is not None)


def test_the_document_says_from_which_size() -> None:
    minimum = api_document().minimum_compression
    assert minimum is not None
    for size, coding in ((minimum - 1, None), (minimum, "gzip")):
        assert header(ask(answering("x" * size), "gzip"), "Content-Encoding") == coding
    plain = Answer(200, LONG.encode())
    assert compressed(plain, "gzip", None) is plain


def test_what_is_compressed_already_stays_as_it_is() -> None:
    answer = ask(answering(LONG, {"content-encoding": "br"}), "gzip")
    assert header(answer, "Content-Encoding") == "br"
    assert answer.body == LONG.encode()
