"""The SQL that reads a relation: which rows, which part of it, and that names and values stay what they are."""

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.postgres.describe import PostgresRelation
from lakehouse.sources.postgres.query import (
    fingerprint,
    page_ranges,
    select,
    select_keys,
    where,
    with_conditions,
    with_keys,
)
from lakehouse.sources.postgres.types import read_as
from lakehouse.sources.reader import Bound
from lakehouse.sources.relation import SourceColumn, SourceRelation

_TYPES = {"bigint": "int8", "timestamp with time zone": "timestamptz", "bytea": "bytea", "text": "text", "date": "date"}
FIRST, SECOND = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
_HOSTILE = 'a"b; DROP TABLE t'


def relation(blocks: int | None = 10, **columns: tuple[str, str, bool]) -> PostgresRelation:
    """``public.t`` whose columns are lake name = (name at the source, type, nullable)."""
    given = columns or {
        "id": ("Id", "bigint", False),
        "at": ("at", "timestamp with time zone", False),
        "note": (_HOSTILE, "text", True),
    }
    reads = {name: read_as(source, _TYPES[kind], -1, "UTC") for name, (source, kind, _) in given.items()}
    described = tuple(
        SourceColumn(source, name, kind, reads[name].lake_type, nullable)
        for name, (source, kind, nullable) in given.items()
    )
    return PostgresRelation('"public"."t"', SourceRelation("public.t", described, ("id",)), reads, blocks)


def ranges(blocks: int, parallelism: int) -> list[tuple[int, int]]:
    """The pages of each range: the first, and the one after the last."""
    found = []
    for condition in page_ranges(relation(blocks), parallelism):
        match = re.fullmatch(r"ctid >= '\((\d+),0\)'::tid AND ctid < '\((\d+),0\)'::tid", condition or "")
        found.append((int(match[1]), int(match[2])) if match else (0, 2**32 - 1))
    return found


@given(
    blocks=st.integers(0, 20_000_000),
    parallelism=st.integers(1, 64),
    page=st.integers(0, 25_000_000) | st.integers(0, 2**32 - 2),
)
def test_each_row_is_in_exactly_one_range_of_pages_and_so_are_those_that_come_later(
    blocks: int, parallelism: int, page: int
) -> None:
    """``page`` may lie behind ``blocks``: a heap grows while it is read."""
    assert sum(low <= page < high for low, high in ranges(blocks, parallelism)) == 1


@given(blocks=st.integers(4_096, 20_000_000), parallelism=st.integers(1, 64))
def test_ranges_are_of_one_size_and_as_many_as_keep_all_readers_busy(blocks: int, parallelism: int) -> None:
    found = ranges(blocks, parallelism)
    assert len(found) % parallelism == 0
    widths = {high - low for low, high in found[:-1]} | {blocks - found[-1][0]}
    assert max(widths) - min(widths) <= 1
    assert max(widths) <= 16_384


@pytest.mark.parametrize("blocks", [0, 1, 4_095])
def test_a_small_relation_is_read_at_once(blocks: int) -> None:
    assert page_ranges(relation(blocks), 8) == [None]


def test_a_relation_without_a_heap_is_read_at_once() -> None:
    assert page_ranges(relation(None), 8) == [None]


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (None, []),
        (Bound("at"), []),
        (Bound("at", lower=FIRST), ["(\"at\" >= '2026-01-01T00:00:00+00:00'::timestamptz)"]),
        (
            Bound("at", FIRST, SECOND),
            [
                "(\"at\" >= '2026-01-01T00:00:00+00:00'::timestamptz AND \"at\" < '2026-01-02T00:00:00+00:00'::timestamptz)"
            ],
        ),
        (Bound("id", lower=5), ["(\"Id\" >= '5'::int8)"]),
    ],
)
def test_a_bound_begins_with_its_lower_end_and_stops_before_its_upper(bound: Bound | None, expected: list[str]) -> None:
    assert where(relation(), bound) == expected


def test_a_row_without_a_cursor_is_read_each_time_but_in_no_window() -> None:
    table = relation(id=("id", "bigint", True))
    assert where(table, Bound("id", lower=5)) == ['("id" >= \'5\'::int8 OR "id" IS NULL)']
    assert where(table, Bound("id", 5, 6)) == ["(\"id\" >= '5'::int8 AND \"id\" < '6'::int8)"]


def test_a_select_reads_the_columns_asked_for_by_their_lake_names_and_no_other() -> None:
    sql = select(relation(), ["id", "note"])
    assert sql == (
        'SELECT "Id" AS "id", "a""b; DROP TABLE t" AS "note", NULL::text AS _misfits FROM "public"."t"'
    )  # fmt: skip


def test_what_does_not_fit_is_told_as_json_by_lake_name_and_null_fits() -> None:
    sql = select(relation(id=("id", "bigint", False), day=("D'ay", "date", True)), ["id", "day"])
    fits = "\"D'ay\" BETWEEN '0001-01-01' AND '9999-12-31'"
    assert f'CASE WHEN ("D\'ay" IS NULL OR ({fits})) THEN NULL ELSE' in sql
    assert f"jsonb_build_object('day', CASE WHEN NOT ({fits}) THEN \"D'ay\"::text END)" in sql


def test_a_column_that_is_not_read_has_no_misfits() -> None:
    assert "NULL::text AS _misfits" in select(relation(), ["id"])


def test_keys_are_listed_with_whether_the_read_covers_their_row() -> None:
    assert select_keys(relation(), ["id"], None).endswith(', (true) AS "covered#" FROM "public"."t"')
    covered = select_keys(relation(), ["id"], Bound("at", lower=FIRST))
    assert '(("at" >= \'2026-01-01T00:00:00+00:00\'::timestamptz)) AS "covered#"' in covered


def test_rows_are_asked_for_by_key_in_the_types_of_the_source() -> None:
    table = relation(id=("Id", "bigint", False), name=(_HOSTILE, "text", False), raw=("raw", "bytea", False))
    assert with_keys(table, ["id", "name", "raw"], [(1, "o'b\\", b"\x00\xff"), (2, "", b"")]) == (
        '("Id", "a""b; DROP TABLE t", "raw") IN (VALUES '
        "('1'::bigint, E'o''b\\\\'::text, E'\\\\x00ff'::bytea), ('2'::bigint, ''::text, E'\\\\x'::bytea))"
    )


def test_days_and_moments_of_a_key_are_written_with_their_zone() -> None:
    table = relation(day=("day", "date", False), at=("at", "timestamp with time zone", False))
    rows = [(date(2026, 1, 31), datetime(2026, 1, 31, 12, tzinfo=UTC))]
    assert with_keys(table, ["day", "at"], rows).endswith(
        "(VALUES ('2026-01-31'::date, '2026-01-31T12:00:00+00:00'::timestamp with time zone))"
    )


def test_conditions_that_are_absent_ask_nothing() -> None:
    assert with_conditions("SELECT 1", []) == "SELECT 1"
    assert with_conditions("SELECT 1", [None, "a", None, "b"]) == "SELECT 1 WHERE a AND b"


def test_a_fingerprint_hashes_row_versions_where_there_is_a_heap_and_rows_elsewhere() -> None:
    assert "hashtidextended(ctid" in fingerprint(relation(0), [])
    view = fingerprint(relation(None), ["true"])
    assert "row_to_json(source)" in view
    assert view.endswith(" WHERE true")
