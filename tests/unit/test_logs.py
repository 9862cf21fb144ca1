"""No secret reaches a log."""

import json
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from lakehouse import logs
from lakehouse.logs import Redaction

SECRETS = st.text(st.characters(codec="ascii", exclude_characters="[]"), min_size=4).filter(
    lambda text: text not in "[secret]"
)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@given(st.lists(SECRETS, min_size=1, max_size=4), st.text(max_size=5), st.text(max_size=5))
def test_no_known_secret_is_left_in_a_text_one_within_another_neither(
    secrets: list[str], before: str, after: str
) -> None:
    redaction = Redaction(secrets)
    for secret in secrets:
        assert secret not in redaction.text(f"{before} {secret} {after}".replace("[secret]", ""))


def test_the_longest_of_secrets_that_begin_alike_is_taken_out_whole() -> None:
    assert Redaction(["pass", "password-1"]).text("is password-1.") == "is [secret]."


def test_a_secret_is_no_pattern() -> None:
    assert Redaction([".*+?"]).text("all of this stays, .*+? goes") == "all of this stays, [secret] goes"


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_a_text_so_short_that_it_would_hide_words_is_left(secret: str) -> None:
    assert Redaction([secret]).text("abc and a") == "abc and a"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://reader:hidden@host:5432/db", "postgresql://reader:[secret]@host:5432/db"),
        ("see s3://bucket/a:b and http://u:p@h", "see s3://bucket/a:b and http://u:[secret]@h"),
        ("http://host:8080/path", "http://host:8080/path"),
    ],
)
def test_a_password_in_a_uri_is_taken_out_known_or_not(text: str, shown: str) -> None:
    assert Redaction().text(text) == shown


def test_secrets_are_taken_out_of_all_that_an_event_holds() -> None:
    event = {"event": "a hidden", "n": 5, "inner": {"list": ["hidden", 1], "pair": ("hidden", None)}}
    assert Redaction(["hidden"])(None, "info", event) == {
        "event": "a [secret]",
        "n": 5,
        "inner": {"list": ["[secret]", 1], "pair": ("[secret]", None)},
    }


def test_for_machines_an_event_is_a_line_of_json_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Redaction(["hidden"]), json_lines=True)
    structlog.get_logger().warning("late", password="hidden", rows=5)
    written = capsys.readouterr()
    assert written.out == ""
    event = json.loads(written.err)
    assert (event["event"], event["level"], event["password"], event["rows"]) == ("late", "warning", "[secret]", 5)
    assert event["timestamp"].endswith("Z")  # UTC


def test_the_secret_of_an_exception_is_taken_out_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Redaction(["hidden"]))
    try:
        raise ValueError("of hidden")
    except ValueError:
        structlog.get_logger().exception("failed")
    written = capsys.readouterr().err
    assert "ValueError: of [secret]" in written
    assert "Traceback" in written
    assert "hidden" not in written
