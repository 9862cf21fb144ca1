"""Records what became of tables while a run goes on: what is known survives whatever happens to the run."""

import threading
from collections.abc import Callable, Sequence
from types import TracebackType

import structlog

from lakehouse.orchestrate.boundary import Failure, guarded
from lakehouse.orchestrate.runs import TableRun

log = structlog.get_logger()

_EVERY_S = 2.0


class Recorder:
    """A thread that commits what has come, at most every two seconds; the rest when the block ends, however it ends.

    Args:
        write: commits outcomes; called by one thread at a time.
        every_s: seconds between two commits.
    """

    def __init__(self, write: Callable[[Sequence[TableRun]], None], every_s: float = _EVERY_S) -> None:
        self._write, self._every_s = write, every_s
        self._waiting: list[TableRun] = []
        self._lock = threading.Lock()
        self._came = threading.Event()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._commit_now_and_then, name="recorder", daemon=True)

    def add(self, run: TableRun) -> None:
        """Take ``run`` for the next commit."""
        with self._lock:
            self._waiting.append(run)
        self._came.set()

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._came.set()
        self._thread.join()
        self._commit()

    def _commit_now_and_then(self) -> None:
        while not self._ends.is_set():
            self._came.wait()
            self._came.clear()
            self._ends.wait(self._every_s)  # what comes meanwhile shares the commit
            if isinstance(failure := guarded(self._commit, "recording what became of tables"), Failure):
                log.warning("will be tried again", error=str(failure.error))

    def _commit(self) -> None:
        with self._lock:
            runs = list(self._waiting)
        if not runs:
            return
        self._write(runs)
        with self._lock:
            del self._waiting[: len(runs)]
