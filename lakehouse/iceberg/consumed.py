"""What a table was made from: the snapshots of its inputs, in a property of its own snapshot."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from lakehouse.iceberg.snapshots import RUN_PROPERTY, HasHistory, SnapshotInfo

PROPERTY = "lakehouse.consumed"


@dataclass(frozen=True)
class Consumed:
    """What a snapshot of a table was made from.

    Attributes:
        inputs: snapshot id of each input, by ``layer.table``.
        definition: a fingerprint of the contract or the code that made it.
    """

    inputs: Mapping[str, int]
    definition: str

    def properties(self, run_id: str) -> dict[str, str]:
        """The snapshot properties that record this."""
        return {
            PROPERTY: json.dumps({"inputs": dict(self.inputs), "definition": self.definition}, sort_keys=True),
            RUN_PROPERTY: run_id,
        }


def last_consumed(table: HasHistory | None) -> Consumed | None:
    """What ``table`` was last made from; ``None`` when that is not known."""
    text = table.newest(PROPERTY) if table is not None else None
    if text is None:
        return None
    content = json.loads(text)
    return Consumed(content["inputs"], content["definition"])


def since(table: HasHistory, snapshot: int) -> list[SnapshotInfo] | None:
    """The snapshots of ``table`` after ``snapshot``, newest first; ``None`` when it is not in the history."""
    after: list[SnapshotInfo] = []
    for info in table.history():
        if info.identifier == snapshot:
            return after
        after.append(info)
    return None
