"""History against a small model of it: versions seen in any order, late corrections, deletes and returns."""

import itertools
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lakehouse.silver.contract import FAILURE_TYPE, FAILURES
from lakehouse.silver.decide import CONTENT, content_of
from lakehouse.silver.history import books_of, versions
from lakehouse.silver.history_here import versions_here
from lakehouse.testing import local_frame

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = "id int, at timestamp, value string, _run_id string, _ingested_at timestamp, _op string, _misfits string"


@dataclass(frozen=True)
class Seen:
    """What one look at the source showed of one key: a version stamped ``at``, or, without one, that it is gone."""

    key: int
    at: int | None
    value: str


def moment(minutes: int | None) -> datetime | None:
    return None if minutes is None else T0 + timedelta(minutes=minutes)


def frame(spark: SparkSession, looks: list[list[Seen]]):  # type: ignore[no-untyped-def]
    rows = []
    for number, look in enumerate(looks):
        seen_at = T0 + timedelta(minutes=10 * number, seconds=30)
        for seen in look:
            op = "delete" if seen.at is None else "upsert"
            rows.append((seen.key, moment(seen.at), seen.value, f"run-{number}", seen_at, op, None))
    nothing = F.array().cast(FAILURE_TYPE)
    return local_frame(spark, rows, SCHEMA).withColumn(FAILURES, nothing)


def found(spark: SparkSession, looks: list[list[Seen]]) -> dict[int, list[tuple[datetime, datetime | None, str, bool]]]:
    """The versions of each key, on which Spark and the driver must agree, books included."""
    checked = frame(spark, looks)
    by_spark = versions(checked, ["id"], "at")
    here = checked.withColumn(CONTENT, content_of(checked)).toArrow()
    by_driver, books = versions_here(here, ["id"], "at")
    assert books == books_of(checked, by_spark, "at")
    columns = ["id", "valid_from", "valid_to", "value", "is_current"]
    told = sorted(map(repr, by_driver.of(here).select(columns).to_pylist()))
    assert told == sorted(map(repr, by_spark.select(columns).toArrow().to_pylist()))
    by_key = defaultdict(list)
    for row in by_spark.collect():
        start, end = row["valid_from"].astimezone(UTC), row["valid_to"] and row["valid_to"].astimezone(UTC)
        by_key[row["id"]].append((start, end, row["value"], row["is_current"]))
    return {key: sorted(rows) for key, rows in by_key.items()}


def model(looks: list[list[Seen]]) -> dict[int, list[tuple[datetime, datetime | None, str, bool]]]:
    """One look after the other: lives of a key, each a dictionary from when to what, ended by a delete."""
    lives: dict[int, list[tuple[dict[datetime, tuple[datetime, str]], datetime | None]]] = defaultdict(list)
    latest: dict[int, datetime] = {}
    for number, look in enumerate(looks):
        seen_at = T0 + timedelta(minutes=10 * number, seconds=30)
        for seen in look:
            mine = lives[seen.key]
            if seen.at is None:
                ended = seen_at
                if seen.key in latest:
                    ended = max(seen_at, latest[seen.key] + timedelta(microseconds=len(mine) or 1))
                if not mine or mine[-1][1] is not None:
                    mine.append(({}, None))
                mine[-1] = (mine[-1][0], ended)
                latest[seen.key] = max(latest.get(seen.key, seen_at), seen_at)
                continue
            at = moment(seen.at)
            assert at is not None
            if not mine or mine[-1][1] is not None:
                mine.append(({}, None))
            before = max((end for _, end in mine if end is not None), default=None)
            start = at if before is None else max(at, before)
            known = mine[-1][0].get(start)
            if known is None or known[0] <= at:
                mine[-1][0][start] = (at, seen.value)
            latest[seen.key] = max(latest.get(seen.key, at), at)
    result: dict[int, list[tuple[datetime, datetime | None, str, bool]]] = {}
    for key, mine in lives.items():
        rows: list[tuple[datetime, datetime | None, str, bool]] = []
        for held_versions, gone in mine:
            starts = sorted(held_versions)
            for begin, following in zip(starts, [*starts[1:], None], strict=True):
                valid_to = following or gone
                rows.append((begin, valid_to, held_versions[begin][1], valid_to is None))
        if rows:
            result[key] = sorted(rows)
    return result


@st.composite
def histories(draw: st.DrawFn) -> list[list[Seen]]:
    """Seven looks at a source with many keys: each is seen, gone, or unchanged; a delete follows a version.

    Many keys at once, each with a history of its own: one job of Spark then serves for all of them.
    """
    random = draw(st.randoms(use_true_random=False))
    looks, alive, number = [], set(), 0
    for _ in range(7):
        look = []
        for key in range(60):
            action = random.choice(["version", "version", "delete", "nothing"])
            if action == "delete" and key in alive:
                look.append(Seen(key, None, ""))
                alive.discard(key)
            elif action == "version":
                number += 1
                look.append(Seen(key, random.randint(-20, 80), f"v{number}"))
                alive.add(key)
        looks.append(look)
    return looks


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks=histories())
def test_history_equals_the_model_and_no_versions_overlap(spark: SparkSession, looks: list[list[Seen]]) -> None:
    history = found(spark, looks)
    assert history == model(looks)
    for rows in history.values():
        for (_, end, _, _), (start, _, _, _) in itertools.pairwise(rows):
            assert end is not None
            assert end <= start
        assert all(end is None or start < end for start, end, _, _ in rows)


def test_a_late_correction_takes_its_place(spark: SparkSession) -> None:
    looks = [[Seen(1, 0, "first")], [Seen(1, 20, "third")], [Seen(1, 10, "second, late")]]
    assert found(spark, looks)[1] == [
        (moment(0), moment(10), "first", False),
        (moment(10), moment(20), "second, late", False),
        (moment(20), None, "third", True),
    ]


def test_a_delete_closes_the_last_version_and_a_return_begins_anew(spark: SparkSession) -> None:
    looks = [[Seen(1, 0, "first")], [Seen(1, None, "")], [Seen(1, 5, "back")]]
    deleted = T0 + timedelta(minutes=10, seconds=30)
    assert found(spark, looks)[1] == [(moment(0), deleted, "first", False), (deleted, None, "back", True)]
