"""Carries a graph of tables: starts what is ready, tries again what may pass, and tells each end at once."""

import heapq
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count

import structlog

from lakehouse.errors import SystemFailureError
from lakehouse.orchestrate.boundary import Failure, guarded
from lakehouse.orchestrate.graph import Graph
from lakehouse.orchestrate.runs import Status, TableRun
from lakehouse.paths import TableName

log = structlog.get_logger()

ATTEMPTS = 4
#: Seconds before a second attempt; each further wait is twice as long.
FIRST_WAIT_S = 1.0
Tell = Callable[[TableRun], None]


@dataclass(frozen=True)
class Job:
    """Tables that are started together: those of a source share its session, any other is alone.

    Attributes:
        attempt: the how-manieth this is.
    """

    tables: tuple[TableName, ...]
    attempt: int = 1

    def __str__(self) -> str:
        return ", ".join(table.dotted for table in self.tables)


@dataclass(frozen=True)
class _Again:
    """Tables of a job whose failure in this attempt may pass."""

    runs: tuple[TableRun, ...]
    attempt: int


@dataclass(frozen=True)
class Carrier:
    """How the tables of a graph are made.

    Attributes:
        jobs: which of the ready tables start together.
        attempt: makes the tables of a job and tells each one's end as it comes; called in a thread of its own.
        failed: the end of a table of a job that ``attempt`` did not tell, because it raised this.
    """

    jobs: Callable[[Sequence[TableName]], Iterable[Job]]
    attempt: Callable[[Job, Tell], None]
    failed: Callable[[TableName, Failure, Job], TableRun]

    def carry(self, graph: Graph, report: Tell) -> list[TableRun]:
        """Make every table of ``graph``; ``report`` gets each one's end, in the caller's thread.

        A job has a thread of its own, so that none waits for another's; how many tables are worked on at once is
        what ``attempt`` allows.
        """
        return _Carrying(self, graph, report).run()


class _Carrying:
    def __init__(self, carrier: Carrier, graph: Graph, report: Tell) -> None:
        self._carrier, self._graph, self._report = carrier, graph, report
        self._ended: list[TableRun] = []
        self._messages: queue.SimpleQueue[TableRun | _Again] = queue.SimpleQueue()
        self._later: list[tuple[float, int, Job]] = []
        self._numbers = count()

    def run(self) -> list[TableRun]:
        while self._graph.is_active():
            start, skipped = self._graph.ready()
            for run in skipped:
                self._end(run)
            for job in self._carrier.jobs(start):
                self._start(job)
            if self._graph.is_active():
                self._next()
        return self._ended

    def _next(self) -> None:
        """Wait for a table's end, or until a job is to be tried again."""
        due = max(0.0, self._later[0][0] - time.monotonic()) if self._later else None
        try:
            message = self._messages.get(timeout=due)
        except queue.Empty:
            self._start(heapq.heappop(self._later)[-1])
            return
        if isinstance(message, TableRun):
            self._end(message)
            self._graph.ended(message.name, good=message.status.is_good)
            return
        wait = FIRST_WAIT_S * 2 ** (message.attempt - 1)
        for run in message.runs:
            log.warning("will be tried again", table=run.table, attempt=message.attempt, wait_s=wait, error=run.error)
        job = Job(tuple(run.name for run in message.runs), message.attempt + 1)
        heapq.heappush(self._later, (time.monotonic() + wait, next(self._numbers), job))

    def _end(self, run: TableRun) -> None:
        self._ended.append(run)
        self._report(run)

    def _start(self, job: Job) -> None:
        threading.Thread(target=self._work, args=(job,), name=str(job)[:60], daemon=True).start()

    def _work(self, job: Job) -> None:
        told: set[str] = set()
        again: list[TableRun] = []

        def tell(run: TableRun) -> None:
            told.add(run.table)
            if run.status is Status.FAILED and run.retryable and job.attempt < ATTEMPTS:
                again.append(run)
            else:
                self._messages.put(run)

        failure = Failure(SystemFailureError(f"making {job}: it ended its thread instead of raising an error."))
        try:
            outcome = guarded(lambda: self._carrier.attempt(job, tell), f"making {job}")
            failure = outcome if isinstance(outcome, Failure) else failure
        finally:  # whatever happens, each table of the job gets an end: the run waits for it
            for table in job.tables:
                if table.dotted not in told:
                    tell(self._carrier.failed(table, failure, job))
            if again:
                self._messages.put(_Again(tuple(again), job.attempt))
