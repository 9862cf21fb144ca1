"""Processes that outlive the command that starts them, and are ended only by who started them."""

import http
import http.client
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from lakehouse.errors import SystemFailureError

_PROC = Path("/proc")
_LOG_LINES_IN_MESSAGE = 5


class ServiceError(SystemFailureError):
    """A service could not be started or stopped."""


@dataclass(frozen=True)
class Identity:
    """A process, and when it began: a number that the system gave to another process since is not it."""

    pid: int
    began: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The process ``pid`` as it is now; ``None`` when there is none, or it has ended and waits to be reaped."""
        if not (_PROC / "self").exists():
            return cls._told_by_ps(pid)
        try:
            stat = (_PROC / str(pid) / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] == "Z" else cls(pid, fields[19])

    @classmethod
    def _told_by_ps(cls, pid: int) -> "Identity | None":
        """The same where the system has no /proc, as macOS."""
        done = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        state, _, began = done.stdout.strip().partition(" ")
        return None if not began or state.startswith("Z") else cls(pid, began.strip())

    def alive(self) -> bool:
        """Whether it still runs."""
        return Identity.of(self.pid) == self


@dataclass(frozen=True)
class User:
    """Who a process runs as."""

    uid: int
    gid: int


def port_taken(host: str, port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def free_ports(host: str, count: int) -> list[int]:
    """Ports that nobody listens on; bound all at once, so that no two are the same."""
    with ExitStack() as probes:
        found = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in found:
            probe.bind((host, 0))
        return [int(probe.getsockname()[1]) for probe in found]


def answers(host: str, port: int, path: str) -> bool:
    """Whether an HTTP server there answers ``path`` with 200; asked directly, whatever proxy the environment names."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str, remedy: str = "") -> None:
    """Return when ``condition`` holds; :class:`ServiceError` when it does not within ``timeout_s`` seconds."""
    attempts = Retrying(
        stop=stop_after_delay(timeout_s), wait=wait_fixed(0.1), retry=retry_if_result(lambda ok: not ok)
    )
    try:
        attempts(condition)
    except RetryError:
        raise ServiceError(f"{what}: not within {timeout_s:g} s.", remedy=remedy) from None


class Daemon:
    """A service's process: its pid file, its log, its end."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.log = folder / "service.log"
        self._pid_file = folder / "service.pid"

    def identity(self) -> Identity | None:
        """The process that runs now, if it is the one that was started here."""
        try:
            content = json.loads(self._pid_file.read_text())
        except FileNotFoundError:
            return None
        known = Identity(content["pid"], content["began"])
        return known if known.alive() else None

    def start(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        keep_log: bool = True,
        user: User | None = None,
    ) -> None:
        """Start ``command`` in a session of its own, as ``user`` when one is given."""
        with (self.log if keep_log else Path(os.devnull)).open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=None if user is None else user.uid,
                group=None if user is None else user.gid,
                extra_groups=None if user is None else [],
                env=None if env is None else dict(env),
                cwd=self._pid_file.parent,
            )
        identity = Identity.of(process.pid)
        if identity is None:
            raise ServiceError(f"starting {self.name}: it ended at once.{self._log_tail()}")
        unfinished = self._pid_file.with_suffix(".pid.new")
        unfinished.write_text(json.dumps({"pid": identity.pid, "began": identity.began}))
        unfinished.rename(self._pid_file)

    def wait_ready(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Wait for ``ready``; say so when the process ends before."""

        def ready_or_dead() -> bool:
            return self.identity() is None or ready()

        remedy = f"Start it again to wait on, or stop it; its log: {self.log}"
        wait_until(ready_or_dead, timeout_s, f"waiting until {self.name} is ready", remedy)
        if self.identity() is None:
            raise ServiceError(f"starting {self.name}: it ended before it was ready.{self._log_tail()}")

    def stop(self, timeout_s: float = 30, first: signal.Signals = signal.SIGTERM) -> bool:
        """End the process, by ``first`` and after ``timeout_s`` seconds by SIGKILL; ``False`` when it does not run."""
        identity = self.identity()
        if identity is None:
            self._pid_file.unlink(missing_ok=True)
            return False
        try:
            os.kill(identity.pid, first)
            wait_until(lambda: not _still_runs(identity), timeout_s, f"ending {self.name}")
        except ProcessLookupError:
            pass  # it ended by itself in between
        except ServiceError:
            if _still_runs(identity):
                os.killpg(identity.pid, signal.SIGKILL)
            wait_until(lambda: not _still_runs(identity), 10, f"ending {self.name} by SIGKILL")
        self._pid_file.unlink(missing_ok=True)
        return True

    def _log_tail(self) -> str:
        if not self.log.exists():
            return " It keeps no log, because that would hold secrets."
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES_IN_MESSAGE:]
        return "\n".join(["", *lines, f"Its log: {self.log}"])


def _still_runs(identity: Identity) -> bool:
    """Whether the process still runs; a child that has ended is reaped, so that it leaves no zombie."""
    try:
        os.waitpid(identity.pid, os.WNOHANG)
    except ChildProcessError:
        pass
    return identity.alive()
