"""A pytest plugin for the tests of a registry's transformers: rows in, rows out.

In the ``conftest.py`` of a registry: ``pytest_plugins = ["lakehouse.testing"]``. Then::

    def test_coupons_are_counted_by_day(transform, assert_rows):
        result = transform("coupons_by_day", coupons=[{"id": 1, "created_at": datetime(2026, 1, 1)}])
        assert_rows(result, [{"date": date(2026, 1, 1), "coupons": 1}])

The registry is the one that ``LAKEHOUSE_REGISTRY`` names, else that of the project; the fixture
``lakehouse_registry`` may be overridden, and so may ``spark``.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pytest
from chispa.row_comparer import are_rows_approx_equal, are_rows_equal_enhanced
from chispa.rows_comparer import assert_generic_rows_equality
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from lakehouse.errors import ConfigurationError, suggest
from lakehouse.paths import Layer, TableName, quote
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry
from lakehouse.registry.transformers import Transformer
from lakehouse.settings import Environment
from lakehouse.silver.history import COLUMNS as HISTORY_COLUMNS
from lakehouse.silver.privacy import published_type
from lakehouse.spark import rows_to_frame

Rows = Sequence[Mapping[str, Any]]
_UNKNOWN = "void"  # NULL of any type: Spark makes of it what an expression needs
_INFERRED = {
    bool: "boolean",
    int: "bigint",
    float: "double",
    str: "string",
    bytes: "binary",
    date: "date",
    datetime: "timestamp",
}


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A small Spark, for registries whose conftest has none of its own."""
    builder = SparkSession.builder.master("local[2]").appName("tests")
    settings = {
        "ui.enabled": "false",
        "sql.session.timeZone": "UTC",
        "sql.shuffle.partitions": "2",
        "driver.host": "127.0.0.1",  # the machine's own name may lead nowhere
        "driver.bindAddress": "127.0.0.1",
    }
    for name, value in settings.items():
        builder = builder.config(f"spark.{name}", value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def lakehouse_registry() -> Registry:
    """The registry whose transformers are tested."""
    environment = Environment()
    return loader.load((environment.registry or environment.project() / "registry").resolve())


@pytest.fixture
def transform(spark: SparkSession, lakehouse_registry: Registry) -> Callable[..., DataFrame]:
    """``transform(table, /, *, schemas=None, **inputs)``: what the transformer of a gold table makes of rows.

    Each input is given by the name of its table, or of the transformer's argument, as dicts that hold only the columns
    that matter: the others are NULL, and an input that is not given is empty. Columns have the types that the registry
    declares for silver, else those of the values. ``schemas`` says more (``{"daily": "day date, n bigint"}``).
    Reference files arrive as they are unless rows are given, parameters by name; a transformer that asks for ``parts``
    or ``own`` makes the whole table unless rows are given.
    """

    def run(table: str, /, *, schemas: Mapping[str, str] | None = None, **inputs: Any) -> DataFrame:
        if table not in lakehouse_registry.transformers:
            known = sorted(lakehouse_registry.transformers)
            raise ConfigurationError(
                f"transform({table!r}): no registry file makes this gold table. {suggest(table, known)}"
            )
        transformer = lakehouse_registry.transformers[table]
        given = _by_argument(transformer, inputs)
        ddl = _by_argument(transformer, dict(schemas or {}))
        arguments: dict[str, Any] = {
            name: _frame(spark, given.get(name, ()), _declared(read, lakehouse_registry), ddl.get(name, ""))
            for name, read in transformer.reads.items()
        }
        for name, columns in transformer.uses.items():
            arguments[name] = arguments[name].select(*map(quote, columns))
        for name, path in transformer.references.items():
            rows = given.get(name)
            arguments[name] = (
                rows_to_frame(spark, pyarrow.csv.read_csv(path))
                if rows is None
                else _frame(spark, rows, {}, ddl.get(name, ""))
            )
        missing = [name for name in transformer.parameters if name not in given]
        if missing:
            raise ConfigurationError(
                f"transform({table!r}): the transformer asks for {', '.join(missing)}; expected a value.",
                remedy=f"Pass {missing[0]}=….",
            )
        arguments |= {name: given[name] for name in transformer.parameters}
        for name in transformer.wants:
            rows = given.get(name)
            arguments[name] = None if rows is None else _frame(spark, rows, {}, ddl.get(name, ""))
        return transformer.function(**arguments)

    return run


@pytest.fixture
def assert_rows(spark: SparkSession) -> Callable[..., None]:
    """``assert_rows(result, rows, precision=None)``: ``result`` has just these rows, in any order.

    Each row names every column of the result; ``precision`` is how far numbers may be apart.
    """

    def check(result: DataFrame, rows: Rows, precision: float | None = None) -> None:
        kinds = {field.name: field.dataType.simpleString() for field in result.schema.fields}
        for number, row in enumerate(rows, start=1):
            if set(row) != set(kinds):
                raise AssertionError(
                    f"expected row {number} names {', '.join(row)}; the result's columns are {', '.join(kinds)}. "
                    "Name each of them once."
                )
        values = [tuple(_value(row[name], kind) for name, kind in kinds.items()) for row in rows]
        expected = local_frame(spark, values, result.schema).collect()
        found, wanted = sorted(result.collect(), key=_order), sorted(expected, key=_order)
        options: dict[str, Any] = {"allow_nan_equality": True}
        if precision is None:
            assert_generic_rows_equality(found, wanted, are_rows_equal_enhanced, options)
        else:
            assert_generic_rows_equality(found, wanted, are_rows_approx_equal, options | {"precision": precision})

    return check


def local_frame(spark: SparkSession, values: Sequence[tuple[Any, ...]], schema: StructType | str) -> DataFrame:
    """A DataFrame of ``values`` that the driver holds: reading it starts neither a job nor a Python worker.

    Args:
        schema: of Spark, or as DDL (``"id int, at timestamp"``).
    """
    said = _schema(schema) if isinstance(schema, str) else schema
    table = _arrow(values, said)
    return spark.createDataFrame(values, said) if table is None else rows_to_frame(spark, table, said)


@cache
def _schema(ddl: str) -> StructType:
    said = StructType.fromDDL(ddl)
    if not isinstance(said, StructType):
        raise ConfigurationError(f"{ddl!r} is one type; expected columns: `name type, …`.")
    return said


def _arrow(values: Sequence[tuple[Any, ...]], schema: StructType) -> pa.Table | None:
    """``values`` as Arrow holds them; ``None`` where it would hold others, of which Spark then says what is wrong."""
    columns = list(zip(*values, strict=True)) or [()] * len(schema.fields)
    try:
        arrow = to_arrow_schema(schema)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, arrow, strict=True)]
    except (pa.ArrowException, TypeError, ValueError):
        return None
    same = all(array.to_pylist() == list(column) for array, column in zip(arrays, columns, strict=True))
    return pa.Table.from_arrays(arrays, schema=arrow) if same and arrays else None


def _order(row: Row) -> tuple[list[Any], list[Any]]:
    """Where a row stands among others: by all that is exact, then by doubles, which may be a little apart."""
    exact, near = [], []
    for value in row:
        if isinstance(value, float):
            near.append((True, not math.isnan(value), 0.0 if math.isnan(value) else value))
        else:
            exact.append((value is not None, str(value)))
    return exact, near


def _by_argument(transformer: Transformer, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """``inputs`` by the names of the transformer's arguments; they may come by the names of the tables."""
    names = {name: name for name in (*transformer.reads, *transformer.references, *transformer.parameters)}
    names |= {name: name for name in transformer.wants}
    for argument, read in transformer.reads.items():
        names.setdefault(read.table, argument)
    unknown = [name for name in inputs if name not in names]
    if unknown:
        raise ConfigurationError(
            f"transform({transformer.table!r}): it takes nothing called {unknown[0]!r}. {suggest(unknown[0], sorted(names))}"
        )
    return {names[name]: value for name, value in inputs.items()}


def _declared(read: TableName, registry: Registry) -> dict[str, str]:
    """The columns of an input that the registry declares, published as silver publishes them, with their types."""
    if read.layer is Layer.GOLD:
        return dict.fromkeys(registry.transformers[read.table].columns, _UNKNOWN)
    table = registry.source_of(read)
    kinds = {name: published_type(column.pii, column.type or _UNKNOWN) for name, column in table.columns.items()}
    declared = {name: kind for name, kind in kinds.items() if kind is not None}
    return declared | HISTORY_COLUMNS if registry.keeps_history(read) else declared


def _frame(spark: SparkSession, rows: Rows, declared: Mapping[str, str], ddl: str) -> DataFrame:
    """A DataFrame of ``rows``; the types are those of ``ddl``, then those declared, then those of the values."""
    kinds = dict(declared)
    for name in {name: None for row in rows for name in row}:
        if kinds.get(name, _UNKNOWN) == _UNKNOWN:
            kinds[name] = _inferred(name, [row.get(name) for row in rows])
    if ddl:
        kinds |= {field.name: field.dataType.simpleString() for field in _schema(ddl).fields}
    values = [tuple(_value(row.get(name), kind) for name, kind in kinds.items()) for row in rows]
    schema = ", ".join(f"{quote(name)} {kind}" for name, kind in kinds.items())
    return local_frame(spark, values, schema)


def _inferred(name: str, values: Sequence[Any]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return _UNKNOWN
    if isinstance(known[0], Decimal):
        return f"decimal(38,{max(-int(value.as_tuple().exponent) for value in known)})"
    if all(isinstance(value, int | float) for value in known) and any(isinstance(value, float) for value in known):
        return "double"
    if type(known[0]) not in _INFERRED:
        raise ConfigurationError(
            f"column {name!r}: the type of {known[0]!r} is not clear; expected a number, a text, a date, a time or bytes.",
            remedy="Give it: schemas={'the input': 'the_column array<string>'}.",
        )
    return _INFERRED[type(known[0])]


def _value(value: Any, kind: str) -> Any:
    """``value`` as Spark wants it for a column of type ``kind``; a time without a zone is UTC."""
    if value is None:
        return None
    if kind.startswith("decimal"):
        return Decimal(str(value))
    if kind in {"double", "float"}:
        return float(value)
    if isinstance(value, str) and kind in {"timestamp", "date"}:
        value = datetime.fromisoformat(value)
    if kind == "date" and isinstance(value, datetime):
        return value.date()
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
