"""What :mod:`lakehouse.silver.decide` decides, of few rows, by the driver with Arrow. One test holds both to one answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.iceberg.keys import positions
from lakehouse.raw.columns import DELETE
from lakehouse.silver.contract import FAILURES
from lakehouse.silver.decide import CONTENT, DELETED, DUPLICATE_KEY, MERGED, REJECTED, SUPERSEDED

_Mask = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Outcomes:
    """What becomes of each row of a batch; one place a row.

    Attributes:
        newest: whether it is the one that counts for its key.
        failures: the rules that it breaks, with reasons.
    """

    outcome: pa.Array
    newest: pa.Array
    failures: pa.Array

    def are(self, *outcomes: str) -> pa.Array:
        """Whether the row's outcome is one of ``outcomes``."""
        return pc.is_in(self.outcome, value_set=pa.array(outcomes, pa.string()))


def decide_here(checked: pa.Table, key: Sequence[str], cursor: str | None) -> Outcomes:
    """The outcome of each row of ``checked``; see :func:`lakehouse.silver.decide.decide`.

    Args:
        checked: the key's columns, the cursor, ``_ingested_at``, ``_op``, the failures, and :data:`CONTENT`, a number that
            rows of the same content share.
    """
    failures = checked.column(FAILURES).combine_chunks()
    good = np.asarray(pc.equal(pc.list_value_length(failures), 0))
    if not key:
        outcome = np.where(good, MERGED, REJECTED)
        return Outcomes(pa.array(outcome, pa.string()), pa.repeat(pa.scalar(True), len(outcome)), failures)
    first, undecided = _ranked(checked, key, cursor, good)
    keyless = np.zeros(checked.num_rows, bool)
    for name in key:
        keyless |= np.asarray(pc.is_null(checked.column(name)))
    deletes = np.asarray(pc.equal(checked.column("_op"), DELETE))
    cases = [keyless, undecided, ~first, deletes, ~good]
    outcome = np.select(cases, [REJECTED, REJECTED, SUPERSEDED, DELETED, REJECTED], MERGED)
    duplicates = pa.array(undecided & ~keyless)
    told = pc.if_else(duplicates, pa.scalar([DUPLICATE_KEY], failures.type), failures)
    return Outcomes(pa.array(outcome.tolist(), pa.string()), pa.array(first & ~keyless), told)


def _ranked(checked: pa.Table, key: Sequence[str], cursor: str | None, good: _Mask) -> tuple[_Mask, _Mask]:
    """Whether each row is the first of its key, newest first, and whether it is another that nothing puts behind the first."""
    seen = ["_ingested_at", *([cursor] if cursor else [])]
    order = pa.table(
        {
            "key": positions(checked, checked, key),
            **{f"seen {number}": checked.column(name) for number, name in enumerate(seen)},
            "good": pa.array(good.astype(np.int8)),
            "content": checked.column(CONTENT),
        }
    )
    sort_keys = [(name, "ascending" if name == "key" else "descending", "at_end") for name in order.column_names]
    places = pc.sort_indices(order, sort_keys=sort_keys)
    ordered = order.take(places)
    keys = ordered.column("key").to_numpy()
    begins = np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)]
    winners = ordered.take(pa.array(np.flatnonzero(begins)[np.cumsum(begins) - 1]))
    together = np.ones(len(keys), bool)
    for number in range(len(seen)):
        mine, first = ordered.column(f"seen {number}"), winners.column(f"seen {number}")
        both_null = pc.and_(pc.is_null(mine), pc.is_null(first))
        together &= np.asarray(pc.fill_null(pc.equal(mine, first), both_null))
    differs = np.asarray(pc.not_equal(ordered.column("content"), winners.column("content")))
    at = places.to_numpy()
    is_first, is_undecided = np.empty(len(at), bool), np.empty(len(at), bool)
    is_first[at], is_undecided[at] = begins, ~begins & together & differs
    return is_first, is_undecided
