"""Merging few rows by the driver: the files that hold a key of theirs are found by their metrics and their key columns,
rewritten with Arrow, and take each other's place in one commit. No Spark job.

What it makes is what :func:`lakehouse.iceberg.write.merge` makes, and it writes less: a file in which every row is alike
before and after stays as it is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.iceberg.contents import HeldFile, Places
from lakehouse.iceberg.find_here import hits, ranges_of, rows_of
from lakehouse.iceberg.keys import Keys, alike, positions
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.terms import Term, columns_of
from lakehouse.iceberg.write_here import Rewriting, rewrite

#: So many bytes of data files are rewritten by the driver, one after the other; more are Spark's affair.
MOST_REWRITTEN = 256 * 2**20


@dataclass(frozen=True)
class Merged:
    """A merge that was committed.

    Attributes:
        changed: the rows that the target lost and those that it gained, in its columns.
    """

    snapshot: int
    changed: pa.Table


@dataclass
class _Difference:
    """What a merge changes.

    Attributes:
        drops: the places of the rows that leave each file.
        old: the rows that leave, new ones in their place included.
        new: the rows that come.
    """

    drops: dict[int, Places] = field(default_factory=dict)
    old: list[pa.Table] = field(default_factory=list)
    new: list[pa.Table] = field(default_factory=list)


def merge_here(
    changes: pa.Table,
    removed: pa.Array,
    target: IcebergTable,
    key: Sequence[str],
    properties: Mapping[str, str],
    *,
    mirror: bool = False,
    lost: Collection[str] = (),
) -> Merged | None:
    """Merge ``changes`` into ``target`` by ``key``, in one snapshot that bears ``properties``.

    Args:
        changes: one row a key, in the columns and Arrow types of the target.
        removed: for each row, whether its key leaves.
        mirror: whether keys that ``changes`` does not have leave too.
        lost: columns that the source no longer has: a NULL there leaves what the target has.

    Returns:
        ``None``, and nothing is written, where the driver cannot: too much would have to be rewritten, or the target is
        partitioned in a way that only Spark writes.
    """
    if not _pairs(target, key):
        return None
    schema, keys, terms = target.arrow_schema(), changes.select(key), [Term(name) for name in key]
    files = target.held_files(None if mirror else ranges_of(keys, terms, schema))
    if mirror and sum(file.size for file in files) > MOST_REWRITTEN:
        return None
    changes = changes.select(schema.names)
    ready, by = Keys(keys), columns_of(terms, schema)
    found = [hits(file, by, ready, terms) for file in files]
    if sum(file.size for file, (places, _) in zip(files, found, strict=True) if len(places)) > MOST_REWRITTEN:
        return None
    difference = _difference(changes, removed, schema, files, found, mirror=mirror, lost=lost)
    new = pa.concat_tables([schema.empty_table(), *difference.new]).combine_chunks()
    old = pa.concat_tables([schema.empty_table(), *difference.old])
    rewriting = [Rewriting(files[number], drop) for number, drop in difference.drops.items()]
    snapshot = rewrite(target, rewriting, new, properties)
    return Merged(snapshot, pa.concat_tables([old, new]))


def replace_part_here(
    rows: pa.Table,
    part: pa.Table,
    target: IcebergTable,
    key: Sequence[str],
    properties: Mapping[str, str],
) -> Merged | None:
    """Make ``rows`` what ``target`` holds for ``part``, in one snapshot that bears ``properties``.

    Args:
        rows: one row a ``key``, in the columns and Arrow types of the target.
        part: values of some of the target's columns. Rows of the target with such values that ``rows`` does not have leave.

    Returns:
        ``None``, and nothing is written, where the driver cannot; see :func:`merge_here`.
    """
    if not _pairs(target, key):
        return None
    schema = target.arrow_schema()
    columns = [schema.field(name) for name in dict.fromkeys([*key, *part.column_names])]
    existing = rows_of(target, part, columns)
    if existing is None:
        return None
    leaving = existing.filter(pc.is_null(positions(existing, rows, key))).select(key)
    empty = {name: pa.nulls(leaving.num_rows, schema.field(name).type) for name in schema.names if name not in key}
    gone = pa.table({**{name: leaving.column(name) for name in key}, **empty}).select(schema.names).cast(schema)
    changes = pa.concat_tables([rows.select(schema.names).cast(schema), gone])
    removed = pa.concat_arrays([pa.repeat(pa.scalar(False), rows.num_rows), pa.repeat(pa.scalar(True), gone.num_rows)])
    return merge_here(changes.combine_chunks(), removed, target, key, properties)


def _pairs(target: IcebergTable, key: Sequence[str]) -> bool:
    """Whether the driver writes ``target`` and pairs its rows as Spark does, for which -0.0 is 0.0."""
    if not target.is_written_here():
        return False
    schema = target.arrow_schema()
    return not any(pa.types.is_floating(schema.field(name).type) for name in key)


def _difference(
    changes: pa.Table,
    removed: pa.Array,
    schema: pa.Schema,
    files: Sequence[HeldFile],
    hit: Sequence[tuple[Places, Places]],
    *,
    mirror: bool,
    lost: Collection[str],
) -> _Difference:
    known = np.zeros(changes.num_rows, bool)
    found = _Difference()
    for number, (file, (places, sources)) in enumerate(zip(files, hit, strict=True)):
        known[sources] = True
        leaving = []
        if len(places):
            old, new = file.at(schema, places), changes.take(pa.array(sources))
            new = _with_held(new, old, lost)
            gone = np.asarray(removed.take(pa.array(sources)))
            other = ~np.asarray(alike(old, new))
            differs = gone | other
            found.old.append(old.filter(pa.array(differs)))
            found.new.append(new.filter(pa.array(other & ~gone)))
            leaving.append(places[differs])
        if mirror:
            unknown = np.setdiff1d(np.arange(file.rows), places, assume_unique=True)
            found.old.append(file.at(schema, unknown))
            leaving.append(unknown)
        drop = np.sort(np.concatenate(leaving)) if leaving else np.empty(0, np.int64)
        if len(drop):
            found.drops[number] = drop
    inserted = ~known & ~np.asarray(removed)
    found.new.append(changes.filter(pa.array(inserted)))
    return found


def _with_held(new: pa.Table, old: pa.Table, lost: Collection[str]) -> pa.Table:
    """``new``, where it has NULL in a column of ``lost``, with the value of ``old``."""
    for position, name in enumerate(new.column_names):
        if name in lost:
            new = new.set_column(position, new.schema.field(name), pc.coalesce(new.column(name), old.column(name)))
    return new
