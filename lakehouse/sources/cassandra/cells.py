"""Pages as columns of cells, each cell the bytes that Cassandra sent: Arrow reads them a column at a time.

The driver makes a Python object of each cell, by its type: a UUID or a decimal takes longer than all the rest of its way.
Bytes take a tenth of the time, and numbers that stand side by side become a column without a look at each.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from cassandra import DriverException
from cassandra.cqltypes import BytesType
from cassandra.protocol import NumpyProtocolHandler, ProtocolHandler, ResultMessage

Columns = Sequence[Sequence[bytes | None]]

#: The driver's compiled parser that makes columns, where it was built with one; else that which makes rows.
_Parsing: Any = NumpyProtocolHandler or ProtocolHandler
_Result: Any = _Parsing.message_types_by_opcode[ResultMessage.opcode]


class _Cells(_Result):  # type: ignore[misc]
    """An answer whose columns all count as blobs."""

    column_metadata: Any

    def recv_results_metadata(self, f: Any, user_type_map: Any) -> None:
        super().recv_results_metadata(f, user_type_map)
        if self.column_metadata:
            self.column_metadata = [(*names, BytesType) for *names, _ in self.column_metadata]

    def recv_results_rows(self, *message: Any) -> None:
        super().recv_results_rows(*message)
        if self.parsed_rows is None:  # the driver keeps to itself that it could not read it
            raise DriverException("an answer could not be read; expected rows as its own description has them")


class CellsHandler(_Parsing):  # type: ignore[misc]
    """What a session of the driver reads answers by, so that :func:`columns` finds cells as bytes."""

    message_types_by_opcode: ClassVar[dict[int, Any]] = {
        **_Parsing.message_types_by_opcode,
        ResultMessage.opcode: _Cells,
    }


def columns(page: Any) -> Columns:
    """The cells of one answer, column by column in the order of the query; none for an answer without a row."""
    rows = page.current_rows
    if rows and isinstance(rows[0], Mapping):
        found = tuple(rows[0].values())
        return found if len(found[0]) else ()
    return tuple(zip(*rows, strict=True))
