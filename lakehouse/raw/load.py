"""The one ingest: from a source of any kind into raw, in one commit that holds rows, tombstones and the new state."""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pyarrow as pa

from lakehouse.iceberg.compact import compact
from lakehouse.iceberg.data_files import WrittenFile, write
from lakehouse.iceberg.find_here import all_rows
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.writing import Writing
from lakehouse.model import SourceSettings
from lakehouse.paths import quote, raw
from lakehouse.raw import deletes, differences
from lakehouse.raw.advance import bound_of, next_state
from lakehouse.raw.arrivals import Arriving
from lakehouse.raw.brake import check_brake
from lakehouse.raw.columns import DELETE, UPSERT
from lakehouse.raw.deletes import Difference
from lakehouse.raw.differences import columns_of_keys
from lakehouse.raw.held import MOST_ROWS, Held, too_much
from lakehouse.raw.loading import Loading, OpenedSource, spelled_at_source, wanted
from lakehouse.raw.plan import Found, ReadPlan, Reads, plan, wants_look
from lakehouse.raw.request import Loaded, Request
from lakehouse.raw.state import State
from lakehouse.registry.tables import Load, SourceTable
from lakehouse.sources import opening
from lakehouse.sources.opening import Followed
from lakehouse.sources.reader import MISFITS, Bound, Look

#: A source that Python reads row by row is not asked whether anything changed when it has more keys than these.
_MOST_LOOKED_AT = 1_000_000


@contextmanager
def opened(name: str, source: SourceSettings, tables: Collection[SourceTable]) -> Iterator[OpenedSource]:
    """Source ``name`` for the load of ``tables``, which see one moment of it where it can show one.

    Raises:
        SourceUnavailableError: it does not answer.
        SourceError: it refuses.
    """
    followed = [
        Followed(table.source.relation, spelled_at_source(table, str(table.cursor)))
        for table in tables
        if table.load is Load.INCREMENTAL
    ]
    with opening.opened(name, source, followed) as session, ThreadPoolExecutor(session.parallelism) as readers:
        yield OpenedSource(session, readers)


def ingest(table: SourceTable, source: OpenedSource, lake: Lake, request: Request) -> Loaded:
    """Bring ``table`` into raw.

    Raises:
        SourceError: the relation or a column is not there, or may not be read.
        SchemaDriftError, BrakeError, DataError: see there; raw is as it was.
    """
    target = lake.catalog.find(raw(table.table))
    with source.session.reader(wanted(table, target)) as reader:
        loading = Arriving if table.load is Load.ARRIVALS else _Reading
        return loading(table, source, reader, lake, request, target).run()


class _Reading(Loading):
    """The load of a table whose source shows rows as they are, by a bound of its cursor or as a whole."""

    def run(self) -> Loaded:
        planned = self._plan()
        if planned.reads is Reads.NOTHING:
            return Loaded(self.table.table, notes=planned.why)
        self.lake.something_came()
        cared = () if planned.replaces or self.target is None else compact(self.target)
        planned = replace(planned, why=(*planned.why, *cared))
        writing = self.writing(planned)
        try:
            return self._load(planned, writing)
        except BaseException:
            writing.abandon()
            raise

    def _plan(self) -> ReadPlan:
        rows_in_raw = self.target.row_count if self.target else 0
        found = Found(rows_in_raw, self.reader.options, deletes.is_due(self.table, self.state, self.taken_at))
        if wants_look(self.table, self.state, self.contract, self.request, found) and self._may_look():
            assert self.state is not None
            bound = bound_of(self.state, self.contract)
            look = self.reader.look(self.contract.names, bound, count_keys=found.keys_due and bound is not None)
            found = replace(found, look=look)
        return plan(self.table, self.state, self.contract, self.request, found)

    def _may_look(self) -> bool:
        keys = self.state.keys if self.state else None
        return self.session.one_moment or keys is None or keys <= _MOST_LOOKED_AT

    def _load(self, planned: ReadPlan, writing: Writing) -> Loaded:
        if planned.replaces:
            files = self._files(self.reader.read(self.contract.names), writing, first=True)
            rows = sum(file.rows for file in files)
            self._brake_on_replacing(rows)
            return self._commit(planned, writing, files, None, rows)
        if self.session.one_moment or self.target is None:
            compared = self._compare_here(planned) if planned.compares_keys else None
            files = self._files(self.reader.read(self.contract.names, planned.bound), writing)
            return self._commit(planned, writing, files, compared, None)
        return self._load_differences(planned, writing)

    def _load_differences(self, planned: ReadPlan, writing: Writing) -> Loaded:
        """Of a source that shows no one moment, each read brings rows that raw has already: only others are added."""
        assert self.target is not None
        beside = differences.beside(
            self.target, writing, self.reader, self.contract, self.gathering, planned, self.taken_at
        )
        with beside as comparison:
            files = comparison.write_new(writing, self.constants(UPSERT))
            compared = self._braked(comparison.difference()) if planned.compares_keys else None
        planned = replace(planned, why=(*planned.why, *comparison.notes))
        gone_or_late = compared is not None and bool(compared.gone.num_rows or compared.unseen.num_rows)
        dated = compared is not None and self.table.deletes.every is not None
        if not (files or gone_or_late or planned.begins_anew or dated) and self._knows_what_is_held(planned, writing):
            return Loaded(self.table.table, notes=planned.why)
        return self._commit(planned, writing, files, compared, None)

    def _knows_what_is_held(self, planned: ReadPlan, writing: Writing) -> bool:
        """Whether a look at a source with the rows of raw as it is would find that nothing is to do."""
        assert self.state is not None
        look = self._look_at_what_is_held(self.state, planned, writing, [])
        return look is None or (look.fingerprint, look.keys) == (self.state.fingerprint, self.state.keys)

    def _files(self, parts: Sequence[Any], writing: Writing, *, first: bool = False) -> list[WrittenFile]:
        repetitive = self.reader.repetitive() if first else None
        return self.gathering.files(parts, writing, self.constants(UPSERT), self.contract.cursor, repetitive)

    def _compare_here(self, planned: ReadPlan) -> Difference:
        """How raw's keys and the source's differ; rows that the read brings are awaited."""
        key = self.contract.key
        bound = planned.bound or (Bound(str(self.contract.cursor)) if planned.reads is Reads.EVERYTHING else None)
        source = self.gathering.table(self.reader.read_keys(key, bound), columns_of_keys(self.contract))
        return self._braked(deletes.difference_here(self._keys_held(), source, key))

    def _keys_held(self) -> pa.Table:
        """The keys of all versions in raw, with when each was seen and whether it is a tombstone; read by the driver."""
        assert self.target is not None
        names = [*self.contract.key, "_ingested_at", "_op"]
        if not self.target.is_read_here():
            return self.lake.spark.table(str(self.name)).select(*map(quote, names)).toArrow()
        schema = self.target.arrow_schema()
        return all_rows(self.target.held_files(), pa.schema([schema.field(name) for name in names]))

    def _braked(self, compared: Difference) -> Difference:
        gone = compared.gone.num_rows
        if gone:
            check_brake(
                self.table, compared.source_keys - compared.new + gone, compared.source_keys, gone, self.request
            )
        return compared

    def _brake_on_replacing(self, rows: int) -> None:
        """Compare what raw held with the ``rows`` that take its place: keys, where they were counted."""
        before = self.target.row_count if self.target else 0
        if self.state is not None and self.state.keys is not None:
            before = self.state.keys
        elif self.state is not None and self.state.cursor is not None:  # raw holds old versions, too
            before = deletes.latest(self.lake.spark.table(str(self.name)), self.state.key).count()
        check_brake(self.table, before, rows, before - rows, self.request)

    def _commit(
        self,
        planned: ReadPlan,
        writing: Writing,
        files: list[WrittenFile],
        compared: Difference | None,
        keys: int | None,
    ) -> Loaded:
        late, gone = self._late_and_gone(writing, compared)
        if compared is not None:
            keys = compared.source_keys
        state = self.state
        if planned.moves_watermark or state is None:
            state = self._next_state(planned, [*files, *late], keys)
            look = self._look_at_what_is_held(state, planned, writing, [*files, *late, *gone])
            state = state.model_copy(update={"fingerprint": look.fingerprint, "keys": look.keys} if look else {})
        snapshot = writing.commit([*files, *late, *gone], state.properties(self.request.run_id))
        rows, tombstones = (sum(file.rows for file in group) for group in ([*files, *late], gone))
        return Loaded(self.table.table, rows, tombstones, snapshot, self._notes(planned, compared))

    def _late_and_gone(
        self, writing: Writing, compared: Difference | None
    ) -> tuple[list[WrittenFile], list[WrittenFile]]:
        """Files of the rows that the read did not bring although raw lacks them, and of tombstones."""
        if compared is None:
            return [], []
        late: list[WrittenFile] = []
        if compared.unseen.num_rows:
            late = self._files(self.reader.read(self.contract.names, keys=compared.unseen), writing)
        if not compared.gone.num_rows:
            return late, []
        file = write(writing.new_file(), compared.gone.to_batches(), self.constants(DELETE))
        return late, [file] if file else []

    def _next_state(self, planned: ReadPlan, files: list[WrittenFile], keys: int | None) -> State:
        before = None if planned.begins_anew else self.state
        horizon = self.session.horizon
        return next_state(
            self.table, self.contract, self.reader, horizon, self.target, before, self.taken_at, files, keys
        )

    def _look_at_what_is_held(
        self, state: State, planned: ReadPlan, writing: Writing, files: Sequence[WrittenFile]
    ) -> Look | None:
        """What a look would say of a source that holds what raw does after the commit of ``files``, which leaves ``state``.

        A source of one moment is asked itself; another shows other rows by now than those that were read.
        """
        contract, bound, key = self.contract, bound_of(state, self.contract), self.reader.relation.key
        if self.session.one_moment:
            look = self.reader.look(contract.names, bound, count_keys=False)
            return replace(look, keys=state.keys) if look else None
        kept = None if planned.replaces else self.target
        rows = sum(file.rows for file in files) + (kept.row_count if kept else 0)
        if not contract.key or not set(key) <= set(contract.names) or rows > MOST_ROWS or (kept and too_much(kept)):
            return None
        paths = [*(kept.data_file_paths() if kept else []), *(file.path for file in files)]
        held = Held(paths, writing.new_file(), contract.key)
        rows_of_bound = held.rows([*contract.names, MISFITS], bound)
        return self.reader.look_of(held.rows(key, None), rows_of_bound, contract.names, bound)

    def _notes(self, planned: ReadPlan, compared: Difference | None) -> tuple[str, ...]:
        notes = [*planned.why, *self.drift.notes()]
        if self.session.horizon.prepared:
            notes.append(f"prepared transactions hold the watermark back: {', '.join(self.session.horizon.prepared)}")
        if compared is not None and compared.unseen.num_rows:
            number = compared.unseen.num_rows
            notes.append(
                f"{number:,} rows bore a {self.contract.cursor} behind the watermark, later than the overlap covers"
            )
        return tuple(notes)
