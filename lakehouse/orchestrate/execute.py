"""Runs tables inside one Spark application: each as soon as its inputs are made, several at once."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from lakehouse.iceberg.lake import Lake
from lakehouse.orchestrate.boundary import Failure
from lakehouse.orchestrate.context import Context
from lakehouse.orchestrate.graph import Graph
from lakehouse.orchestrate.runs import TableRun
from lakehouse.orchestrate.schedule import Carrier, Job, Tell
from lakehouse.orchestrate.table import committed_before, failed, made, transform
from lakehouse.paths import Layer, TableName
from lakehouse.raw.load import ingest, opened
from lakehouse.raw.request import Loaded


def run(targets: Sequence[TableName], context: Context) -> list[TableRun]:
    """Make ``targets``, inputs first. A table that fails stops those made from it, and no other."""
    parts = _Parts(context)
    return Carrier(parts.jobs, parts.attempt, parts.failed).carry(Graph(context.registry, targets), context.report)


class _Parts:
    """How the tables of a lakehouse are made; see :class:`Carrier`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def jobs(self, targets: Sequence[TableName]) -> Iterator[Job]:
        """Raw tables of one source together, so that they share its snapshot; each other table alone."""
        of_source: dict[str, list[TableName]] = {}
        for target in targets:
            if target.layer is Layer.RAW:
                of_source.setdefault(self._connection(target), []).append(target)
            else:
                yield Job((target,))
        yield from (Job(tuple(tables)) for tables in of_source.values())

    def attempt(self, job: Job, tell: Tell) -> None:
        left = []
        for target in job.tables:
            before = committed_before(target, self._context)
            if before is None:
                left.append(target)
            else:
                tell(before)
        if not left:
            return
        if left[0].layer is Layer.RAW:
            self._load(left, job, tell)
            return
        for target in left:
            tell(made(target, self._context, job.attempt, partial(transform, target, self._context)))

    def failed(self, target: TableName, failure: Failure, job: Job) -> TableRun:
        return failed(target, failure, self._context, job.attempt)

    def _load(self, targets: Sequence[TableName], job: Job, tell: Tell) -> None:
        """Bring raw tables of one source, by one session with it; tells each one's end when it comes."""
        context = self._context
        name = self._connection(targets[0])
        tables = {target: context.registry.tables[target.table] for target in targets}
        with opened(name, context.profile.source(name), list(tables.values())) as session:

            def load(target: TableName) -> None:
                def work(lake: Lake) -> Loaded:
                    return ingest(tables[target], session, lake, context.request)

                tell(made(target, context, job.attempt, work))

            with ThreadPoolExecutor(session.parallelism, thread_name_prefix=name) as threads:
                list(threads.map(load, targets))

    def _connection(self, target: TableName) -> str:
        return self._context.registry.tables[target.table].source.connection
