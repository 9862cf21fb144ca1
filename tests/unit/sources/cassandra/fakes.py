"""A fake of the driver's session: it answers page by page, and fails where a test says so."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Self

from cassandra import cqltypes

from lakehouse.sources.cassandra.schema import CassandraTable, Decode, read_as
from lakehouse.sources.relation import SourceColumn, SourceRelation

Page = Sequence[tuple[Any, ...]]
_TYPES = {"timeuuid": cqltypes.UUIDType, "text": cqltypes.UTF8Type, "blob": cqltypes.BytesType} | {
    str(kind.typename): kind for kind in (cqltypes.Int32Type, cqltypes.ShortType, cqltypes.ByteType, cqltypes.LongType,
    cqltypes.FloatType, cqltypes.DoubleType, cqltypes.BooleanType, cqltypes.UUIDType, cqltypes.DateType,
    cqltypes.SimpleDateType, cqltypes.DecimalType, cqltypes.IntegerType, cqltypes.InetAddressType, cqltypes.TimeType,
    cqltypes.DurationType)
}  # fmt: skip


class FakeSession:
    """Answers each query with ``pages``; what is in ``failures`` comes before the page of that number does.

    Attributes:
        asked: the paging state of each request, in order.
        taken: how many answers were waited for.
        bound: the values of each statement.
        prepared: the CQL of each statement that was prepared.
        cluster: what the driver knows of the cluster: keyspaces, and the ring of tokens.
    """

    def __init__(self, pages: Sequence[Page], failures: dict[int, list[Exception]] | None = None) -> None:
        self._pages, self._failures = pages, failures or {}
        self.asked: list[bytes | None] = []
        self.taken = 0
        self.bound: list[list[Any]] = []
        self.prepared: list[str] = []
        self.cluster = SimpleNamespace(metadata=SimpleNamespace(keyspaces={}, token_map=None))

    def with_ring(self, *tokens: int) -> Self:
        self.cluster.metadata.token_map = SimpleNamespace(ring=[SimpleNamespace(value=token) for token in tokens])
        return self

    def prepare(self, cql: str) -> Any:
        self.prepared.append(cql)
        return SimpleNamespace(cql=cql, fetch_size=None, bind=self._bind)

    def execute_async(self, statement: Any, paging_state: bytes | None, timeout: float) -> Any:
        self.asked.append(paging_state)
        number = int(paging_state or b"0")
        return SimpleNamespace(result=lambda: self._result(number))

    def _bind(self, values: list[Any]) -> str:
        self.bound.append(values)
        return "bound"

    def _result(self, number: int) -> Any:
        self.taken += 1
        if self._failures.get(number):
            raise self._failures[number].pop(0)
        following = number + 1
        state = str(following).encode() if following < len(self._pages) else None
        return SimpleNamespace(current_rows=self._pages[number] if self._pages else [], paging_state=state)


def table(**types: str) -> CassandraTable:
    """``app.t`` with columns of these CQL types; the first is its key. A name's last ``__`` stands for a quote."""
    names = {name: name.replace("__", '"') for name in types}
    reads = {name: read_as(names[name], kind) for name, kind in types.items()}
    key = next(iter(types))
    columns = tuple(
        SourceColumn(names[name], name, kind, reads[name].lake_type, name != key) for name, kind in types.items()
    )
    return CassandraTable('"app"."t"', SourceRelation("app.t", columns, (key,)), (names[key],), reads)


def sent(described: CassandraTable, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """``rows`` (values of ``columns`` as the driver takes them; JSON as text) as Cassandra sends them."""
    reads = [described.reads[name] for name in columns]
    kinds = [_TYPES["text" if read.decode is Decode.JSON else read.cql_type] for read in reads]
    return [
        tuple(None if cell is None else kind.serialize(cell, 4) for kind, cell in zip(kinds, row, strict=True))
        for row in rows
    ]
