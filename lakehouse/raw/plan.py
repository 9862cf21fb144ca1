"""What a load reads, and what it does to raw: decided from what is known, before a row is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from lakehouse.errors import ConfigurationError, DataError
from lakehouse.raw.columns import Contract
from lakehouse.raw.request import Request, Window
from lakehouse.raw.state import ReadColumn, State
from lakehouse.registry.tables import Load, SourceTable
from lakehouse.sources.reader import Bound, Look
from lakehouse.sources.relation import CursorKind


class Reads(StrEnum):
    """Which rows of the source a load reads."""

    NOTHING = "nothing"
    NEWER = "newer"
    WINDOW = "window"
    EVERYTHING = "everything"
    ARRIVED = "arrived"


@dataclass(frozen=True)
class ReadPlan:
    """What a load does.

    Attributes:
        bound: the rows that are read; ``None``: all, or none.
        replaces: whether the rows that are read become raw's content; else they are added to it.
        compares_keys: whether keys are compared, so that deletes and late rows are seen.
        moves_watermark: whether the load vouches for all rows up to the new watermark; a window does not.
        begins_anew: whether the watermark and what goes with it are not those of the state before.
        why: what an operator should know of the reasons; empty for the ordinary load.
    """

    reads: Reads
    bound: Bound | None = None
    replaces: bool = False
    compares_keys: bool = False
    moves_watermark: bool = True
    begins_anew: bool = False
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What is there before a load.

    Attributes:
        rows_in_raw: tombstones and old versions counted.
        options: what decides, besides the columns, which values rows arrive with.
        keys_due: whether it is time to compare keys.
        look: what the source says of its rows from the watermark on; ``None`` where it was not asked or cannot tell.
    """

    rows_in_raw: int
    options: Mapping[str, str]
    keys_due: bool
    look: Look | None = None


def plan(table: SourceTable, state: State | None, contract: Contract, request: Request, found: Found) -> ReadPlan:
    """What the load of ``table`` does.

    Raises:
        ConfigurationError: a window and a full refresh together: the window would become the whole table.
        DataError: raw holds rows and no state says up to where the source was read; or the key changed, and the table keeps a
            history, whose versions cannot be read again.
    """
    if request.full_refresh and request.window:
        raise ConfigurationError(
            f"ingesting {table.table}: a full refresh together with a range of days would make the range the whole table.",
            remedy="Ask for one of the two.",
        )
    if table.load is Load.ARRIVALS:
        return _arrivals(table, state, contract, request, found)
    if request.full_refresh:
        replaces = request.replaces(table) or not found.rows_in_raw
        return _everything(table, ("a full refresh is asked for",), replaces=replaces, found=found)
    if state is None:
        if found.rows_in_raw:
            raise _stateless(table, found.rows_in_raw)
        return _everything(table, (), replaces=True, found=found)
    changes = decisive_changes(state, contract, found.options)
    if state.key != contract.key and table.history:
        raise _key_of_history(table, state, contract)
    if changes:
        key_changed = state.key != contract.key
        return _everything(table, changes, replaces=_is_full(table) or key_changed, found=found)
    if _is_full(table):
        same = found.look is not None and found.look.fingerprint == state.fingerprint
        return ReadPlan(Reads.NOTHING) if same else _everything(table, (), replaces=True, found=found)
    return _increment(state, contract, request.window, found)


def _arrivals(table: SourceTable, state: State | None, contract: Contract, request: Request, found: Found) -> ReadPlan:
    """What a load reads of what arrives. Only a full refresh gives up the rows of what is no longer there."""
    if request.full_refresh:
        why = ("all that is there is read: a full refresh is asked for",)
        return ReadPlan(Reads.ARRIVED, replaces=True, begins_anew=True, why=why)
    if state is None:
        if found.rows_in_raw:
            raise _stateless(table, found.rows_in_raw)
        return ReadPlan(Reads.ARRIVED, replaces=True, begins_anew=True)
    if changes := decisive_changes(state, contract, found.options):
        why = (f"all that is there is read: {'; '.join(changes)}",)
        return ReadPlan(Reads.ARRIVED, begins_anew=True, why=why)
    days = ("what arrives is read by what was read before, whatever the days",)
    return ReadPlan(Reads.ARRIVED, why=days if request.window else ())


def _increment(state: State, contract: Contract, window: Window | None, found: Found) -> ReadPlan:
    """What an incremental table reads whose state vouches for all that it holds."""
    assert contract.cursor is not None
    why: tuple[str, ...] = ()
    if window is not None:
        if contract.cursor_kind is not CursorKind.INTEGER:
            return ReadPlan(Reads.WINDOW, _days(contract, window), moves_watermark=False)
        why = (f"cursor {contract.cursor} is an integer, which has no days: read from the watermark on",)
    lower = state.watermark.lower if state.watermark else None
    same = found.look is not None and found.look.fingerprint == state.fingerprint
    if same and found.look and (not found.keys_due or _as_many_keys(state, found.look)):
        return ReadPlan(Reads.NOTHING, why=why)
    if lower is None:
        return ReadPlan(Reads.EVERYTHING, compares_keys=found.keys_due, why=why)
    return ReadPlan(Reads.NEWER, Bound(contract.cursor, lower), compares_keys=found.keys_due, why=why)


def _as_many_keys(state: State, look: Look) -> bool:
    """Whether the source has as many keys as when ``state`` was made. A load after which keys were not compared may have
    brought new ones: its count is an older one, which a delete may happen to meet."""
    return state.keys_compared_at == state.taken_at and look.keys == state.keys


def wants_look(table: SourceTable, state: State | None, contract: Contract, request: Request, found: Found) -> bool:
    """Whether what the source says of its rows could show that there is nothing to do."""
    if state is None or state.fingerprint is None or request.full_refresh:
        return False
    if request.window is not None and not _is_full(table):
        return False
    return not decisive_changes(state, contract, found.options)


def decisive_changes(state: State, contract: Contract, options: Mapping[str, str]) -> tuple[str, ...]:
    """What, since ``state``, decides rows otherwise, in words: rows that were read before may be others now."""
    changes = []
    if state.origin != contract.origin:
        changes.append(f"it comes from {contract.origin} now, before from {state.origin or 'what is not known'}")
    if state.key != contract.key:
        changes.append(f"its key is {_listed(contract.key)} now, was {_listed(state.key)}")
    if state.cursor != contract.cursor:
        changes.append(f"its cursor is {contract.cursor or 'none'} now, was {state.cursor or 'none'}")
    for name in sorted({*state.options, *options}):
        if state.options.get(name) != options.get(name):
            changes.append(f"its {name} is {options.get(name)} now, was {state.options.get(name)}")
    vouched = {column.name: column for column in state.columns}
    for column in read_columns(contract):
        changes += _column_changes(column, vouched.get(column.name))
    return tuple(changes)


def _column_changes(now: ReadColumn, before: ReadColumn | None) -> list[str]:
    if before is None:
        return [f"column {now.name} was not read before"]
    if now.identity != before.identity and now.source_name == before.source_name:
        return [f"column {now.name} was dropped at the source and made anew"]
    if now.source_name != before.source_name and (now.identity != before.identity or not now.identity):
        return [f"column {now.name} is {now.source_name} at the source now, was {before.source_name}"]
    if now.source_type != before.source_type:
        return [f"column {now.name} is {now.source_type} at the source now, was {before.source_type}"]
    return []


def read_columns(contract: Contract) -> tuple[ReadColumn, ...]:
    """The contract's columns as a state names them."""
    return tuple(
        ReadColumn(name=c.name, source_name=c.source_name, source_type=c.source_type, identity=c.identity)
        for c in contract.columns
    )


def _everything(table: SourceTable, why: tuple[str, ...], *, replaces: bool, found: Found) -> ReadPlan:
    compares = not replaces and table.deletes.detect != "never" and found.rows_in_raw > 0
    said = (f"all rows are read: {'; '.join(why)}",) if why else ()
    return ReadPlan(Reads.EVERYTHING, replaces=replaces, compares_keys=compares, begins_anew=True, why=said)


def _is_full(table: SourceTable) -> bool:
    return table.load is Load.FULL


def _days(contract: Contract, window: Window) -> Bound:
    assert contract.cursor is not None
    if contract.cursor_kind is CursorKind.DATE:
        last = (window.end - timedelta(microseconds=1)).date()
        return Bound(contract.cursor, window.start.date(), last + timedelta(days=1))
    return Bound(contract.cursor, window.start, window.end)


def _listed(key: tuple[str, ...]) -> str:
    return f"({', '.join(key)})" if key else "none"


def _stateless(table: SourceTable, rows: int) -> DataError:
    keeps = "adds what the source holds and keeps the versions that raw has" if table.history else "replaces them"
    return DataError(
        f"ingesting {table.table}: raw holds {rows:,} rows, and none of its snapshots says up to where the source was read: "
        "the snapshot that said so was expired, or another program wrote the table. Expected a state beside the rows; "
        "reading on without one would lose or replace them. Nothing was read.",
        remedy=f"Run again with --full-refresh --tables {table.table}, which reads everything and {keeps}.",
    )


def _key_of_history(table: SourceTable, state: State, contract: Contract) -> DataError:
    return DataError(
        f"ingesting {table.table}: its key is {_listed(contract.key)} now, was {_listed(state.key)}; a table with history "
        "keeps its key, since its older versions cannot be read again by another.",
        remedy=f"Change the key back to [{', '.join(state.key)}], or register the table under another name.",
    )
