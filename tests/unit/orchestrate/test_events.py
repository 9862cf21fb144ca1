import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from lakehouse.orchestrate.events import Event, Failed, RunFinished, RunStarted, TableStarted, emit, line, parsed
from lakehouse.orchestrate.runs import Status, TableRun

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_events_of_many_threads_are_whole_lines(capfd: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda number: emit(Failed(message=f"{number} {'x' * 500}")), range(400)))
    found = [int(json.loads(text)["message"].split()[0]) for text in capfd.readouterr().out.splitlines()]
    assert sorted(found) == list(range(400))


@pytest.mark.parametrize(
    "event",
    [
        RunStarted(run_id="r", tables=("raw.a",), process=7, note="resumes"),
        TableStarted(table="raw.a", attempt=2),
        TableRun(table="raw.a", status=Status.SUCCEEDED, started_at=AT, snapshot=2**62, notes=("new column b",)),
        RunFinished(run_id="r", status=Status.FAILED, failed=2, note="not published", log="/logs/r.log"),
        Failed(message="the catalog is away", exit_code=3),
    ],
)
def test_an_event_comes_back_from_its_line(event: Event) -> None:
    assert parsed(line(event) + "\n") == event


def test_the_keys_that_machines_read_are_kept() -> None:
    text = line(TableRun(table="raw.a", status=Status.SUCCEEDED, started_at=AT, snapshot=12))
    assert text.startswith(
        '{"event": "table", "table": "raw.a", "status": "succeeded", "started_at": "2026-01-02T03:04:05'
    )
    assert list(json.loads(text)) == [
        "event", "table", "status", "started_at", "seconds", "rows_read", "merged", "superseded", "rejected", "tombstones",
        "snapshot", "attempts", "notes", "error", "exit_code", "retryable"]  # fmt: skip
    assert json.loads(text)["snapshot"] == "12"


@pytest.mark.parametrize(
    "text",
    [
        "26/01/02 WARN Utils: a warning",
        "",
        "{not json",
        '{"a": 1}',
        '{"event": "will be tried again", "level": "warning"}',
    ],
)
def test_what_others_print_is_no_event(text: str) -> None:
    assert parsed(text) is None
