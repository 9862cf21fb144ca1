"""Runs over files that are killed at random points, ten times, and run again: nothing lost, nothing twice."""

import time
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from scripts.demo_data.platform import clicks
from scripts.demo_data.platform.landing import Landing
from scripts.services.control import Services
from tests.e2e.conftest import Sandbox
from tests.oracles import platform as oracle

pytestmark = pytest.mark.timeout(900)
KILLS, SCALE = 10, 0.1


def test_after_ten_kills_each_line_is_there_once_and_each_event_counts_once(
    make_sandbox: Callable[..., Sandbox], services: Services
) -> None:
    sandbox, random = make_sandbox(domain="platform", **services.env), Random(7)
    landing = Landing(sandbox.home / "landing")
    clicks.load(landing, SCALE)
    only = ("--tables", "clicks", "--layers", "raw,silver")
    for _ in range(KILLS):
        process = sandbox.start(*only)
        time.sleep(random.uniform(0.5, 8))
        sandbox.kill(process)
        if random.random() < 0.5:
            clicks.play_day(landing, SCALE)
    sandbox.pipeline(*only)
    lines = Counter(sandbox.sql("SELECT source_file, source_line FROM raw.clicks"))
    assert max(lines.values()) == 1
    assert Counter(file for file, _ in lines) == oracle.lines(landing.folder, "clicks/day=*/*.jsonl*")
    held = {event for (event,) in sandbox.sql("SELECT event_id FROM silver.clicks")}
    assert held == {event["event_id"] for event in oracle.events(landing.folder)}
