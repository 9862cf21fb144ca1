"""What a request must hold, and what it is told where it does not."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from lakehouse.serving.asked import MOST_BYTES, MOST_CANDIDATES, RefusedError, Token, understood, whole

KEYS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.text())


def refused(body: bytes | object) -> str:
    with pytest.raises(RefusedError) as caught:
        understood(body if isinstance(body, bytes) else json.dumps(body).encode())
    assert caught.value.status == 400
    return caught.value.why


@given(KEYS, st.lists(KEYS, min_size=1, max_size=20, unique=True))
def test_integers_and_texts_come_as_they_were_sent(one: int | str, candidates: list[int | str]) -> None:
    found = understood(json.dumps({"customer": one, "candidates": candidates}).encode())
    assert (found.customer, found.candidates) == (one, candidates)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the body is no JSON"),
        (b"customer=1", "the body is no JSON"),
        (b'{"customer": "\xff", "candidates": [1]}', "the body is no JSON"),
        (b'{"customer": NaN, "candidates": [1]}', "the body is no JSON"),
        (b'{"customer": 1, "candidates": ' + b"[" * 100_000, "got `array`"),
        (b'{"customer": 1, "x": ' + b"[" * 100_000, "unknown field `x`"),
        ([], "got `array`"),
        ({"candidates": [1]}, "missing required field `customer`"),
        ({"customer": 1}, "missing required field `candidates`"),
        ({"customer": 1, "candidates": [1], "most": 3}, "unknown field `most`"),
        ({"customer": 1.5, "candidates": [1]}, "got `float` - at `$.customer`"),
        ({"customer": True, "candidates": [1]}, "got `bool` - at `$.customer`"),
        ({"customer": 1, "candidates": [1, None]}, "got `null` - at `$.candidates[1]`"),
        ({"customer": 1, "candidates": "ab"}, "got `str` - at `$.candidates`"),
        ({"customer": 2**63, "candidates": [1]}, "at `$.customer`"),
    ],
)
def test_what_is_not_understood_is_told_with_what_was_expected(body: bytes | object, told: str) -> None:
    why = refused(body)
    assert told in why
    assert 'expected {"customer": <integer or text>, "candidates": [<integers or texts>]}' in why


@pytest.mark.parametrize(
    ("candidates", "told"),
    [
        ([], "no candidates were sent; expected 1 to 1000"),
        (list(range(MOST_CANDIDATES + 1)), "1001 candidates were sent; expected 1 to 1000"),
        ([1, 2, 1, "a", "a"], "5 candidates were sent, 2 of them again; expected each once"),
    ],
)
def test_candidates_are_some_and_not_too_many_and_each_once(candidates: list[Any], told: str) -> None:
    assert refused({"customer": 1, "candidates": candidates}) == told


def test_a_number_is_not_the_text_of_it_and_the_most_candidates_are_taken() -> None:
    assert understood(b'{"customer": 1, "candidates": [1, "1"]}').candidates == [1, "1"]
    most = list(range(MOST_CANDIDATES))
    assert understood(json.dumps({"customer": 1, "candidates": most}).encode()).candidates == most


def test_what_a_sender_wrote_is_told_again_in_short_only() -> None:
    assert len(refused({"customer": 1, "candidates": [1], "x" * 10_000: 1})) < 500


async def _chunks(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


def test_a_body_is_read_up_to_its_most_whether_it_is_announced_or_not() -> None:
    assert len(asyncio.run(whole(_chunks(MOST_BYTES - 1, 1), None))) == MOST_BYTES
    with pytest.raises(RefusedError, match=r"the body has more than 1048576 bytes") as caught:
        asyncio.run(whole(_chunks(MOST_BYTES, 1), None))
    assert caught.value.status == 413
    with pytest.raises(RefusedError, match=r"the body has 2000000 bytes; expected at most 1048576"):
        asyncio.run(whole(_chunks(), "2000000"))


@pytest.mark.parametrize("sent", ["Bearer right-one", "bearer right-one", "BEARER  right-one "])
def test_the_token_lets_a_request_in(sent: str) -> None:
    Token(SecretStr("right-one")).check(sent)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (None, "no token was sent; expected the header"),
        ("", "no token was sent; expected the header"),
        ("Basic right-one", "what was sent is no bearer token; expected the header"),
        ("right-one", "what was sent is no bearer token; expected the header"),
        ("Bearer", "is another one"),
        ("Bearer right-on", "is another one"),
        ("Bearer right-one2", "is another one"),
        ("Bearer RIGHT-ONE", "is another one"),
        ("Bearer r\xefght-one", "is another one"),
    ],
)
def test_any_other_token_is_refused_without_being_told(sent: str | None, told: str) -> None:
    with pytest.raises(RefusedError, match=told) as caught:
        Token(SecretStr("right-one")).check(sent)
    assert caught.value.status == 401
    assert "right-on" not in caught.value.why


def test_tokens_are_compared_whole_whatever_their_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("lakehouse.serving.asked.hmac.compare_digest", compare)
    token = Token(SecretStr("right-one"))
    for sent in ("r", "right-on", "x" * 5000):
        with pytest.raises(RefusedError):
            token.check(f"Bearer {sent}")
    assert [(len(one), len(other)) for one, other in compared] == [(32, 32)] * 3


def test_a_token_is_not_shown() -> None:
    assert "right-one" not in f"{Token(SecretStr('right-one'))!r} {vars(Token(SecretStr('right-one')))}"
