"""The load of a table whose rows arrive: in files of a folder, say. What is new is added; what came in another version takes
the place of its own rows.

Such rows leave raw itself, in the commit that brings the new ones: so raw holds one version of each origin, and silver, which
then looks at all of raw, needs no other rule for what another origin holds too.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from lakehouse.errors import SourceError, SystemFailureError
from lakehouse.iceberg.compact import compact
from lakehouse.iceberg.contents import HeldFile, Places
from lakehouse.iceberg.data_files import WrittenFile, texts_of, write
from lakehouse.iceberg.find_here import hits, ranges_of
from lakehouse.iceberg.keys import Keys
from lakehouse.iceberg.table import IcebergTable
from lakehouse.iceberg.terms import Term
from lakehouse.iceberg.write_here import Rewriting
from lakehouse.iceberg.writing import Writing
from lakehouse.paths import ORIGIN, VERSION
from lakehouse.raw.brake import check_brake
from lakehouse.raw.columns import OPERATION, UPSERT
from lakehouse.raw.loading import Loading
from lakehouse.raw.plan import Found, ReadPlan, plan, read_columns
from lakehouse.raw.request import Loaded
from lakehouse.raw.state import State
from lakehouse.sources.reader import Arrived, Feed


@dataclass(frozen=True)
class Leaving:
    """A data file of raw that loses rows, and where in it they stand."""

    file: HeldFile
    places: Places


class Arriving(Loading):
    """See this module."""

    def run(self) -> Loaded:
        feed = self._feed()
        planned = plan(
            self.table, self.state, self.contract, self.request, Found(self.rows_in_raw, feed.options, False)
        )
        position = self.state.position if self.state else None
        arrived = feed.arrived(
            self.contract.names, None if planned.replaces else position, self._held, anew=planned.begins_anew
        )
        if arrived.position == position and not planned.begins_anew:
            return Loaded(self.table.table, notes=(*planned.why, *arrived.notes))
        self.lake.something_came()
        cared = () if planned.replaces or self.target is None else compact(self.target)
        planned = replace(planned, why=(*planned.why, *cared))
        writing = self.writing(planned)
        try:
            return self._load(planned, arrived, writing, brings_operation=feed.brings_deletes)
        except BaseException:
            writing.abandon()
            raise

    def _feed(self) -> Feed:
        if not isinstance(self.reader, Feed):
            raise SourceError(
                f"ingesting {self.table.table}: {self.table.source.connection} shows rows as they are, and nothing arrives "
                "there; expected a source of files for `load: arrivals`.",
                remedy="Write `cursor:` for what changed since the last load, or `load: full`.",
            )
        return self.reader

    def _held(self, origins: Sequence[str] | None) -> dict[str, str]:
        """See :class:`lakehouse.sources.reader.Held`."""
        if self.target is None:
            return {}
        schema = self._columns(self.target, (ORIGIN, VERSION))
        wanted = None if origins is None else pa.table({ORIGIN: pa.array(origins, pa.string())})
        within = None if wanted is None else ranges_of(wanted, [Term(ORIGIN)], schema)
        found: dict[str, str] = {}
        for file in self.target.held_files(within):
            for batch in file.batches(schema):
                pairs = pa.Table.from_batches([batch]).group_by([ORIGIN, VERSION]).aggregate([])
                found.update(zip(pairs.column(ORIGIN).to_pylist(), pairs.column(VERSION).to_pylist(), strict=True))
        return found if origins is None else {name: found[name] for name in origins if name in found}

    def _load(self, planned: ReadPlan, arrived: Arrived, writing: Writing, *, brings_operation: bool) -> Loaded:
        constants = self.constants(UPSERT)
        if brings_operation:
            del constants[OPERATION]
        files = replace(self.gathering, rows=arrived.rows).files(arrived.parts, writing, constants, None)
        follows = self.table.deletes.detect != "never"
        origins = (*arrived.replaced, *(arrived.vanished if follows else ()))
        leaving = [] if planned.replaces else list(self._leaving(origins))
        came = sum(file.rows for file in files)
        self._brake(planned, came, sum(len(one.places) for one in leaving))
        stays = [file for one in leaving if (file := self._without(one, writing)) is not None]
        gone = [one.file for one in leaving]
        snapshot = writing.commit([*files, *stays], self._state(arrived).properties(self.request.run_id), gone)
        notes = (*planned.why, *self.drift.notes(), *_notes(arrived, follows=follows))
        return Loaded(self.table.table, came, 0, snapshot, notes)

    def _leaving(self, origins: Collection[str]) -> Iterator[Leaving]:
        """Where the rows of ``origins`` stand in raw."""
        if self.target is None or not origins:
            return
        if not self.target.is_written_here():
            raise SystemFailureError(
                f"ingesting {self.table.table}: what it read before changed ({_some(origins)}), and another program left "
                "row-level deletes, or partitions, in raw; expected a table that only this engine writes. Nothing was changed.",
                remedy=f"Run again with --full-refresh --tables {self.table.table}, which reads all files anew.",
            )
        wanted = pa.table({ORIGIN: pa.array(sorted(origins), pa.string())})
        schema, terms = self.target.arrow_schema(), [Term(ORIGIN)]
        by, keys = self._columns(self.target, (ORIGIN,)), Keys(wanted)
        for file in self.target.held_files(ranges_of(wanted, terms, schema)):
            places = hits(file, by, keys, terms)[0]
            if len(places):
                yield Leaving(file, places)

    def _without(self, leaving: Leaving, writing: Writing) -> WrittenFile | None:
        """The rows of a data file that stay, in a file of their own."""
        if len(leaving.places) == leaving.file.rows:
            return None
        target = writing.new_file()
        stays = Rewriting(leaving.file, leaving.places).batches(target.schema)
        return write(target, stays, {}, repetitive=texts_of(target.schema))

    def _brake(self, planned: ReadPlan, came: int, leaving: int) -> None:
        """Ask a person where much more leaves than comes."""
        lost = (self.rows_in_raw if planned.replaces else leaving) - came
        check_brake(self.table, self.rows_in_raw, max(0, self.rows_in_raw - lost), lost, self.request)

    def _state(self, arrived: Arrived) -> State:
        return State(
            taken_at=self.taken_at,
            origin=self.contract.origin,
            key=self.contract.key,
            columns=read_columns(self.contract),
            options=dict(self.reader.options),
            position=arrived.position,
        )

    @staticmethod
    def _columns(table: IcebergTable, names: Sequence[str]) -> pa.Schema:
        schema = table.arrow_schema()
        return pa.schema([schema.field(name) for name in names])


def _notes(arrived: Arrived, *, follows: bool) -> tuple[str, ...]:
    told = [*arrived.notes, *([f"{arrived.read:,} {arrived.what} read"] if arrived.read else [])]
    if arrived.replaced:
        told.append(f"{len(arrived.replaced):,} of them in place of another version ({_some(arrived.replaced)})")
    if arrived.vanished:
        became = "their rows left" if follows else "their rows stay"
        told.append(f"{len(arrived.vanished):,} {arrived.what} are gone, {became} ({_some(arrived.vanished)})")
    return tuple(told)


def _some(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:3]) + (", …" if len(names) > 3 else "")
