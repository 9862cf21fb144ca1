"""The gold transformers of `engagement`, rows in, rows out, against numbers worked out by hand and the oracle."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from lakehouse.registry import loader
from lakehouse.registry.transformers import Transformer
from lakehouse.testing import local_frame
from tests.oracles import engagement as oracle

REGISTRY = Path(__file__).resolve().parents[3] / "registry"
ACTIVITY = ("user_id string, date date, total_nbr_connexion int, total_spend_time bigint, "
            "total_message_send_this_day int, total_money_spend double")  # fmt: skip


@pytest.fixture(scope="module")
def transformers() -> dict[str, Transformer]:
    return loader.load(REGISTRY).transformers


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def events(spark: SparkSession, *rows: tuple[str, str, str]) -> DataFrame:
    typed = [(user, at(moment), session) for user, moment, session in rows]
    return local_frame(spark, typed, "user_id string, event_time timestamp, session_id string")


def activity(
    spark: SparkSession,
    transformer: Transformer,
    found: DataFrame,
    messages: Any = (),
    purchases: Any = (),
    parts: DataFrame | None = None,
) -> DataFrame:
    return transformer.function(
        events=found,
        messages=local_frame(spark, list(messages), "user_id string, created_at timestamp"),
        purchases=local_frame(
            spark, list(purchases), "user_id string, purchase_time timestamp, amount decimal(18,4), currency string"
        ),
        reporting_currency="EUR",
        currency_rates=local_frame(
            spark, [("USD", 1.0), ("EUR", 0.5), ("JPY", 100.0)], "currency string, units_per_usd double"
        ),
        parts=parts,
    )


def test_a_session_across_midnight_is_split_and_counted_on_the_day_it_begins(
    spark: SparkSession, transformers: Any
) -> None:
    found = events(spark, ("u", "2026-01-01T23:50:00", "s"), ("u", "2026-01-02T00:20:00", "s"))
    expected = local_frame(
        spark, [("u", date(2026, 1, 1), 1, 600, 0, 0.0), ("u", date(2026, 1, 2), 0, 1200, 0, 0.0)], ACTIVITY
    )
    result = activity(spark, transformers["global_user_activity_per_day"], found)
    assert_df_equality(result, expected, ignore_row_order=True, ignore_nullable=True)


def test_events_out_of_order_and_sent_twice_make_one_session(spark: SparkSession, transformers: Any) -> None:
    found = events(
        spark, ("u", "2026-01-01T10:30:00", "s"), ("u", "2026-01-01T10:00:00", "s"), ("u", "2026-01-01T10:00:00", "s")
    )
    result = activity(spark, transformers["global_user_activity_per_day"], found)
    assert [tuple(row) for row in result.collect()] == [("u", date(2026, 1, 1), 1, 1800, 0, 0.0)]


def test_money_is_converted_and_messages_are_counted_by_day(spark: SparkSession, transformers: Any) -> None:
    result = activity(
        spark, transformers["global_user_activity_per_day"], events(spark),
        messages=[("u", at("2026-01-01T23:59:59")), ("u", at("2026-01-02T00:00:00")), (None, at("2026-01-02T00:00:00"))],
        purchases=[
            ("u", at("2026-01-02T05:00:00"), Decimal("200"), "JPY"),
            ("u", at("2026-01-02T06:00:00"), Decimal("3"), "EUR"),
        ],
    )  # fmt: skip
    assert sorted(map(tuple, result.collect())) == [
        ("u", date(2026, 1, 1), 0, 0, 1, 0.0), ("u", date(2026, 1, 2), 0, 0, 1, 4.0)]  # fmt: skip


def test_a_part_has_the_sessions_that_only_pass_through_its_day(spark: SparkSession, transformers: Any) -> None:
    found = events(
        spark, ("u", "2026-01-01T12:00:00", "s"), ("u", "2026-01-03T12:00:00", "s"), ("v", "2026-01-02", "t")
    )
    second = local_frame(spark, [("u", date(2026, 1, 2))], "user_id string, date date")
    result = activity(spark, transformers["global_user_activity_per_day"], found, parts=second)
    assert ("u", date(2026, 1, 2), 0, 86400, 0, 0.0) in map(tuple, result.collect())
    assert {row["user_id"] for row in result.collect()} == {"u"}


def test_a_changed_event_touches_the_days_of_its_session_alone(spark: SparkSession, transformers: Any) -> None:
    follow = transformers["global_user_activity_per_day"].touched["events"]
    found = events(
        spark, ("u", "2026-01-01T12:00:00", "s"), ("u", "2026-01-03T12:00:00", "s"), ("u", "2026-01-09", "t")
    )
    touched = follow(found.limit(1), {"events": found}).collect()
    assert sorted(map(tuple, touched)) == [("u", date(2026, 1, day)) for day in (1, 2, 3)]


def test_a_changed_event_touches_only_notifications_that_its_session_answered(
    spark: SparkSession, transformers: Any
) -> None:
    follow = transformers["global_notif_impact_per_day"].touched["events"]
    found = events(
        spark, ("u", "2026-01-03T12:00:00", "s"), ("u", "2026-01-03T12:10:00", "s"), ("u", "2026-01-01T08:00:00", "t")
    )
    sent = local_frame(
        spark,
        [("u", at(f"2026-01-0{day}T06:00:00"), "n", "opened", at(opened))
         for day, opened in ((1, "2026-01-01T09:00:00"), (2, "2026-01-03T11:45:00"), (3, "2026-01-03T12:11:00"))],
        "user_id string, notification_time timestamp, notification_id string, state string, modified_at timestamp",
    )  # fmt: skip
    states = local_frame(spark, [], "user_id string, notification_id string, status string, updated_at timestamp")
    touched = follow(found.limit(1), {"notifications": sent, "states": states, "events": found}).collect()
    assert [row["notif_date"] for row in touched] == [date(2026, 1, 2)]


def impacts(
    spark: SparkSession, transformer: Transformer, users: list[str], states: list[Any], found: DataFrame, state: str
) -> dict[str, Any]:
    """What became of the notification that each of ``users`` got at 12:00."""
    sent, modified = at("2026-01-01T12:00:00"), at("2026-01-01T12:05:00")
    result = transformer.function(
        notifications=local_frame(
            spark, [(user, sent, "n", "hello", state, modified) for user in users],
            "user_id string, notification_time timestamp, notification_id string, content string, state string, "
            "modified_at timestamp"),
        states=local_frame(spark, states, "user_id string, notification_id string, status string, updated_at timestamp"),
        events=found,
    )  # fmt: skip
    return {row["user_id"]: tuple(row)[3:] for row in result.collect()}


def test_the_later_state_of_both_sources_wins(spark: SparkSession, transformers: Any) -> None:
    transformer = transformers["global_notif_impact_per_day"]
    later, earlier = at("2026-01-01T12:06:00"), at("2026-01-01T12:04:00")
    states = [("late", "n", "opened", later), ("early", "n", "opened", earlier)]
    of_sent = impacts(spark, transformer, ["late", "early"], states, events(spark), "sent")
    assert {user: impact[0] for user, impact in of_sent.items()} == {"late": True, "early": False}
    of_clicked = impacts(spark, transformer, ["u"], [("u", "n", "failed", later)], events(spark), "clicked")
    assert of_clicked["u"][0] is False


def test_time_after_success(spark: SparkSession, transformers: Any) -> None:
    """Opened at 12:05: from then to the end of the session around it, else all of one that begins by 12:35."""
    cases = [("12:00:00", "12:15:00", 600), ("12:05:00", "12:15:00", 600), ("12:35:00", "12:40:00", 300),
             ("12:35:00.001", "12:40:00", 0), ("11:00:00", "12:05:00", 0), ("11:00:00", "12:04:59", 0)]  # fmt: skip
    found = events(spark, *((f"u {begin} {end}", f"2026-01-01T{moment}", "s")
                            for begin, end, _ in cases for moment in (begin, end)))  # fmt: skip
    users = [f"u {begin} {end}" for begin, end, _ in cases]
    result = impacts(spark, transformers["global_notif_impact_per_day"], users, [], found, "opened")
    assert result == {f"u {begin} {end}": (True, seconds) for begin, end, seconds in cases}


def test_the_oracle_says_the_same_of_a_midnight_session() -> None:
    begin, end = oracle.ms(at("2026-01-01T23:50:00")), oracle.ms(at("2026-01-02T00:20:00"))
    found = oracle.activity([("u", begin, "s"), ("u", end, "s")], [], [])
    assert found == {("u", date(2026, 1, 1)): (1, 600, 0, 0.0), ("u", date(2026, 1, 2)): (0, 1200, 0, 0.0)}
