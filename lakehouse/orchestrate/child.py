"""One Spark application as a child process: its events are followed, all else that it prints goes to the run's log."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from lakehouse.logs import Redaction
from lakehouse.orchestrate.events import Event, RunStarted, parsed

_PATIENCE_S = 20  # an interrupted application has this long to record what it knows


class Log:
    """The file of a run for what its applications print; only its owner may read it.

    Args:
        path: made with its folder at the first line.
        verbose: whether standard error gets the lines too.
    """

    def __init__(self, path: Path, redaction: Redaction, *, verbose: bool) -> None:
        self.path, self._redaction, self._verbose = path, redaction, verbose
        self._writing = threading.Lock()

    def add(self, text: str) -> None:
        """Add a line, without secrets and values of rows."""
        clean = self._redaction.text(text)
        with self._writing:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(clean)
            if self._verbose:
                sys.stderr.write(clean)


def follow(command: Sequence[str], environment: Mapping[str, str], log: Log, report: Callable[[Event], None]) -> int:
    """Run ``command`` to its end; returns its exit code (negative: the signal that killed it).

    When this process is interrupted or ended, the application gets to record what it knows, then it is ended with all
    its children.
    """
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        env=dict(environment),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    aside = threading.Thread(target=_drain, args=(process.stderr, log), daemon=True)
    aside.start()
    driver: list[int] = []
    with _ended_with(process, driver):
        for line in process.stdout:
            event = parsed(line)
            if event is None:  # spark-submit sends a Python job's two streams to this one
                log.add(line)
                continue
            if isinstance(event, RunStarted) and event.process is not None:
                driver.append(event.process)
            report(event)
        aside.join()
        return process.wait()


def _drain(lines: Iterable[str], log: Log) -> None:
    for line in lines:
        log.add(line)


@contextmanager
def _ended_with(process: "subprocess.Popen[str]", driver: Sequence[int]) -> Iterator[None]:
    """Ends the application and its children when the block is left before it ended.

    Args:
        driver: the process of its Python, once it is known: with a signal to it alone Spark lives on until it has
            recorded what it knows.
    """

    def interrupt(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, interrupt) if is_main else None
    try:
        yield
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, before)
        if process.poll() is None:
            _end(process, driver)


def _end(process: "subprocess.Popen[str]", driver: Sequence[int]) -> None:
    try:
        if (
            driver and os.getsid(driver[-1]) == process.pid
        ):  # not on another machine, where the number means nothing here
            os.kill(driver[-1], signal.SIGTERM)
            process.wait(_PATIENCE_S)
            return
    except (ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
        pass  # it is gone or does not answer: the group is ended
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it ended meanwhile
    process.wait()
