"""Processes that outlive the command that starts them, and are ended only by who started them."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from lakehouse.errors import SystemFailureError


class ServiceError(SystemFailureError):
    """A service could not be started or stopped."""


@dataclass(frozen=True)
class Identity:
    """A process, and when it began: a number that the system gave to another process since is not it."""

    pid: int
    began: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] == "Z" else cls(pid, fields[19])

    def alive(self) -> bool:
        return Identity.of(self.pid) == self


def port_taken(host: str, port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Return when ``condition`` holds; :class:`ServiceError` when it does not within ``timeout_s`` seconds."""
    try:
        Retrying(stop=stop_after_delay(timeout_s), wait=wait_fixed(0.1), retry=retry_if_result(lambda ok: not ok))(
            condition
        )
    except RetryError:
        raise ServiceError(f"{what} was not ready within {timeout_s:.0f} s.") from None


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
        user: int | None = None,
    ) -> None:
        """Start ``command`` in a session of its own."""
        with (self.log if keep_log else Path(os.devnull)).open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=user,
                group=user,
                env=None if env is None else dict(env),
                cwd=self._pid_file.parent,
            )
        identity = Identity.of(process.pid)
        if identity is None:
            raise ServiceError(f"starting {self.name}: it ended at once.", remedy=f"Its log: {self.log}")
        self._pid_file.write_text(json.dumps({"pid": identity.pid, "began": identity.began}))

    def wait_ready(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Wait for ``ready``; say so when the process ends before."""

        def ready_or_dead() -> bool:
            return ready() or self.identity() is None

        wait_until(ready_or_dead, timeout_s, f"{self.name} (log: {self.log})")
        if self.identity() is None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:]) if self.log.exists() else ""
            raise ServiceError(
                f"starting {self.name}: it ended before it was ready.\n{tail}", remedy=f"Its log: {self.log}"
            )

    def stop(self, timeout_s: float = 30, first: signal.Signals = signal.SIGTERM) -> bool:
        """End the process; ``False`` when it does not run."""
        identity = self.identity()
        if identity is None:
            self._pid_file.unlink(missing_ok=True)
            return False
        os.kill(identity.pid, first)
        try:
            wait_until(lambda: not _reaped_alive(identity), timeout_s, f"the end of {self.name}")
        except ServiceError:
            os.killpg(identity.pid, signal.SIGKILL)
            wait_until(lambda: not _reaped_alive(identity), 10, f"the end of {self.name}")
        self._pid_file.unlink(missing_ok=True)
        return True


def _reaped_alive(identity: Identity) -> bool:
    """Whether the process still runs; a child that has ended is reaped, so that it leaves no zombie."""
    try:
        os.waitpid(identity.pid, os.WNOHANG)
    except ChildProcessError:
        pass
    return identity.alive()
