"""What every kind of source is to the engine: a session during a run and, in it, a reader for each relation.

A kind of source is a folder beside this file: ``settings.py`` with the model ``Settings`` (how it is reached) and
``source.py`` with ``opened`` (see :mod:`lakehouse.sources.opening`). A reader knows no Iceberg, no watermark and no registry:
late rows, deletes, drift, the brake and the books are the affair of ``raw/``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol, runtime_checkable

import pyarrow as pa

from lakehouse.errors import SourceError
from lakehouse.paths import engine_column
from lakehouse.sources.relation import SourceRelation

#: A cursor's value: a whole number, a day, or a moment (UTC).
Value = int | date | datetime
#: The column of a read that holds JSON of the values that fit no type, by lake name; NULL where all fit.
MISFITS = "_misfits"
#: What stands in it in the place of a column, where a record cannot be read at all: why, without a letter of it.
RECORD = engine_column("record")
#: What a row does to its key, where a message may say that it is gone.
OPERATION, UPSERT, DELETE = "_op", "upsert", "delete"
#: The column of a read of keys that is true where a read within the bound brings the row.
COVERED = engine_column("covered")


@dataclass(frozen=True)
class Bound:
    """The rows whose ``cursor`` (lake name) is ``lower`` or above, and below ``upper``; open where a side is ``None``."""

    cursor: str
    lower: Value | None = None
    upper: Value | None = None


@dataclass(frozen=True)
class Horizon:
    """Which rows a session may not show yet, although they will bear cursors below those that it shows.

    Attributes:
        at: UTC; no transaction that the session does not show began before it, prepared ones apart.
        asked_at: UTC, by the source's clock, when the open transactions were looked at.
        guard: how much was taken off the beginning of the oldest one to come to ``at``.
        prepared: names of prepared transactions, whose beginning is not known.
        has_transactions: whether rows become visible together, some time after they were stamped. Where they do not,
            what is visible is all that there is.
    """

    at: datetime
    asked_at: datetime
    guard: timedelta = timedelta(0)
    prepared: tuple[str, ...] = ()
    has_transactions: bool = True


@dataclass(frozen=True)
class Look:
    """What a source says of its rows without sending them.

    Attributes:
        fingerprint: changes whenever a row within the bound is added, changed or removed.
        keys: how many keys the whole relation has; ``None`` when that was not asked.
    """

    fingerprint: str
    keys: int | None


class Part(Protocol):
    """A part of a read. It can be pickled, and be read on an executor."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, columns by their lake names; those of a whole read end with :data:`MISFITS`.

        Raises:
            SourceUnavailableError: the connection broke; trying again may help.
            SourceError: the source refused.
        """
        ...


class Reader(Protocol):
    """One relation of a source, as its session sees it."""

    relation: SourceRelation
    #: What decides, besides the columns, which values a row arrives with (a time zone); by name.
    options: Mapping[str, str]

    def floor(self, cursor: str) -> int | None:
        """The highest value of an integer cursor that was visible before the horizon was asked for; ``None``: none."""
        ...

    def slack(self, cursor: str) -> timedelta | int:
        """How far below the horizon a value may still come: the hour that a clock shows twice, numbers handed out ahead."""
        ...

    def look(self, columns: Sequence[str], bound: Bound | None, *, count_keys: bool) -> Look | None:
        """The source's rows within ``bound`` (all: ``None``), cheaply; ``None`` where it cannot tell cheaply.

        Args:
            columns: those of which a change matters.
            count_keys: whether the number of keys is wanted, too.
        """
        ...

    def look_of(
        self,
        keys: Iterable[pa.RecordBatch],
        rows: Iterable[pa.RecordBatch],
        columns: Sequence[str],
        bound: Bound | None,
    ) -> Look | None:
        """What :meth:`look` would say of a source that holds just those; ``None`` where it cannot tell.

        Asked only of sources whose session shows no one moment: there the rows that raw holds tell what was seen.

        Args:
            keys: the relation's key columns of all rows.
            rows: all columns of those from the lower side of ``bound`` on, and :data:`MISFITS`.
        """
        ...

    def read(self, columns: Sequence[str], bound: Bound | None = None, keys: pa.Table | None = None) -> Sequence[Part]:
        """The rows within ``bound``, or those with ``keys`` (columns by lake names), or all, each in just one part."""
        ...

    def read_keys(self, key: Sequence[str], bound: Bound | None) -> Sequence[Part]:
        """The ``key`` columns of all rows, and :data:`COVERED`."""
        ...

    def repetitive(self) -> tuple[str, ...] | None:
        """Columns with few different values, by the source's statistics; ``None`` when it has none."""
        ...


@dataclass(frozen=True)
class Arrived:
    """What came to a relation since it was last read.

    Attributes:
        parts: the rows that came.
        position: what they are up to; a text that only this kind of source understands.
        read: how many files, or whatever rows arrive in, were read.
        what: what those are, for notes.
        rows: about how many they are.
        replaced: the origins (values of :data:`lakehouse.paths.ORIGIN`) of which raw has rows of another version: the rows
            that came take their place.
        vanished: the origins of which raw may have rows, and that are gone.
        notes: what else an operator should know.
    """

    parts: Sequence[Part]
    position: str
    read: int = 0
    what: str = "files"
    rows: int = 0
    replaced: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Held(Protocol):
    """What raw has rows of: the version of each of the ``origins``; of all without them."""

    def __call__(self, origins: Sequence[str] | None) -> Mapping[str, str]: ...


@runtime_checkable
class Feed(Reader, Protocol):
    """A relation to which rows only come: files in a folder, messages of a topic. Among its columns are some of
    :data:`lakehouse.paths.ARRIVAL_COLUMNS`, the last of them always; where arrivals replace others, those that name them, too.

    Attributes:
        brings_deletes: whether its batches have a column :data:`OPERATION`, since a message may say that a key is gone.
    """

    brings_deletes: bool

    def arrived(self, columns: Sequence[str], position: str | None, held: Held, *, anew: bool) -> Arrived:
        """What came since ``position``; all that is there when it is ``None``: then raw holds nothing, or nothing of it stays.

        Args:
            held: asked where the position does not tell.
            anew: whether what raw holds already is read again, too, as far as it is there.
        """
        ...


@dataclass(frozen=True)
class Wanted:
    """What a table of the registry wants of a relation.

    Attributes:
        relation: as the registry spells it.
        names: lake names by names at the source, where the registry gives other ones.
        columns: the columns that the registry declares, by their names at the source.
        cursor: the column that the table follows, as its name at the source; ``None``: it follows none.
        zone: the zone of moments that have none; the source's setting when absent.
        options: what else the registry says of the relation, for its kind of source.
        doing: what is read for which table, for messages.
        key: the columns that tell a row apart, by their names at the source; empty where the registry names none.
        is_loaded: whether the lake read it before, so that a source that cannot tell an empty relation from none may take it
            for empty.
    """

    relation: str
    names: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] = ()
    cursor: str | None = None
    zone: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    doing: str = "reading"
    key: Sequence[str] = ()
    is_loaded: bool = False

    def refuse_options(self, kind: str) -> None:
        """Raise :class:`SourceError` where there are options: for a kind of source that knows none."""
        if self.options:
            raise SourceError(
                f"{self.doing}: {self.relation} has options ({', '.join(self.options)}); {kind} knows none.",
                remedy="Remove `options` from `source:` in the registry file.",
            )

    def without_columns(self, what: str, remedy: str) -> SourceError:
        """Why a relation of texts cannot be read of which the registry declares no columns.

        Args:
            what: the texts, which say none: ``messages``.
        """
        return SourceError(
            f"{self.doing}: the registry file declares no columns, and {what} say none that can be relied on; expected the "
            "fields that are to be read.",
            remedy=f"Add them under `columns:`; {remedy}",
        )


class Session(Protocol):
    """A source during a run, shared by all of its tables.

    Attributes:
        taken_at: UTC, by the source's clock: all that became visible before it is shown.
        parallelism: how many tables, and how many parts of one, may be read at the same time.
        one_moment: whether all reads show what was visible at ``taken_at`` and nothing else.
        reads_in_threads: whether reading leaves Python's lock alone, so that threads read at the same time.
    """

    taken_at: datetime
    horizon: Horizon
    parallelism: int
    one_moment: bool
    reads_in_threads: bool

    def relations(self, schema: str | None = None) -> list[str]:
        """The relations of the source (of one schema), spelled as a registry file names them."""
        ...

    def describe(self, relation: str) -> SourceRelation:
        """What ``relation`` is like.

        Raises:
            SourceError: it is not there; the message names likely ones.
        """
        ...

    def reader(self, wanted: Wanted) -> AbstractContextManager[Reader]:
        """A reader of the relation.

        Raises:
            SourceError: it is not there, or is asked for what this kind of source does not know.
        """
        ...
