"""What an API may answer instead of a page, and what becomes of it. The API is a fake in this process."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from tenacity import RetryCallState

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.sources.rest import trying
from lakehouse.sources.rest.client import Answer, Client
from lakehouse.sources.rest.settings import Settings
from lakehouse.sources.rest.trying import seconds_to_wait
from tests.fake_api import FakeApi, Fault

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OAUTH = {"client_id": "me", "client_secret": "secret-of-mine", "scope": "read"}


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits (seconds) that were asked for; none is waited."""
    found: list[float] = []
    asked_for = trying._wait

    def wait(state: RetryCallState) -> float:
        found.append(asked_for(state))
        return 0.0

    monkeypatch.setattr(trying, "_wait", wait)
    return found


def get(api: FakeApi, path: str = "records", **more: Any) -> Answer:
    client = Client(api.settings(**more), "ingesting answers")
    try:
        return client.get(path, {"a": "b"})
    finally:
        client.close()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again_as_often_as_the_profile_says(api: FakeApi, status: int) -> None:
    api.faults.extend([Fault(status), Fault(status)])
    assert get(api).text.startswith(b'{"meta"')
    assert len(api.asked) == 3
    api.faults.extend([Fault(status)] * 3)
    with pytest.raises(SourceUnavailableError, match=f"ingesting answers: the API at .* answers {status}"):
        get(api)


def test_the_server_says_after_how_long_it_is_asked_again(api: FakeApi, waits: list[float]) -> None:
    api.faults.extend([Fault(429, headers={"Retry-After": "7"}), Fault(503)])
    get(api)
    assert waits[0] == 7
    assert 0 <= waits[1] <= 20
    api.faults.append(Fault(429, headers={"Retry-After": "3600"}))
    with pytest.raises(
        SourceUnavailableError, match=r"to be left alone for 3,600 s, longer than most_wait_s \(120 s\)"
    ):
        get(api)
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, None),
        ("12", 12),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_a_number_or_a_moment(said: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(said, NOW) == seconds


@pytest.mark.parametrize(
    "fault",
    [Fault(cut=True), Fault(body=b"<html>busy</html>"), Fault(body=b'{"data": ['), Fault(body=b"\xff")],
    ids=["cut", "html", "half", "bytes"],
)
def test_an_answer_that_is_cut_off_or_no_json_is_asked_for_again(api: FakeApi, fault: Fault) -> None:
    api.faults.append(fault)
    assert get(api).text.endswith(b"}")
    assert len(api.asked) == 2


def test_a_server_that_is_away_is_told_without_a_secret(api: FakeApi) -> None:
    gone = api.settings(url="http://127.0.0.1:1/v1", token="secret-word")
    with pytest.raises(SourceUnavailableError, match="does not answer: ConnectionError") as told:
        Client(gone, "ingesting answers").get("records", {})
    assert "secret-word" not in str(told.value) + repr(gone)


def test_each_way_to_say_who_comes_is_sent_and_no_secret_is_told(api: FakeApi) -> None:
    api.token = "secret-word"
    get(api, token="secret-word")
    get(api, headers={"Authorization": "Bearer secret-word"}, query={"key": "secret-key"})
    assert api.asked[-1] == {"a": "b", "key": "secret-key"}
    for wrong in ({}, {"token": "wrong-secret"}, {"user": "ann", "password": "wrong-secret"}):
        with pytest.raises(SourceError, match="answers 401 Unauthorized; expected credentials") as told:
            get(api, **wrong)
        assert "wrong-secret" not in str(told.value)
        assert not told.value.retryable
    assert api.seen[-1]["Authorization"].startswith("Basic ")


def test_a_token_is_had_for_client_credentials_once_and_anew_when_it_is_not_taken_any_more(api: FakeApi) -> None:
    api.token = "first"
    token_url = f"http://127.0.0.1:{api.port}/token"
    client = Client(api.settings(token_url=token_url, **OAUTH), "ingesting answers")
    client.get("records", {})
    client.get("records", {})
    assert api.tokens == 1
    api.token = "second"
    client.get("records", {})
    assert (api.tokens, api.seen[-1]["Authorization"]) == (2, "Bearer second")
    client.close()


def test_a_server_of_tokens_that_is_busy_is_asked_again_and_one_that_refuses_is_told(api: FakeApi) -> None:
    api.token = "t"
    token_url = f"http://127.0.0.1:{api.port}/token"
    api.faults.append(Fault(503))
    get(api, token_url=token_url, **OAUTH)
    assert api.tokens == 2
    with pytest.raises(SourceError, match=r"/token, which hands out tokens, refuses client 'me' \(401") as told:
        get(api, token_url=token_url, **{**OAUTH, "client_secret": "wrong-secret"})
    assert "wrong-secret" not in str(told.value)
    api.faults.append(Fault(200, body=b"{}"))
    with pytest.raises(SourceError, match="answers 200 and no token; expected JSON with access_token"):
        get(api, token_url=token_url, **OAUTH)


def test_what_is_not_there_elsewhere_or_wrongly_asked_is_told(api: FakeApi) -> None:
    with pytest.raises(SourceError, match=r"has no /v1/recods \(404 Not Found\)\. Correct `relation`"):
        get(api, "recods")
    api.faults.append(Fault(301, headers={"Location": "https://other.example/x?key=secret"}))
    with pytest.raises(SourceError, match=r"what is asked for is at other\.example now") as told:
        get(api)
    assert "secret" not in str(told.value)
    api.faults.append(Fault(400, body=b'{"error": "updated_after:\n no date"}'))
    with pytest.raises(SourceError, match=r'answers 400 Bad Request: \{"error": "updated_after: no date"\}'):
        get(api)


def test_a_link_to_another_server_is_not_followed(api: FakeApi) -> None:
    client = Client(api.settings(), "ingesting answers")
    assert client.follow("/v1/records?start=3", "records").text
    assert client.follow("?start=3", "records").text
    assert api.asked[-2:] == [{"start": "3"}, {"start": "3"}]
    with pytest.raises(SourceError, match=r"its next page is at evil\.example; expected the same server"):
        client.follow("http://evil.example/v1/records", "records")
    client.close()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"url": "ftp://x"}, "expected https://host/path"),
        ({"url": "https://ann:pw@x/v1"}, "expected it in `user` and `password`"),
        ({"token": "t", "user": "u", "password": "p"}, "found token and user"),
        ({"user": "u"}, "`user` and `password` go together"),
        ({"token_url": "https://x/token"}, "go together"),
        ({"retries": 3}, "Extra inputs"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings.model_validate({"type": "rest", "url": "https://x/v1", **more})
