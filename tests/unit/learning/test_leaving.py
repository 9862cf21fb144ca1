"""Who leaves: learnt from what each one did, and from nothing that came later."""

from datetime import date, timedelta
from random import Random

import pytest
from pyspark.sql import DataFrame, SparkSession

from lakehouse.errors import DataError
from lakehouse.learning.leaving import Leaving
from lakehouse.registry.known import Known
from tests.unit.learning.people import END, Event, events, frame, known

SINCE = END - timedelta(days=60)


class People(Leaving):
    """Of people who are numbers."""

    one, horizon_days, active_days, most_days, rounds = "id", 60, 120, 4, 40

    def events(self, known: Known) -> DataFrame:
        return known.table("events")

    def incidents(self, known: Known) -> DataFrame:
        return known.table("incidents").select("one", "at")


@pytest.fixture(scope="module")
def rows() -> list[Event]:
    return events()


def knowing(spark: SparkSession, rows: list[Event], until: date = END, bad: list[Event] | None = None) -> Known:
    return known(until, events=frame(spark, rows), incidents=frame(spark, bad or rows[:1]))


def test_it_learns_who_leaves_and_says_the_same_each_time(spark: SparkSession, rows: list[Event]) -> None:
    people, now = People(), knowing(spark, rows)
    trained = people.train(now.at(SINCE), None, 7)
    assert people.train(knowing(spark, rows[::-1]).at(SINCE), None, 7) == trained
    found = people.judge(trained, now, SINCE, 7)
    assert found.measures["auc"].value > 0.75
    assert sum(rows for _, _, rows in found.calibration) == found.rows
    scores = people.score(trained, now).toArrow().to_pylist()
    assert all(0 <= row["probability"] <= 1 for row in scores)
    ranked = sorted(scores, key=lambda row: -row["probability"])
    assert [row["decile"] for row in ranked] == sorted(row["decile"] for row in scores)


def test_with_shuffled_labels_it_knows_nothing(
    spark: SparkSession, rows: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Learnt from labels that say nothing, it must find nothing: else features would tell of the label itself."""
    genuine, random = Leaving._labelled, Random(3)

    def shuffled(self: Leaving, of: Known, days: list[date]) -> object:
        found = genuine(self, of, days)
        labels = found.column("left").to_pylist()
        random.shuffle(labels)
        return found.set_column(found.schema.get_field_index("left"), "left", [labels])

    monkeypatch.setattr(Leaving, "_labelled", shuffled)
    people, now = People(), knowing(spark, rows)
    auc = people.judge(people.train(now.at(SINCE), None, 7), now, SINCE, 7).measures["auc"]
    assert auc.low is not None
    assert auc.high is not None
    assert auc.low - 0.05 < 0.5 < auc.high + 0.05


def test_features_of_a_day_do_not_change_when_more_is_known(spark: SparkSession, rows: list[Event]) -> None:
    people, day = People(), date(2025, 11, 1)
    early = [row for row in rows if row[1].date() < day]
    bad = rows[::7]
    of_then = people._features(knowing(spark, early, day, [row for row in bad if row[1].date() < day]), [day])
    assert len(of_then) > 50
    assert people._features(knowing(spark, rows, END, bad), [day]) == of_then
    with pytest.raises(ValueError, match="2026-03-01 was asked for, and what is known ends with 2025-11-01"):
        knowing(spark, rows, day).at(END)


def test_what_cannot_be_learnt_from_is_told(spark: SparkSession, rows: list[Event]) -> None:
    people = People()
    with pytest.raises(DataError, match=r"nobody was active before 2024-01-01.*The last scores stay"):
        people.train(knowing(spark, rows, date(2024, 1, 1)), None, 7)
    constant = [(one, at + timedelta(days=20 * number), 1) for one, at, _ in rows[:1] for number in range(40)]
    with pytest.raises(DataError, match=r"all .* rows before 2026-03-01 stayed; expected some of each"):
        people.train(knowing(spark, constant), None, 7)
    with pytest.raises(DataError, match="all of them stayed or all left"):
        people.judge(people.train(knowing(spark, rows).at(SINCE), None, 7), knowing(spark, constant), SINCE, 7)


def test_files_of_other_features_are_refused(spark: SparkSession, rows: list[Event]) -> None:
    with pytest.raises(DataError, match=r"trained on \['x'\]; expected recency_days, .*Train it anew"):
        People().score({"about.json": b'{"features": ["x"]}'}, knowing(spark, rows))
