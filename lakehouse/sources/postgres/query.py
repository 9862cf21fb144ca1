"""The SQL that reads a relation: which columns, which rows, which part of it."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from lakehouse.sources.postgres.describe import PostgresRelation
from lakehouse.sources.postgres.quoting import quote_identifier, quote_literal
from lakehouse.sources.reader import COVERED, MISFITS, Bound

#: A range holds about this much of the heap: enough to make a file worth opening, few enough to share between cores.
_PAGES_PER_RANGE = 16_384  # 128 MiB of 8 KiB pages
_LAST_PAGE = 4_294_967_295


def select(table: PostgresRelation, columns: Sequence[str]) -> str:
    """The SELECT list and FROM of a read of ``columns`` (lake names), with :data:`MISFITS` last."""
    expressions = [f"{table.reads[name].expression} AS {quote_identifier(name)}" for name in columns]
    return f"SELECT {', '.join([*expressions, f'{_misfits(table, columns)} AS {MISFITS}'])} FROM {table.sql}"


def select_keys(table: PostgresRelation, key: Sequence[str], bound: Bound | None) -> str:
    """The keys of all rows, each with :data:`COVERED`: whether a read within ``bound`` brings the row."""
    expressions = [f"{table.reads[name].expression} AS {quote_identifier(name)}" for name in key]
    covered = " AND ".join(where(table, bound)) or "true"
    return f"SELECT {', '.join(expressions)}, ({covered}) AS {quote_identifier(COVERED)} FROM {table.sql}"


def with_keys(table: PostgresRelation, key: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The condition that a row has one of the keys ``rows`` (values in the order of ``key``)."""
    columns = [table.relation.column(name) for name in key]
    names = ", ".join(quote_identifier(column.source_name) for column in columns)
    values = ", ".join(
        f"({', '.join(f'{_literal(value)}::{column.source_type}' for value, column in zip(row, columns, strict=True))})"
        for row in rows
    )
    return f"({names}) IN (VALUES {values})"


def _literal(value: Any) -> str:
    if isinstance(value, bytes):
        return quote_literal(f"\\x{value.hex()}")
    return quote_literal(value.isoformat() if isinstance(value, date) else str(value))


def _misfits(table: PostgresRelation, columns: Sequence[str]) -> str:
    """JSON of the values that do not fit, by lake name; NULL for the rows (nearly all) in which all do."""
    good, entries = [], []
    for column in table.relation.columns:
        fits = table.reads[column.name].fits
        if column.name not in columns or fits is None:
            continue
        source = quote_identifier(column.source_name)
        good.append(f"({fits})" if not column.nullable else f"({source} IS NULL OR ({fits}))")
        entries.append(f"{quote_literal(column.name)}, CASE WHEN NOT ({fits}) THEN {source}::text END")
    if not good:
        return "NULL::text"
    listed = f"jsonb_strip_nulls(jsonb_build_object({', '.join(entries)}))::text"
    return f"CASE WHEN {' AND '.join(good)} THEN NULL ELSE {listed} END"


def where(table: PostgresRelation, bound: Bound | None) -> list[str]:
    """The conditions of ``bound``. A row whose cursor is NULL is on no side of it, and is read each time."""
    if bound is None or (bound.lower is None and bound.upper is None):
        return []
    source = table.relation.column(bound.cursor)
    column = quote_identifier(source.source_name)
    template = table.reads[bound.cursor].as_bound
    conditions = []
    if bound.lower is not None:
        conditions.append(f"{column} >= {template.format(_literal(bound.lower))}")
    if bound.upper is not None:
        conditions.append(f"{column} < {template.format(_literal(bound.upper))}")
    nullable = f" OR {column} IS NULL" if source.nullable and bound.upper is None else ""
    return [f"({' AND '.join(conditions)}{nullable})"]


def page_ranges(table: PostgresRelation, parallelism: int) -> list[str | None]:
    """Conditions on ``ctid`` that part the heap, each row in exactly one; ``[None]`` where one read serves.

    They need neither key nor statistics. In a relation with partitions each condition applies to every partition.
    """
    blocks = table.blocks or 0
    if blocks < _PAGES_PER_RANGE // 4:
        return [None]
    rounds = -(-blocks // (_PAGES_PER_RANGE * parallelism))  # so that all readers end at about the same time
    parts = rounds * parallelism
    if parts <= 1:
        return [None]
    edges = [blocks * part // parts for part in range(parts)] + [_LAST_PAGE]
    return [f"ctid >= '({low},0)'::tid AND ctid < '({high},0)'::tid" for low, high in itertools.pairwise(edges)]


def with_conditions(query: str, conditions: Iterable[str | None]) -> str:
    """``query`` with those of ``conditions`` that are there."""
    wanted = [condition for condition in conditions if condition]
    return f"{query} WHERE {' AND '.join(wanted)}" if wanted else query


def fingerprint(table: PostgresRelation, conditions: Iterable[str | None]) -> str:
    """SQL for one text that changes whenever a row that meets ``conditions`` is added, changed or removed.

    In a heap each version of a row has its own place and transaction, which is cheap to hash; elsewhere the rows
    themselves are hashed.
    """
    version = (
        "hashtidextended(ctid, xmin::text::bigint + (tableoid::bigint << 32))"
        if table.is_heap
        else "hashtextextended(row_to_json(source)::text, 0)"
    )
    query = f"SELECT count(*) || ':' || coalesce(sum({version}::numeric), 0) FROM {table.sql} AS source"
    return with_conditions(query, conditions)
