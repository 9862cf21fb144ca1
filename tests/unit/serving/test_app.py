"""The endpoints, asked over HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from structlog.testing import capture_logs

from lakehouse.serving.asked import MOST_BYTES
from tests.unit.serving.served import SINCE, TOKEN, UNKNOWN_SCORE, Kept, Served, serving

ASKED = {"customer": 7, "candidates": [3, 9, 5]}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server whose champion is version 1."""
    store = Kept()
    store.promote()
    with serving(store) as found:
        yield found


def test_candidates_come_back_best_first_with_the_version_that_said_so(served: Served) -> None:
    answer = served.rank(ASKED)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "model": "ranking",
        "version": 1,
        "as_of": SINCE.isoformat(),
        "ranking": [{"candidate": 9, "score": 1.09}, {"candidate": 5, "score": 1.05}, {"candidate": 3, "score": 1.03}],
    }


def test_who_and_what_is_unknown_is_answered_and_unknown_candidates_are_last(served: Served) -> None:
    answer = served.rank({"customer": "nobody", "candidates": ["nothing", 2, "né"]})
    assert answer.status_code == 200
    assert [(row["candidate"], row["score"]) for row in answer.json()["ranking"]] == [
        (2, 1.02), ("nothing", UNKNOWN_SCORE), ("né", UNKNOWN_SCORE)]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"customer": 7, "candidates": []}, "no candidates were sent; expected 1 to 1000"),
        ({"customer": 7, "candidates": [1, 1]}, "2 candidates were sent, 1 of them again"),
        ({"customer": 7, "candidates": [1], "most": 1}, "unknown field `most`"),
        ({"customer": None, "candidates": [1]}, "got `null` - at `$.customer`"),
    ],
)
def test_bad_input_is_400_with_what_was_found(served: Served, content: object, told: str) -> None:
    answer = served.rank(content)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert told in answer.json()["error"]


def test_no_json_and_no_body_are_400(served: Served) -> None:
    for body in (b"", b"customer=7"):
        answer = served.rank(data=body)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("the body is no JSON")


def test_too_large_a_body_is_413_whether_it_is_announced_or_comes_in_chunks(served: Served) -> None:
    body = b" " * (MOST_BYTES + 1)
    announced = served.rank(data=body)
    assert (announced.status_code, announced.json()["error"]) == (
        413, "the body has 1048577 bytes; expected at most 1048576")  # fmt: skip
    chunked = served.rank(data=iter([body[:MOST_BYTES], body[MOST_BYTES:]]))
    assert (chunked.status_code, chunked.json()["error"]) == (
        413, "the body has more than 1048576 bytes; expected at most that many")  # fmt: skip
    assert served.rank(ASKED).status_code == 200


@pytest.mark.parametrize("token", [None, "", "another", TOKEN[:-1], TOKEN + "x", TOKEN.upper()])
def test_without_the_token_it_is_401_whatever_else_is_wrong(served: Served, token: str | None) -> None:
    for body in (b"no JSON", b'{"customer": 7, "candidates": [1]}'):
        answer = served.rank(data=body, token=token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "expected" in answer.json()["error"]
        assert TOKEN not in answer.text


def test_other_paths_and_methods_are_told_what_there_is(served: Served) -> None:
    for answer, status in ((served.get("/docs"), 404), (served.get("/openapi.json"), 404), (served.get("/rank"), 405)):
        assert answer.status_code == status
        assert answer.json()["error"].endswith("expected POST /rank, GET /health or GET /metrics")


def test_a_fault_of_the_ranker_is_500_and_told_in_the_log_alone(served: Served) -> None:
    with capture_logs() as logs:
        answer = served.rank({"customer": "fault", "candidates": [1]})
    assert (answer.status_code, answer.json()) == (500, {"error": "ranking failed; the server's log says why"})
    (line,) = logs
    assert (line["event"], repr(line["exc_info"])) == ("ranking failed", "ZeroDivisionError('a fault of the ranker')")
    assert TOKEN not in str(logs)
    assert served.rank(ASKED).status_code == 200


def test_health_needs_no_token_and_names_the_version(served: Served) -> None:
    answer = served.get("/health")
    told = answer.json()
    assert answer.status_code == 200
    assert datetime.fromisoformat(told.pop("loaded_at")).utcoffset() is not None
    assert told == {"status": "ok", "model": "ranking", "version": 1, "as_of": SINCE.isoformat()}


def test_metrics_count_requests_by_status_and_each_server_has_its_own(served: Served) -> None:
    served.rank(ASKED)
    with serving() as other:
        assert other.metric('lakehouse_ranking_requests_total{status="200"}') == 0
        before = served.metric("lakehouse_ranking_seconds_count")
        ranked, refused = (
            served.metric(f'lakehouse_ranking_requests_total{{status="{status}"}}') for status in (200, 401)
        )
        served.rank(ASKED)
        served.rank(ASKED, token=None)
        assert served.metric('lakehouse_ranking_requests_total{status="200"}') == ranked + 1
        assert served.metric('lakehouse_ranking_requests_total{status="401"}') == refused + 1
        assert served.metric("lakehouse_ranking_seconds_count") == before + 2
        assert served.metric("lakehouse_ranking_champion_version") == 1
        assert other.metric("lakehouse_ranking_champion_version") == 0


def test_without_a_champion_it_is_503_until_there_is_one() -> None:
    with serving() as served:
        for answer in (served.rank(ASKED), served.get("/health")):
            assert answer.status_code == 503
            assert answer.json()["error"].startswith("model ranking has no champion yet; expected")
        assert served.rank({"customer": 7}).status_code == 400
        served.store.promote()
        served.store.await_looks(2)
        assert served.rank(ASKED).json()["version"] == 1
        assert served.get("/health").json()["status"] == "ok"


def test_a_first_version_that_cannot_be_loaded_is_503_with_the_reason_in_health() -> None:
    store = Kept()
    store.promote({})
    with serving(store) as served:
        assert served.rank(ASKED).json()["error"].endswith("loading its champion failed, and is tried again")
        answer = served.get("/health")
        assert answer.status_code == 503
        assert answer.json()["reload_error"].startswith("version 1 of model ranking cannot be loaded")


def test_a_reload_that_fails_keeps_the_old_version_and_is_counted_and_shown() -> None:
    store = Kept()
    store.promote()
    with serving(store) as served:
        store.promote({})
        store.await_looks(3)
        assert served.rank(ASKED).json()["version"] == 1
        health = served.get("/health")
        assert (health.status_code, health.json()["version"]) == (200, 1)
        assert "version 2 of model ranking cannot be loaded" in health.json()["reload_error"]
        assert served.metric("lakehouse_ranking_failed_reloads_total") >= 2
        assert served.metric("lakehouse_ranking_reloads_total") == 1
        store.promote()
        store.await_looks(2)
        assert served.rank(ASKED).json()["version"] == 3
        assert "reload_error" not in served.get("/health").json()
        assert served.metric("lakehouse_ranking_champion_version") == 3


def test_versions_change_under_requests_and_each_answer_is_of_one() -> None:
    store = Kept()
    store.promote()

    def asks(own: Served, number: int) -> set[int]:
        """The versions that answered 25 requests; one of the senders has two more promoted meanwhile."""
        found = set()
        for place in range(25):
            if number == 0 and place in (8, 16):
                store.promote()
                store.await_looks(2)
            answer = own.rank({"customer": 7, "candidates": list(range(40))})
            assert answer.status_code == 200, answer.text
            version = answer.json()["version"]
            assert all(row["score"] == version + row["candidate"] / 100 for row in answer.json()["ranking"])
            found.add(version)
        return found

    with serving(store) as own, ThreadPoolExecutor(8) as senders:
        seen = list(senders.map(lambda number: asks(own, number), range(8)))
        assert seen[0] == {1, 2, 3}
        assert own.metric('lakehouse_ranking_requests_total{status="200"}') == 200
        assert own.metric("lakehouse_ranking_reloads_total") == 3
