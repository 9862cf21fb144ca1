"""Which parts of a gold table changed rows touch, and which rows of its inputs belong to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from lakehouse.gold import parts
from lakehouse.gold.inputs import Inputs
from lakehouse.gold.parts import Parts, narrowed, touched
from lakehouse.iceberg.consumed import Consumed
from lakehouse.iceberg.described import Field
from lakehouse.iceberg.snapshots import SnapshotInfo
from lakehouse.matching import Few
from lakehouse.paths import TableName, gold, silver
from lakehouse.raw.request import Window
from lakehouse.registry.transformers import Transformer
from lakehouse.testing import local_frame

DAYS = [date(2026, 1, number) for number in range(1, 6)]
APPENDED = {"added-records": "1"}
MAINTAINED: Mapping[str, str] = {}


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


@dataclass
class Table:
    """What these decisions ask of a table: its name, its columns and what its commits said, newest last."""

    name: TableName
    summaries: list[Mapping[str, str]] = field(default_factory=list)
    fields: tuple[Field, ...] = ()

    @property
    def size(self) -> int:
        return 0

    def history(self) -> Iterator[SnapshotInfo]:
        numbered = enumerate(self.summaries, start=1)
        return reversed([SnapshotInfo(number, "append", 0, summary) for number, summary in numbered])


def _days_of_users(changed: DataFrame, inputs: Mapping[str, DataFrame]) -> DataFrame:
    return inputs["orders"].join(changed, on="user_id", how="left_semi").selectExpr("to_date(at) AS day", "order_id")


BY_DAY = Transformer(
    table="daily",
    function=lambda **_: None,  # type: ignore[arg-type]
    reads={name: silver(name) for name in ("orders", "users", "rates")},
    grain=("day",),
    rebuild_by=("day",),
    narrows={"orders": ("to_date(at)",)},
    touched={"users": _days_of_users},
)


class Lakes:
    """A lake after some commits, asked what is to be rebuilt of a table that was made from the first of each input."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark.newSession()  # which is planned for anew
        self.orders = local_frame(
            self.spark, [(1, 7, at(1, 23)), (2, 8, at(2, 0)), (3, 7, at(4)), (4, None, None)],
            "order_id int, user_id int, at timestamp")  # fmt: skip
        self.users = local_frame(self.spark, [(7,), (8,)], "user_id int")

    def parts(self, window: Window | None = None, kind: str = "date", **commits: list[Mapping[str, str]]) -> Any:
        """The parts to rebuild after ``commits`` to each input; the rows that changed are two orders, and user 7."""
        tables = {name: Table(silver(name), [APPENDED, *commits.get(name, [])]) for name in BY_DAY.reads}
        changed = {"orders": self.orders.where("order_id >= 3"), "users": self.users.where("user_id = 7")}
        changes = SimpleNamespace(
            between=lambda _, table, *__: changed[table.name.table], known_between=lambda *_: None
        )
        lake = SimpleNamespace(spark=self.spark, changes=changes)
        heads = {name: len(table.summaries) for name, table in tables.items()}
        inputs: Any = Inputs(tables, heads, {"orders": self.orders, "users": self.users})  # type: ignore[arg-type]
        before = Consumed({f"silver.{name}": 1 for name in BY_DAY.reads}, "")
        target: Any = Table(gold("daily"), [], (Field(1, "day", kind),))
        found = touched(BY_DAY, lake, inputs, before, window, target)  # type: ignore[arg-type]
        return (
            None if found is None else sorted(found.values.column("day").to_pylist(), key=lambda day: day or date.max)
        )


@pytest.fixture
def lakes(spark: SparkSession) -> Lakes:
    return Lakes(spark)


def ids(rows: DataFrame) -> set[int]:
    return {row["order_id"] for row in rows.select("order_id").collect()}


def test_changed_rows_touch_the_parts_that_they_were_and_are_in(lakes: Lakes) -> None:
    assert lakes.parts(orders=[APPENDED]) == [DAYS[3], None]  # order 4 has no day: that is a part, too
    assert lakes.parts(users=[APPENDED]) == [DAYS[0], DAYS[3]]
    assert lakes.parts(orders=[APPENDED], users=[{"deleted-records": "1"}]) == [DAYS[0], DAYS[3], None]


def test_without_changed_rows_nothing_is_touched(lakes: Lakes) -> None:
    assert lakes.parts() == []
    assert lakes.parts(orders=[MAINTAINED], users=[MAINTAINED], rates=[MAINTAINED]) == []


def test_what_cannot_be_followed_makes_for_a_whole_rebuild(lakes: Lakes) -> None:
    assert lakes.parts(orders=[APPENDED], rates=[APPENDED]) is None
    unknown = Consumed({"silver.orders": 99, "silver.users": 1, "silver.rates": 1}, "")
    tables = {name: Table(silver(name), [APPENDED]) for name in BY_DAY.reads}
    inputs: Any = Inputs(tables, dict.fromkeys(tables, 1), {})  # type: ignore[arg-type]
    assert parts.changed_inputs(inputs, unknown) == [("orders", None)]


def test_a_window_touches_its_days_of_a_table_by_day(lakes: Lakes) -> None:
    until_the_fourth = Window(at(2, 0), at(4, 0))
    assert lakes.parts(until_the_fourth) == [DAYS[1], DAYS[2]]
    assert lakes.parts(Window(at(2, 12), at(4, 1)), users=[APPENDED]) == DAYS[:4]
    assert lakes.parts(until_the_fourth, kind="string") == []


def test_with_too_many_parts_the_whole_is_the_shorter_way(lakes: Lakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_MOST", 2)
    assert lakes.parts(users=[APPENDED]) == [DAYS[0], DAYS[3]]
    assert lakes.parts(orders=[APPENDED], users=[APPENDED]) is None


def test_the_rows_of_parts_are_the_same_by_literals_and_by_a_join(
    lakes: Lakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [([DAYS[0], DAYS[3], DAYS[4]], {1, 3}), ([DAYS[0], None], {1, 4}), ([None], {4})]
    for most, by_literals in ((2_000, True), (0, False)):
        monkeypatch.setattr(parts, "_MOST_LITERALS", most)
        for days, expected in wanted:
            some = Parts(pa.table({"day": pa.array(days, pa.date32())}))
            assert some.few is by_literals
            assert ids(some.of(lakes.orders, ["to_date(at)"])) == expected


@pytest.mark.parametrize(
    "values",
    [
        ["it's", "a \\ b", 'say "so"', "Żółć", "line\nbreak", "${x} %s"],
        [-1, 0, 2**40],
        [DAYS[0], date(1, 1, 1), date(9999, 12, 31)],
        [Decimal("1.10"), Decimal("-2.00"), None],
        ["a", None],
    ],
    ids=["text", "numbers", "days", "decimals", "nothing"],
)
def test_values_of_parts_are_spelled_out_as_they_are(spark: SparkSession, values: list[Any]) -> None:
    held = pa.table({"part": values})
    rows = spark.createDataFrame(held)
    for number in range(len(values)):
        wanted = Parts(held.slice(number, 1))
        assert [row["part"] for row in wanted.of(rows).collect()] == [values[number]]


@pytest.mark.parametrize(
    "expression", ["to_date(at)", "trunc(at, 'month')", "trunc(to_date(at), 'MONTH')", "to_date(day)"]
)
def test_parts_that_are_days_or_months_of_a_moment_have_all_its_rows(spark: SparkSession, expression: str) -> None:
    moments = [at(1, 0), at(1, 23), at(3, 0), at(5, 12), None]
    text = [(number, moment, str(moment)[:10] if moment else None) for number, moment in enumerate(moments)]
    rows = local_frame(spark, text, "order_id int, at timestamp, day string")
    found = rows.selectExpr("order_id", f"{expression} AS day").toArrow()
    for number, day in zip(*(column.to_pylist() for column in found.columns), strict=True):
        assert number in ids(Parts(pa.table({"day": pa.array([day], pa.date32())})).of(rows, [expression]))


def test_files_before_the_first_day_of_all_parts_need_not_be_read(lakes: Lakes) -> None:
    some = Parts(pa.table({"day": [DAYS[3], DAYS[1]]})).of(lakes.orders, ["to_date(at)"])
    assert "at >= 2026-01-02" in str(some._jdf.queryExecution().logical()).replace("'", "")


def test_parts_of_several_columns_are_combinations_of_them(lakes: Lakes) -> None:
    wanted = Parts(pa.table({"day": [DAYS[0], DAYS[1]], "user_id": pa.array([7, 7], pa.int32())}))
    assert ids(wanted.of(lakes.orders, ["to_date(at)", "user_id"])) == {1}
    assert ids(wanted.of(lakes.orders.selectExpr("*", "to_date(at) AS day"))) == {1}
    nobody = Parts(
        pa.table({"day": pa.array([None, DAYS[0]], pa.date32()), "user_id": pa.array([None, 7], pa.int32())})
    )
    assert ids(nobody.of(lakes.orders, ["to_date(at)", "user_id"])) == {1, 4}


def test_only_inputs_that_a_part_needs_in_part_are_narrowed(lakes: Lakes) -> None:
    inputs = Inputs({}, {}, {"orders": lakes.orders, "users": lakes.users})
    assert narrowed(BY_DAY, inputs, None) == dict(inputs.frames)
    found = narrowed(BY_DAY, inputs, Parts(pa.table({"day": [DAYS[1]]})))
    assert ids(found["orders"]) == {2}
    assert found["users"] is lakes.users


@pytest.mark.parametrize("exactly", [True, False])
def test_of_rows_that_were_found_those_of_the_part_are_given(lakes: Lakes, exactly: bool) -> None:
    few = lakes.orders.where("order_id = 2") if exactly else lakes.orders
    inputs = Inputs({}, {}, {"orders": lakes.orders, "users": lakes.users}, lambda *_: Few(few, exactly))
    found = narrowed(BY_DAY, inputs, Parts(pa.table({"day": [DAYS[1]]})))
    assert ids(found["orders"]) == {2}


def test_a_transformer_is_given_the_columns_that_it_uses(lakes: Lakes) -> None:
    asked: list[Any] = []

    def narrow(*given: Any) -> None:
        asked.append(given[-1])

    inputs = Inputs({}, {}, {"orders": lakes.orders, "users": lakes.users}, narrow)
    some = replace(BY_DAY, uses={"orders": ("order_id", "at"), "users": ("user_id",)})
    whole, found = (narrowed(some, inputs, parts) for parts in (None, Parts(pa.table({"day": [DAYS[1]]}))))
    assert (whole["orders"].columns, whole["users"].columns) == (["order_id", "at"], ["user_id"])
    assert asked == [("order_id", "at")]
    assert ids(found["orders"]) == {2}


@pytest.mark.parametrize(
    ("order", "narrowed_too", "expected"),
    [
        (("rain", "people"), False, {"now", "then"}),  # Ben was in it, though he is elsewhere now
        (("people", "rain"), False, {"now"}),  # what follows people is asked about Ben, who went
        (("rain", "people"), True, {"now", "then"}),  # what follows people may not take the part from Ben's own row
    ],
)
def test_inputs_are_seen_as_they_were_where_one_that_is_looked_into_changed_and_nothing_else_tells(
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    order: tuple[str, ...],
    narrowed_too: bool,
    expected: set[str],
) -> None:
    """People got wet where it rained; the rain changed, and so did where Ben is."""
    seen: list[str] = []

    class Now(dict[str, DataFrame]):
        def __getitem__(self, name: str) -> DataFrame:
            seen.append("now")
            return super().__getitem__(name)

    def then(*_: Any) -> DataFrame:
        seen.append("then")
        return people

    people = local_frame(spark, [("Ben", "here")], "name string, place string")
    follows = {
        "rain": lambda changed, inputs: changed.join(inputs["people"], on="place").select("name"),
        "people": lambda changed, inputs: changed.select("name"),
    }
    wet = Transformer(
        table="wet",
        function=lambda **_: None,  # type: ignore[arg-type]
        reads={"rain": silver("rain"), "people": silver("people"), "names": silver("names")},
        grain=("name",),
        rebuild_by=("name",),
        narrows={"people": ("name",)} if narrowed_too else {},
        touched={name: follows[name] for name in order},
    )
    rain = local_frame(spark, [("here",)], "place string")
    lake: Any = SimpleNamespace(
        spark=spark,
        changes=SimpleNamespace(
            between=lambda _, table, *__: rain if table.name.table == "rain" else people,
            known_between=lambda *_: None,
        ),
    )
    monkeypatch.setattr(parts, "_as_it_was", then)
    tables: Any = {name: Table(silver(name), [APPENDED]) for name in wet.reads}

    inputs = Inputs(tables, dict.fromkeys(tables, 2), Now(rain=rain, people=people, names=people))
    found = list(parts._parts_asked(wet, lake, inputs, "rain", {"rain": 1, "people": 1}, {}))
    assert {row["name"] for frame in found for row in frame.collect()} == {"Ben"}
    assert set(seen) == expected
    seen.clear()
    list(parts._parts_asked(wet, lake, inputs, "rain", {"rain": 1}, {}))
    assert seen == ["now"]  # nobody moved
