"""A first gold table: a transformer that runs as it is, and a test of it that passes as it is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakehouse.errors import ConfigurationError
from lakehouse.paths import TableName

_MOMENT = re.compile(r"(.*_)?(at|on|date|day|time)")
_BY_DAY = re.compile(r"(.*_)?(day|date|daily)(_.*)?")
_BY = re.compile(r".*_(?:by|per)_(\w+)")
_VALUES = {
    "string": ("'a'", "'b'"),
    "boolean": ("True", "False"),
    "date": ("date(2026, 1, 1)", "date(2026, 1, 2)"),
    "timestamp": ("datetime(2026, 1, 1, 9)", "datetime(2026, 1, 2, 9)"),
    "binary": ("b'a'", "b'b'"),
}


@dataclass(frozen=True)
class Input:
    """A table that the mart reads.

    Attributes:
        columns: name to Spark SQL type, empty where it is not known.
        key: the columns that identify a row, as far as they are known.
    """

    table: TableName
    columns: Mapping[str, str]
    key: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.table.table


@dataclass(frozen=True)
class Join:
    """How a row of the main input names one of another: ``main.column = other.key``."""

    other: Input
    column: str
    key: str

    @property
    def measure(self) -> str:
        return f"with_{self.other.name}"


@dataclass(frozen=True)
class Mart:
    """A mart to scaffold: rows of the first input, counted.

    Attributes:
        counted: the columns whose values rows are counted by.
        by_day: whether they are counted by the day of the only one of these.
        grain: what the mart calls these.
        count: what the mart calls the number.
    """

    table: str
    main: Input
    joins: tuple[Join, ...]
    counted: tuple[str, ...]
    by_day: bool
    grain: tuple[str, ...]
    count: str

    @property
    def expressions(self) -> list[str]:
        """What :attr:`grain` is, over the main input alone."""
        return [f"to_date({_quoted(name)})" if self.by_day else _quoted(name) for name in self.counted]

    @property
    def description(self) -> str:
        by = f"the UTC day of {self.counted[0]}" if self.by_day else ", ".join(self.counted)
        return f"How many rows of {self.main.table.dotted} there are, by {by}."

    @property
    def meanings(self) -> dict[str, str]:
        """What each column means."""
        kind = "UTC day of {}." if self.by_day else "As {} has it."
        found = {name: kind.format(f"{self.main.name}.{c}") for name, c in zip(self.grain, self.counted, strict=True)}
        found[self.count] = f"Rows of {self.main.table.dotted}."
        for join in self.joins:
            found[join.measure] = f"Those whose {join.column} is that of a row of {join.other.table.dotted}."
        return found


def plan(table: str, inputs: Sequence[Input]) -> Mart:
    """What to count of ``inputs``, by the mart's name: ``…_by_day`` by day, ``…_by_user`` by its column, else by its key.

    Raises:
        ConfigurationError: nothing is known of an input's columns, or nothing joins an input to the first.
    """
    for item in inputs:
        if not item.columns:
            raise ConfigurationError(
                f"scaffolding {table}: no column of {item.table.dotted} is known; expected the table in the lake, or columns "
                "in its registry file.",
                remedy="Run `lakehouse run` for it first.",
            )
    main, others = inputs[0], inputs[1:]
    moment = next((name for name, kind in main.columns.items() if _is_moment(name, kind)), None)
    by_day = bool(_BY_DAY.fullmatch(table)) and moment is not None
    counted = (moment,) if by_day and moment else _counted(table, main)
    grain = ("date",) if by_day else counted
    count = main.name if main.name not in grain else "number_of_rows"
    return Mart(table, main, tuple(_join(table, main, other) for other in others), counted, by_day, grain, count)


def _is_moment(name: str, kind: str) -> bool:
    return kind in {"date", "timestamp"} or (not kind and bool(_MOMENT.fullmatch(name)))


def _counted(table: str, main: Input) -> tuple[str, ...]:
    by = _BY.fullmatch(table)
    named = [f"{by[1]}{end}" for end in ("", "_id", "_code", "_no")] if by else []
    found = next((name for name in named if name in main.columns), None)
    return (
        (found,) if found else tuple(name for name in main.key if name in main.columns) or (next(iter(main.columns)),)
    )


def _join(table: str, main: Input, other: Input) -> Join:
    key = other.key[0] if len(other.key) == 1 else ""
    singular = re.sub(r"ies$", "y", other.name) if other.name.endswith("ies") else other.name.removesuffix("s")
    for column in (key, f"{singular}_id", f"{singular}_{key}", f"{other.name}_id"):
        if key in other.columns and column in main.columns and column not in main.key:
            return Join(other, column, key)
    raise ConfigurationError(
        f"scaffolding {table}: no column of {main.table.dotted} ({', '.join(main.columns)}) names a row of "
        f"{other.table.dotted} (key: {', '.join(other.key) or 'not known'}); expected one called {singular}_id or like that "
        "key.",
        remedy=f"Leave {other.table.dotted} out of --reads, and join it by hand.",
    )


def sql(mart: Mart) -> str:
    """The text of ``<table>.sql``."""
    main = mart.main.name
    head = [
        f"-- description: {mart.description}",
        f"-- grain: {', '.join(mart.grain)}",
        f"-- rebuild_by: {', '.join(mart.grain)}",
        f"-- narrows: {mart.main.table.dotted}({', '.join(mart.expressions)})",
        *(f"-- column {name}: {meaning}" for name, meaning in mart.meanings.items()),
    ]
    of_main = [f"{main}.{_quoted(name)}" for name in mart.counted]
    values = [f"to_date({name})" if mart.by_day else name for name in of_main]
    columns = [f"{value} AS {_quoted(name)}" for value, name in zip(values, mart.grain, strict=True)]
    columns.append(f"count(*) AS {mart.count}")
    columns += [f"count({join.other.name}.{_quoted(join.key)}) AS {join.measure}" for join in mart.joins]
    lines = [f"SELECT {', '.join(columns)}", f"  FROM {mart.main.table.dotted} AS {main}"]
    for join in mart.joins:
        other = join.other.name
        on = f"{other}.{_quoted(join.key)} = {main}.{_quoted(join.column)}"
        lines.append(f"  LEFT JOIN {join.other.table.dotted} AS {other} ON {on}")
    lines.append(f" WHERE {' AND '.join(f'{name} IS NOT NULL' for name in of_main)}")
    lines.append(f" GROUP BY {', '.join(values)}")
    return "\n".join([*head, *lines]) + "\n"


def python(mart: Mart) -> str:
    """The text of ``<table>.py``."""
    names = [mart.main.name, *(join.other.name for join in mart.joins)]
    reads = {item.name: item.table.dotted for item in (mart.main, *(join.other for join in mart.joins))}
    groups = [f'F.to_date("{name}").alias("date")' if mart.by_day else f'"{name}"' for name in mart.counted]
    present = " & ".join(f'F.col("{name}").isNotNull()' for name in mart.counted)
    measures = [f'F.count(F.lit(1)).alias("{mart.count}")']
    lines = [f"    rows = {mart.main.name}.where({present})"]
    for join in mart.joins:
        lines.append(f'    known = {join.other.name}.select(F.col("{join.key}").alias("{join.measure}"))')
        lines.append(f'    rows = rows.join(known, F.col("{join.column}") == F.col("{join.measure}"), how="left")')
        measures.append(f'F.count("{join.measure}").alias("{join.measure}")')
    lines.append(f"    return rows.groupBy({', '.join(groups)}).agg(")
    lines += [f"        {measure}," for measure in measures]
    arguments = ", ".join(f"{name}: DataFrame" for name in names)
    narrows = mart.expressions[0] if len(mart.expressions) == 1 else tuple(mart.expressions)
    return "\n".join(
        [
            f'"""Gold: {mart.description[0].lower()}{mart.description[1:]}"""',
            "",
            "from pyspark.sql import DataFrame",
            "from pyspark.sql import functions as F",
            "",
            "from lakehouse.transformer import transformer",
            "",
            "",
            "@transformer(",
            f'    table="{mart.table}",',
            f"    reads={_literal(reads)},",
            f"    grain={_literal(mart.grain)},",
            f"    rebuild_by={_literal(mart.grain)},",
            f"    narrows={_literal({mart.main.name: narrows})},",
            "    columns={",
            *(f"        {_literal(name)}: {_literal(meaning)}," for name, meaning in mart.meanings.items()),
            "    },",
            ")",
            f"def {mart.table}({arguments}) -> DataFrame:",
            f'    """{mart.description}"""',
            *lines,
            "    )",
            "",
        ]
    )


def unit_test(mart: Mart) -> str:
    """The text of ``test_<table>.py``: three rows of which two belong together."""
    rows = [_row(mart, 0, 0), _row(mart, 0, 1), _row(mart, 1, 1)]
    given = {mart.main.name: rows}
    for join in mart.joins:
        given[join.other.name] = [_braces({join.key: _value(join.other.columns[join.key], 0)})]
    expected = [_expected(mart, 0, 2, 1), _expected(mart, 1, 1, 0)]
    body: list[str] = []
    for name, lines in given.items():
        body += [f"        {name}=[", *(f"            {row}," for row in lines), "        ],"]
    text = "\n".join([*body, *expected])
    used = [name for name in ("date", "datetime") if f"{name}(" in text]
    imports = [f"from datetime import {', '.join(used)}"] if used else []
    by = "day" if mart.by_day else "_and_".join(mart.grain)
    return "\n".join(
        [
            f'"""``{mart.table}``, rows in, rows out. A row holds only the columns that matter; the others are NULL."""',
            "",
            *imports,
            "from typing import Any",
            "",
            "",
            f"def test_rows_are_counted_by_{by}(transform: Any, assert_rows: Any) -> None:",
            "    result = transform(",
            f'        "{mart.table}",',
            *body,
            "    )",
            "    assert_rows(result, [",
            *(f"        {row}," for row in expected),
            "    ])  # fmt: skip",
            "",
        ]
    ).replace("'", '"')


def _row(mart: Mart, group: int, other: int) -> str:
    """A row of the main input, of one of two groups, that names one of two rows of each other input."""
    values = {name: _value(_kind(mart, name), group) for name in mart.counted}
    values |= {j.column: _value(j.other.columns[j.key], other) for j in mart.joins if j.column not in values}
    return _braces(values)


def _expected(mart: Mart, group: int, number: int, known: int) -> str:
    kind = "date" if mart.by_day else ""
    values = {g: _value(kind or _kind(mart, c), group) for g, c in zip(mart.grain, mart.counted, strict=True)}
    found = {j.measure: str(number * (group == 0) if j.column in mart.counted else known) for j in mart.joins}
    return _braces({**values, mart.count: str(number), **found})


def _kind(mart: Mart, name: str) -> str:
    return "timestamp" if mart.by_day and not mart.main.columns[name] else mart.main.columns[name]


def _value(kind: str, number: int) -> str:
    return _VALUES.get(kind, ("1", "2"))[number]


def _braces(values: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{_literal(name)}: {value}' for name, value in values.items())}}}"


def _literal(value: object) -> str:
    return repr(value).replace("'", '"')


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else f"`{name}`"
