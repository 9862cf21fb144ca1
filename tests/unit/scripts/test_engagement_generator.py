"""The generator of the domain `engagement`, on rows in memory: what it promises, and that its mess is there."""

import csv
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from scripts.demo_data.engagement import changes
from scripts.demo_data.engagement.changes import Changes, State
from scripts.demo_data.engagement.generator import DAYS, FIRST_DAY, history
from scripts.demo_data.engagement.schema import CASSANDRA_KEYS, POSTGRES_KEYS
from tests.oracles.engagement import EMAIL, FORMATS, RATES

Row = dict[str, Any]
KEYS = POSTGRES_KEYS | CASSANDRA_KEYS
NEXT_DAY = FIRST_DAY + timedelta(days=DAYS)
CURRENCIES = {"EUR", "USD", "GBP", "JPY", "CHF"}


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Row]]:
    return history(seed=7, scale=1)


@pytest.fixture(scope="module")
def state(rows: dict[str, list[Row]]) -> State:
    """The sources after the load, as `state.read` would draw them."""
    tables = ("groups_users_user", "activities", "notification_states", "user_notifications")
    lot = Random(1)
    samples = {table: lot.sample(rows[table], 250) for table in (*tables, *changes.CASSANDRA_DELETES)}
    return State(NEXT_DAY, rows["users"], rows["groups"], samples)


@pytest.fixture(scope="module")
def played(state: State) -> Changes:
    return changes.decide(Random(f"7 {NEXT_DAY:%F}"), state)


def share(found: list[Any], of: list[Any]) -> float:
    return len(found) / len(of)


def key(table: str, row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEYS[table])


def sessions(events: list[Row]) -> dict[tuple[Any, Any], list[Row]]:
    found = defaultdict(list)
    for event in events:
        found[event["user_id"], event["session_id"]].append(event)
    return found


# What it promises


def test_the_same_seed_gives_the_same_rows() -> None:
    assert history(seed=3, scale=0.02) == history(seed=3, scale=0.02)


def test_another_seed_gives_other_rows() -> None:
    assert history(seed=3, scale=0.02) != history(seed=4, scale=0.02)


def test_scale_multiplies_the_rows() -> None:
    small, large = history(7, 0.1), history(7, 0.4)
    for table in KEYS:
        assert 3 < len(large[table]) / len(small[table]) < 5, table


def test_scale_one_has_about_sixty_thousand_rows_in_postgres_and_eighty_thousand_in_cassandra(
    rows: dict[str, list[Row]],
) -> None:
    assert len(rows["users"]) == 3_000
    assert len(rows["groups"]) == 120
    assert 50_000 < sum(len(rows[table]) for table in POSTGRES_KEYS) < 70_000
    assert 60_000 < sum(len(rows[table]) for table in CASSANDRA_KEYS) < 85_000


def test_the_smallest_scale_works() -> None:
    found = history(7, 0.001)
    assert all(found[table] for table in ("users", "groups", "groups_users_user", "activities"))


def test_keys_are_unique(rows: dict[str, list[Row]]) -> None:
    for table in KEYS:
        assert max(Counter(key(table, row) for row in rows[table]).values()) == 1, table


def test_cassandra_stamps_are_whole_milliseconds(rows: dict[str, list[Row]]) -> None:
    for table in CASSANDRA_KEYS:
        for row in rows[table]:
            moments = [value for value in row.values() if isinstance(value, datetime)]
            assert all(moment.microsecond % 1000 == 0 for moment in moments), (table, row)


def test_nothing_but_sessions_is_stamped_after_the_last_day(rows: dict[str, list[Row]]) -> None:
    for table in KEYS.keys() - {"user_session_events"}:
        moments = [value for row in rows[table] for value in row.values() if isinstance(value, datetime)]
        assert not moments or max(moments) < NEXT_DAY, table


def test_the_last_day_shows_in_postgres() -> None:
    for scale in (0.001, 0.01):
        assert max(row["created_at"] for row in history(7, scale)["activities"]) >= NEXT_DAY - timedelta(days=1)


def test_the_data_can_begin_on_another_day() -> None:
    start = datetime(2024, 2, 1, tzinfo=UTC)
    moments = [row["created_at"] for row in history(7, 0.05, start)["group_messages"]]
    assert start <= min(moments)
    assert max(moments) < start + timedelta(days=DAYS)


def test_users_differ_in_how_active_they_are_and_evenings_are_busier(rows: dict[str, list[Row]]) -> None:
    by_user = Counter(user for user, _ in sessions(rows["user_session_events"]))
    known = [by_user[user["id"]] for user in rows["users"]]
    assert max(known) >= 8
    assert known.count(0) > 300
    hours = Counter(row["created_at"].hour for row in rows["group_messages"])
    assert sum(hours[hour] for hour in range(16, 20)) > 3 * sum(hours[hour] for hour in range(3, 7))


# The mess


def test_emails_are_missing_or_malformed_in_small_shares(rows: dict[str, list[Row]]) -> None:
    emails = [user["email"] for user in rows["users"]]
    given = [email for email in emails if email is not None]
    malformed = [email for email in given if not EMAIL.fullmatch(email.strip(" "))]
    assert 0.01 < share([email for email in emails if email is None], emails) < 0.03
    assert 0.02 < share(malformed, emails) < 0.045
    assert "" in malformed
    assert any(email != email.strip() and email.isupper() for email in given)


def test_names_have_blanks_upper_case_quotes_and_gaps(rows: dict[str, list[Row]]) -> None:
    firsts, lasts = ([user[name] for user in rows["users"]] for name in ("first_name", "last_name"))
    assert any(first.startswith(" ") and first.isupper() for first in firsts)
    assert None in lasts
    assert "O'Brien" in lasts


def test_some_users_signed_up_before_1970(rows: dict[str, list[Row]]) -> None:
    early = [user for user in rows["users"] if user["created_at"].year < 1970]
    assert 1 <= len(early) <= 10


def test_amounts_are_negative_zero_absurd_or_missing_in_small_shares(rows: dict[str, list[Row]]) -> None:
    amounts = [row["amount"] for row in rows["user_purchases"]]
    given = [amount for amount in amounts if amount is not None]
    for found in (
        [amount for amount in given if amount < 0],
        [amount for amount in given if amount == 0],
        [amount for amount in given if amount > 1_000_000],
        [amount for amount in amounts if amount is None],
    ):
        assert 0 < share(found, amounts) < 0.03


def test_currencies_are_sometimes_unknown(rows: dict[str, list[Row]]) -> None:
    currencies = [row["currency"] for row in rows["user_purchases"]]
    assert set(currencies) >= CURRENCIES | {"XXX", "", "eur", None}
    assert 0.005 < share([currency for currency in currencies if currency not in CURRENCIES], currencies) < 0.03


def test_the_known_currencies_are_those_of_the_reference_table() -> None:
    with RATES.open() as file:
        assert {row["currency"] for row in csv.DictReader(file)} == CURRENCIES


def test_scheduled_dates_come_in_three_formats_far_off_missing_and_unreadable(rows: dict[str, list[Row]]) -> None:
    patterns = (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        r"\d\d/\d\d/\d{4} \d\d:\d\d",
        r"[A-Z][a-z]{2} \d\d, \d{4} \d\d:\d\d [AP]M",
    )
    texts = [row["scheduled_at"] for row in rows["activities"]]
    for pattern in patterns:
        assert 0.3 < share([text for text in texts if text and re.fullmatch(pattern, text)], texts) < 0.36
    dates = [_date(text) for text in texts if text is not None]
    years = {date.year for date in dates if date}
    assert 0 < share([text for text in texts if text is None], texts) < 0.01
    assert 0 < share([date for date in dates if date is None], texts) < 0.01
    assert min(years) < 1970
    assert {2199, 9999} <= years


def _date(text: str) -> datetime | None:
    for pattern in FORMATS:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("groups_users_user", "users_id"),
        ("activities", "user_id"),
        ("group_messages", "user_id"),
        ("user_notifications", "user_id"),
        ("user_purchases", "user_id"),
        ("user_session_events", "user_id"),
        ("notification_states", "user_id"),
    ],
)
def test_some_rows_refer_to_users_that_do_not_exist(rows: dict[str, list[Row]], table: str, column: str) -> None:
    users = {user["id"] for user in rows["users"]}
    strangers = [row for row in rows[table] if row[column] is not None and row[column] not in users]
    assert 0 < share(strangers, rows[table]) < 0.03


def test_cassandra_has_null_cells(rows: dict[str, list[Row]]) -> None:
    for table, column, most in (
        ("user_purchases", "product_type", 0.25),
        ("group_messages", "user_id", 0.01),
        ("group_messages", "content", 0.01),
        ("user_notifications", "content", 0.02),
        ("user_notifications", "state", 0.05),
        ("user_notifications", "modified_at", 0.02),
    ):
        empty = [row for row in rows[table] if row[column] is None]
        assert 0 < share(empty, rows[table]) < most, (table, column)


def test_some_events_are_sent_twice(rows: dict[str, list[Row]]) -> None:
    again = 0
    for events in sessions(rows["user_session_events"]).values():
        ordered = sorted(events, key=lambda event: event["event_time"])
        for first, second in pairwise(ordered):
            apart = second["event_time"] - first["event_time"]
            again += apart < timedelta(seconds=0.5) and first["event_type"] == second["event_type"]
    assert 0.02 < again / len(rows["user_session_events"]) < 0.04


def test_some_sessions_cross_midnight_and_some_only_span_a_day(rows: dict[str, list[Row]]) -> None:
    found = sessions(rows["user_session_events"])
    spans = []
    for events in found.values():
        moments = [event["event_time"] for event in events]
        spans.append((max(moments).date() - min(moments).date()).days)
    assert 0.03 < sum(span == 1 for span in spans) / len(found) < 0.1
    assert sum(span == 2 for span in spans) >= 1
    assert any(len(events) == 1 for events in found.values())


def test_rows_are_written_out_of_order(rows: dict[str, list[Row]]) -> None:
    moments = [row["event_time"] for row in rows["user_session_events"]]
    assert moments != sorted(moments)


def test_texts_hold_unicode_quotes_newlines_tabs_and_backslashes(rows: dict[str, list[Row]]) -> None:
    text = "".join(row["content"] or "" for row in rows["group_messages"])
    assert set(text) >= {"\n", "\t", "\\", '"', "'", "👋", "今"}


def test_the_two_sources_of_a_state_disagree_at_times_or_stand_alone_and_never_tie(rows: dict[str, list[Row]]) -> None:
    noted = defaultdict(list)
    for row in rows["notification_states"]:
        noted[row["notification_id"]].append((row["updated_at"], row["status"]))
    kinds: Counter[str] = Counter()
    for row in rows["user_notifications"]:
        states = noted.pop(row["notification_id"], [])
        stamps = [when for when, _ in states] + [row["modified_at"]]
        assert len(set(stamps)) == len(stamps)
        alone = "cassandra only" if row["state"] else "neither"
        kinds[("agree" if max(states)[1] == row["state"] else "disagree") if states else alone] += 1
        kinds["postgres only"] += bool(states) and row["state"] is None
    kinds["of no notification"] = len(noted)
    assert set(kinds) == {"agree", "disagree", "cassandra only", "neither", "postgres only", "of no notification"}
    assert min(kinds.values()) > 0


# One more day


def test_a_day_is_the_same_for_the_same_seed_and_state(state: State, played: Changes) -> None:
    assert changes.decide(Random(f"7 {NEXT_DAY:%F}"), state) == played
    assert changes.decide(Random(f"8 {NEXT_DAY:%F}"), state) != played


def test_a_day_adds_rows_of_every_table(played: Changes) -> None:
    assert {table for table, rows in played.inserts.items() if rows} == set(KEYS)


def test_a_day_changes_rows_where_that_can_be(played: Changes) -> None:
    changed = {table for table, rows in played.updates.items() if rows}
    assert changed == {"users", "groups", "activities", "notification_states", "user_notifications"}


def test_a_day_deletes_rows_at_the_source(played: Changes) -> None:
    assert {table for table, rows in played.deletes.items() if rows} == set(KEYS) - {"user_notifications"}


def test_a_day_changes_no_row_that_it_deletes(played: Changes) -> None:
    for table, rows in played.updates.items():
        gone = {key(table, row) for row in played.deletes.get(table, [])}
        assert not gone & {key(table, row) for row in rows}, table


def test_a_days_keys_are_new(rows: dict[str, list[Row]], played: Changes) -> None:
    for table, added in played.inserts.items():
        held = {key(table, row) for row in rows[table]}
        assert not held & {key(table, row) for row in added}, table


def test_good_emails_turn_malformed_and_malformed_ones_are_mended(state: State, played: Changes) -> None:
    before = {user["id"]: user for user in state.users}
    kinds = Counter((_kind(before[row["id"]]["email"]), _kind(row["email"])) for row in played.updates["users"])
    assert min(kinds[pair] for pair in (("good", "bad"), ("bad", "good"), ("good", "good"), ("good", "none"))) > 0
    assert any(row["last_name"] != before[row["id"]]["last_name"] for row in played.updates["users"])


def _kind(email: str | None) -> str:
    return "none" if email is None else "good" if EMAIL.fullmatch(email.strip(" ")) else "bad"


def test_changes_are_stamped_within_the_day(played: Changes) -> None:
    for rows in (*played.updates.values(), played.inserts["notification_states"], played.inserts["user_notifications"]):
        for row in rows:
            stamp = row.get("updated_at") or row.get("modified_at")
            assert stamp is None or NEXT_DAY <= stamp < NEXT_DAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("user_session_events", "event_time"),
        ("user_purchases", "purchase_time"),
        ("group_messages", "created_at"),
        ("user_notifications", "notification_time"),
    ],
)
def test_some_rows_come_up_to_two_days_late(played: Changes, table: str, column: str) -> None:
    moments = [row[column] for row in played.inserts[table]]
    assert min(moments) >= NEXT_DAY - timedelta(days=2)
    assert {moment.date() for moment in moments} >= {(NEXT_DAY - timedelta(days=days)).date() for days in (0, 1, 2)}


def test_rows_of_several_days_back_are_deleted(played: Changes) -> None:
    for table in changes.CASSANDRA_DELETES:
        column = KEYS[table][1]
        assert min(row[column] for row in played.deletes[table]) < NEXT_DAY - timedelta(days=3), table


def test_a_day_of_a_handful_of_users_works() -> None:
    rows = history(7, 0.001)
    tables = ("groups_users_user", "activities", "notification_states", "user_notifications")
    empty: dict[str, list[Row]] = {table: [] for table in (*tables, *changes.CASSANDRA_DELETES)}
    found = changes.decide(Random(f"7 {NEXT_DAY:%F}"), State(NEXT_DAY, rows["users"], rows["groups"], empty))
    assert found.inserts["users"]
    assert not found.deletes["users"]
