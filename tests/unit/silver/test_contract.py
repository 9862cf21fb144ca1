"""From raw to the contract: each cast, what becomes of what does not fit, and which columns silver has."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.errors import DataError
from lakehouse.raw.columns import RAW_COLUMNS
from lakehouse.registry.tables import SourceTable
from lakehouse.silver.contract import FAILURE_TYPE, FAILURES, SilverShape, check, conform, shape
from lakehouse.testing import local_frame

SEEN = datetime(2026, 1, 1, tzinfo=UTC)


def table(columns: Mapping[str, Any] | None = None, **says: Any) -> SourceTable:
    content = {"table": "t", "domain": "d", "source": {"connection": "c", "relation": "r"}, "key": ["id"]}
    return SourceTable.model_validate({**content, "columns": columns or {}, **says})


def raw(
    spark: SparkSession, values: list[Any], kind: str, *, op: str = "upsert", misfits: str | None = None
) -> DataFrame:
    """Rows of raw whose column ``v``, of that type, holds ``values``; their ``id`` counts from 0."""
    engine = ", ".join(f"{name} {of}" for name, of in RAW_COLUMNS.items())
    rows = [(number, value, "run", SEEN, op, misfits) for number, value in enumerate(values)]
    return local_frame(spark, rows, f"id int, v {kind}, {engine}")


def conformed(frame: DataFrame, contract: SourceTable) -> DataFrame:
    return conform(frame, contract, shape(contract, dict(frame.dtypes), ("id",)))


def values(frame: DataFrame) -> list[Any]:
    return [row[0] for row in frame.orderBy("id").select("v").collect()]


def failures(frame: DataFrame) -> list[list[tuple[str, str]]]:
    """Rule and reason of all that each row breaks."""
    rows = frame.orderBy("id").select(FAILURES).collect()
    return [[(item["rule"], item["reason"]) for item in row[0]] for row in rows]


CASTS: list[tuple[str, str, dict[Any, Any]]] = [
    ("string", "int", {"7": 7, "-7": -7, " 7 ": 7, "2147483647": 2**31 - 1}),
    ("string", "bigint", {"9223372036854775807": 2**63 - 1}),
    ("string", "boolean", {"true": True, "f": False, "0": False, "YES": True}),
    ("string", "double", {"1.5": 1.5, "1e3": 1000.0}),
    ("string", "date", {"2026-02-28": date(2026, 2, 28)}),
    ("string", "decimal(8,2)", {"1.5": Decimal("1.50"), "1.500": Decimal("1.50"), "-999999.99": Decimal("-999999.99")}),
    ("double", "decimal(8,2)", {1.25: Decimal("1.25"), 0.1: Decimal("0.10")}),
    ("int", "string", {7: "7"}),
    ("int", "bigint", {7: 7}),
    ("bigint", "int", {7: 7}),
    ("decimal(8,2)", "int", {Decimal("7.00"): 7}),
    ("date", "string", {date(2026, 2, 28): "2026-02-28"}),
]


@pytest.mark.parametrize(("before", "kind", "cells"), CASTS, ids=[f"{case[0]} to {case[1]}" for case in CASTS])
def test_a_value_that_fits_arrives_as_the_contract_s_type(
    spark: SparkSession, before: str, kind: str, cells: dict[Any, Any]
) -> None:
    found = conformed(raw(spark, [*cells, None], before), table({"v": kind}))
    assert dict(found.dtypes)["v"] == kind
    assert values(found) == [*cells.values(), None]
    assert failures(found) == [[]] * (len(cells) + 1)


MISFITS: list[tuple[str, str, list[Any]]] = [
    ("string", "int", ["ten", "7.5x", "2147483648", ""]),
    ("string", "boolean", ["perhaps", "2"]),
    ("string", "date", ["2026-02-30", "soon"]),
    ("string", "timestamp", ["2026-02-30 10:00:00", "soon"]),
    ("string", "decimal(8,2)", ["1.005", "9999999", "x"]),
    ("double", "decimal(8,2)", [1.005, 1e7]),
    ("bigint", "int", [2**31, -(2**31) - 1]),
    ("decimal(12,2)", "decimal(5,2)", [Decimal("12345.00")]),
]


@pytest.mark.parametrize(("before", "kind", "cells"), MISFITS, ids=[f"{case[0]} to {case[1]}" for case in MISFITS])
def test_a_value_that_does_not_fit_is_null_and_told_as_it_was(
    spark: SparkSession, before: str, kind: str, cells: list[Any]
) -> None:
    frame = raw(spark, cells, before)
    shown = [row[0] for row in frame.orderBy("id").select(F.col("v").cast("string")).collect()]
    found = conformed(frame, table({"v": kind}))
    assert values(found) == [None] * len(cells)
    assert failures(found) == [[("type_v", f"v: '{text}' is not a {kind}")] for text in shown]


def test_a_reason_shows_a_hundred_characters_of_a_long_value(spark: SparkSession) -> None:
    found = conformed(raw(spark, ["x" * 500], "string"), table({"v": "int"}))
    assert failures(found) == [[("type_v", f"v: '{'x' * 100}' is not a int")]]


FORMATS = ["yyyy-MM-dd'T'HH:mm:ssX", "dd/MM/yyyy HH:mm", "MMM dd, yyyy hh:mm a"]


@pytest.mark.parametrize("text", ["2026-01-05T10:00:00Z", "05/01/2026 10:00", "Jan 05, 2026 10:00 AM"])
def test_dates_as_text_are_read_in_each_format(spark: SparkSession, text: str) -> None:
    for kind, expected in (("timestamp", "2026-01-05 10:00:00"), ("date", "2026-01-05")):
        found = conformed(raw(spark, [text], "string"), table({"v": {"type": kind, "formats": FORMATS}}))
        assert dict(found.dtypes)["v"] == kind
        assert found.selectExpr("CAST(v AS string)").first() == (expected,)
        assert failures(found) == [[]]


def test_of_two_formats_that_both_read_a_text_the_first_counts(spark: SparkSession) -> None:
    for formats, expected in ((["dd/MM/yyyy", "MM/dd/yyyy"], date(2026, 3, 2)), (["MM/dd/yyyy"], date(2026, 2, 3))):
        contract = table({"v": {"type": "date", "formats": formats}})
        assert values(conformed(raw(spark, ["02/03/2026"], "string"), contract)) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01T10:00:00.123Z", "2026-11-01 10:00:00.123"),
        ("2026-11-01T12:00:00+02:00", "2026-11-01 10:00:00"),
        ("2026-11-01 10:00:00", "2026-11-01 10:00:00"),
        ("01/11/2026 10:00:00", "2026-11-01 10:00:00"),
        ("1793527200", "2026-11-01 10:00:00"),
        ("1793527200.5", "2026-11-01 10:00:00.5"),
        ("1793527200123", "2026-11-01 10:00:00.123"),
        ("99999999999", "5138-11-16 09:46:39"),
        ("100000000000", "1973-03-03 09:46:40"),
        ("-86400", "1969-12-31 00:00:00"),
        ("10:00", None),
        ("999999999999999", None),
        ("2026-13-01", None),
        ("", None),
    ],
)
def test_one_column_may_hold_moments_in_all_the_ways_that_programs_write_them(
    spark: SparkSession, text: str, expected: str | None
) -> None:
    formats = ["iso8601", "dd/MM/yyyy HH:mm:ss", "epoch_s", "epoch_ms"]
    found = conformed(raw(spark, [text], "string"), table({"v": {"type": "timestamp", "formats": formats}}))
    assert found.selectExpr("CAST(v AS string)").first() == (expected,)
    assert failures(found) == [[] if expected else [("type_v", f"v: '{text}' is not a timestamp")]]


def test_numbers_of_seconds_may_come_as_numbers(spark: SparkSession) -> None:
    contract = table({"v": {"type": "date", "formats": ["epoch_s", "epoch_ms"]}})
    assert values(conformed(raw(spark, [1793527200, 1793527200123], "bigint"), contract)) == [date(2026, 11, 1)] * 2


def test_a_text_that_no_format_reads_does_not_fit(spark: SparkSession) -> None:
    found = conformed(raw(spark, ["2026-01-05"], "string"), table({"v": {"type": "date", "formats": FORMATS}}))
    assert failures(found) == [[("type_v", "v: '2026-01-05' is not a date")]]


def test_white_space_is_removed_before_a_cast_a_format_and_a_check_look(spark: SparkSession) -> None:
    contract = table({"v": {"trim": True}}, checks=[{"name": "short", "expect": "length(v) = 1"}])
    found = check(conformed(raw(spark, [" a ", "a"], "string"), contract), contract)
    assert (values(found), failures(found)) == (["a", "a"], [[], []])
    formatted = table({"v": {"type": "date", "formats": ["dd.MM.yyyy"], "trim": True}})
    assert values(conformed(raw(spark, [" 05.01.2026 "], "string"), formatted)) == [date(2026, 1, 5)]
    assert values(conformed(raw(spark, [" a "], "string"), table())) == [" a "]


def test_a_value_that_is_required_and_absent_is_told_and_so_is_a_key(spark: SparkSession) -> None:
    found = conformed(raw(spark, [None, "x"], "string"), table({"v": {"nullable": False}}))
    assert failures(found) == [[("missing_v", "v: a value is required")], []]
    keyless = raw(spark, ["x"], "string").withColumn("id", F.lit(None).cast("int"))
    assert failures(conformed(keyless, table())) == [[("missing_id", "id: a value is required")]]


def test_of_a_record_that_could_not_be_read_nothing_else_is_told(spark: SparkSession) -> None:
    contract = table({"v": {"nullable": False}}, checks=[{"name": "there", "expect": "v IS NOT NULL"}])
    broken = raw(spark, [None], "string").withColumn("_misfits", F.lit('{"record#": "no JSON object: oops"}'))
    found = check(conformed(broken, contract), contract)
    assert failures(found) == [[("broken_record", "no JSON object: oops")]]


def test_a_required_value_that_does_not_fit_is_told_once(spark: SparkSession) -> None:
    contract = table({"v": {"type": "int", "nullable": False}})
    assert [rule for rule, _ in failures(conformed(raw(spark, ["x"], "string"), contract))[0]] == ["type_v"]
    lost = raw(spark, [None], "int", misfits='{"v": "infinity"}')
    assert [rule for rule, _ in failures(conformed(lost, contract))[0]] == ["does_not_fit"]
    other = raw(spark, [None], "int", misfits='{"w": "infinity"}')
    assert [rule for rule, _ in failures(conformed(other, contract))[0]] == ["missing_v", "does_not_fit"]


def test_what_the_lake_could_not_hold_is_shown(spark: SparkSession) -> None:
    lost = raw(spark, [None], "timestamp", misfits='{"v": "infinity"}')
    assert failures(conformed(lost, table())) == [
        [("does_not_fit", 'values that fit no type of the lake: {"v": "infinity"}')]
    ]


def test_a_tombstone_has_nothing_but_a_key_and_breaks_nothing(spark: SparkSession) -> None:
    contract = table({"v": {"type": "int", "nullable": False}}, checks=[{"name": "there", "expect": "v IS NOT NULL"}])
    for value in (None, "x"):
        gone = raw(spark, [value], "string", op="delete", misfits='{"v": "infinity"}')
        assert failures(check(conformed(gone, contract), contract)) == [[]]


def test_a_tombstone_that_says_no_key_says_so(spark: SparkSession) -> None:
    gone = raw(spark, ["x"], "string", op="delete").withColumn("id", F.lit(None).cast("int"))
    assert failures(conformed(gone, table())) == [
        [("missing_key", "it says that a row is gone, and not which: id is not there")]
    ]


@pytest.mark.parametrize("policy", ["pseudonymise", "redact", "mask", "year", "truncate_ip", "drop"])
def test_personal_data_stays_out_of_a_reason(spark: SparkSession, policy: str) -> None:
    contract = table({"v": {"type": "int", "pii": policy}})
    assert failures(conformed(raw(spark, ["canary"], "string"), contract)) == [
        [("type_v", "v: the value is not a int")]
    ]


def test_a_column_that_is_said_to_hold_no_personal_data_is_shown(spark: SparkSession) -> None:
    contract = table({"v": {"type": "int", "pii": "none"}})
    assert failures(conformed(raw(spark, ["ten"], "string"), contract)) == [[("type_v", "v: 'ten' is not a int")]]


def test_all_that_a_row_breaks_is_told_and_a_check_that_knows_not_holds(spark: SparkSession) -> None:
    checks = [
        {"name": "small", "expect": "v < 10", "description": "Nothing is large."},
        {"name": "even", "expect": "v % 2 = 0"},
        {"name": "softly", "expect": "v < 0", "on_failure": "warn"},
        {"name": "hardly", "expect": "v < 0", "on_failure": "fail"},
    ]
    contract = table({"v": {"type": "int", "nullable": False}}, checks=checks)
    found = check(conformed(raw(spark, ["11", "4", "x"], "string"), contract), contract)
    assert failures(found) == [
        [("small", "Nothing is large."), ("even", "expected: v % 2 = 0")],
        [],
        [("type_v", "v: 'x' is not a int")],
    ]


def test_a_table_without_checks_that_reject_is_left_as_it_is(spark: SparkSession) -> None:
    contract = table(checks=[{"name": "softly", "expect": "v < 0", "on_failure": "warn"}])
    frame = conformed(raw(spark, [1], "int"), contract)
    assert check(frame, contract) is frame


def test_a_conformed_row_has_the_contract_s_columns_raw_s_and_what_is_asked_for(spark: SparkSession) -> None:
    contract = table({"v": "bigint"})
    frame = raw(spark, [1], "int").withColumn("more", F.lit(1))
    silver = SilverShape({"id": "int", "v": "bigint"}, ("id",))
    found = dict(conform(frame, contract, silver, keep=["more"]).dtypes)
    assert found == {"id": "int", "v": "bigint", **RAW_COLUMNS, "more": "int", FAILURES: FAILURE_TYPE}


RAW = {"id": "int", "mail": "string", "born": "date", "note": "string", **RAW_COLUMNS}


def test_silver_has_raw_s_columns_in_raw_s_types_where_the_contract_says_none() -> None:
    found = shape(table({"note": {"description": "x"}, "id": "bigint"}), RAW, ("id",))
    assert found == SilverShape({"id": "bigint", "mail": "string", "born": "date", "note": "string"}, ("id",))


def test_what_silver_shows_is_left_after_the_policies_in_their_types() -> None:
    policies = {"mail": "pseudonymise", "born": "year", "note": "drop", "id": "none"}
    contract = table({name: {"pii": policy} for name, policy in policies.items()})
    found = shape(contract, RAW, ("id",))
    assert found.published(contract) == {"id": "int", "mail": "string", "born": "int"}


def test_protected_columns_are_those_that_silver_shows(spark: SparkSession) -> None:
    contract = table({"mail": {"pii": "redact"}, "born": {"pii": "year"}, "note": {"pii": "drop"}})
    found = shape(contract, RAW, ("id",))
    row = local_frame(spark, [(1, "a@b", date(1990, 5, 1), "n")], "id int, mail string, born date, note string").select(
        *found.protected(contract, None)
    )
    assert dict(row.dtypes) == found.published(contract)
    assert row.first() == (1, "[redacted]", 1990)


def test_an_excluded_column_is_no_part_of_silver_whether_raw_has_it_or_not() -> None:
    contract = table({"mail": {"pii": "exclude"}, "gone": {"pii": "exclude"}})
    assert list(shape(contract, RAW, ("id",)).columns) == ["id", "born", "note"]


def test_a_dropped_column_stays_while_raw_holds_it_and_is_not_missed_afterwards() -> None:
    contract = table({"note": {"dropped": True}, "gone": {"dropped": True}})
    found = shape(contract, RAW, ("id",))
    assert list(found.columns) == ["id", "mail", "born", "note"]
    assert found.dropped(contract) == ["note"]


def test_a_column_that_raw_does_not_have_is_named_with_a_likely_one() -> None:
    with pytest.raises(DataError, match=r"transforming t: raw has no column 'mial'. Did you mean 'mail'\?") as caught:
        shape(table({"mial": "string"}), RAW, ("id",))
    assert "Ingest the table again, or correct the registry file." in str(caught.value)


def test_a_column_without_a_policy_in_a_table_of_personal_data_stops_it() -> None:
    contract = table({name: {"pii": "none"} for name in ("id", "mail")}, holds_pii=True)
    with pytest.raises(DataError, match="without a `pii` policy: born, note; expected one for each"):
        shape(contract, RAW, ("id",))


def test_personal_data_that_the_lake_could_not_hold_stays_out_of_a_reason(spark: SparkSession) -> None:
    contract = table({"v": {"pii": "pseudonymise"}})
    lost = raw(spark, [None], "timestamp", misfits='{"v": "canary"}')
    assert "canary" not in str(failures(conformed(lost, contract)))


@pytest.mark.parametrize(
    ("before", "kind", "cell"),
    [
        ("decimal(12,4)", "decimal(8,2)", Decimal("1.0055")),  # becomes 1.01
        ("decimal(8,2)", "int", Decimal("7.90")),  # becomes 7
        ("double", "int", 7.9),
    ],  # becomes 7
)
def test_a_number_that_would_lose_digits_does_not_fit(spark: SparkSession, before: str, kind: str, cell: Any) -> None:
    assert values(conformed(raw(spark, [cell], before), table({"v": kind}))) == [None]


@pytest.mark.parametrize(
    ("before", "kind", "cell", "expected"),
    [
        ("string", "decimal(38,0)", "123456789012345678901234567", Decimal("123456789012345678901234567")),
        ("float", "decimal(8,2)", 1.1, Decimal("1.10")),
    ],
)
def test_a_decimal_that_fits_is_taken(spark: SparkSession, before: str, kind: str, cell: Any, expected: Any) -> None:
    assert values(conformed(raw(spark, [cell], before), table({"v": kind}))) == [expected]
