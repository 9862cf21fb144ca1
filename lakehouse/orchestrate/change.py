"""One thing that would happen to a table of the lake, for whoever asks before anything runs."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happens to a table."""

    NEW = "new"
    COLUMNS = "columns"
    LAYOUT = "layout"
    READ = "read"
    CONTRACT = "contract"
    TRANSFORMER = "transformer"
    DOWNSTREAM = "downstream"
    STOPS = "stops"
    UNMADE = "unmade"


@dataclass(frozen=True)
class Change:
    """One thing that would happen to one table (``layer.table``)."""

    table: str
    kind: Kind
    detail: str

    def event(self) -> dict[str, str]:
        """The change as a line for machines."""
        return {"event": "change", "table": self.table, "kind": str(self.kind), "detail": self.detail}
