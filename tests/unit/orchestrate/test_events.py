import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from lakehouse.orchestrate.application import emit


def test_events_of_many_threads_are_whole_lines(capfd: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda number: emit("table", {"number": number, "text": "x" * 500}), range(400)))
    found = [json.loads(line)["number"] for line in capfd.readouterr().out.splitlines()]
    assert sorted(found) == list(range(400))
