"""What a registry file asks of a load otherwise than the last one was: as far as can be said without the source."""

from lakehouse.raw.state import State
from lakehouse.registry.tables import SourceTable


def declared_changes(table: SourceTable, state: State) -> tuple[str, ...]:
    """What ``table`` declares and ``state`` has otherwise, in words: the next load reads all rows, or stops.

    What only the source or the profile says is not compared: a primary key, the types of columns, the zone where the file
    names none. A state of the first version, which names no columns, says too little.
    """
    if not state.columns:
        return ()
    changes = []
    if not _comes_from(table, state.origin):
        changes.append(
            f"it comes from {table.source.connection} {table.source.relation} now, before from {state.origin}"
        )
    key = _key(table, state)
    if key != state.key:
        changes.append(f"its key is ({', '.join(key)}) now, was ({', '.join(state.key)})")
    cursor = _lake_name(state, table.follows) if table.follows else None
    if cursor != state.cursor:
        changes.append(f"its cursor is {cursor or 'none'} now, was {state.cursor or 'none'}")
    zone = state.options.get("timezone")
    if table.timezone and zone and table.timezone != zone:
        changes.append(f"its timezone is {table.timezone} now, was {zone}")
    return tuple(changes)


def stops(table: SourceTable, state: State) -> bool:
    """Whether the next load refuses: a table with history, whose older versions have the key that they were read by."""
    return table.history and bool(state.columns) and _key(table, state) != state.key


def _key(table: SourceTable, state: State) -> tuple[str, ...]:
    return tuple(_lake_name(state, name) for name in table.key) or state.key


def _comes_from(table: SourceTable, origin: str) -> bool:
    """Whether ``origin`` is the table's source, whose relation may be written without the schema that it has there."""
    connection, _, relation = origin.partition(" ")
    spelled = table.source.relation.replace('"', "")  # quotes protect the dots of a name, and are none of it
    return connection == table.source.connection and f".{relation}".endswith(f".{spelled}")


def _lake_name(state: State, spelled: str) -> str:
    """The lake name of a column that the registry names by that or by its name at the source."""
    return next((column.name for column in state.columns if spelled in (column.name, column.source_name)), spelled)
