"""Connections to PostgreSQL and what their errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg2
from psycopg2.extensions import connection as Connection

from lakehouse.errors import SourceError, SourceUnavailableError, one_line
from lakehouse.sources.postgres.settings import Settings

#: Makes the text of a value the same whatever the server or the role is set to.
SESSION_SETTINGS = (
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO, YMD'",
    "SET intervalstyle = 'postgres'",
    "SET bytea_output = 'hex'",
    "SET xmloption = 'content'",
    "SET extra_float_digits = 1",
)
_APPLICATION = "lakehouse"
_DATA_EXCEPTION, _BAD_PARAMETER = "22", "22023"  # the latter is of settings, such as a zone that is none


def dsn(source: Settings) -> str:
    """A libpq connection URI. It holds the password: never log it."""
    user, password = quote(source.user, safe=""), quote(source.password.get_secret_value(), safe="")
    return (
        f"postgresql://{user}:{password}@{source.host}:{source.port}/{quote(source.database, safe='')}"
        f"?sslmode={source.sslmode}&connect_timeout={source.connect_timeout_s}&application_name={_APPLICATION}"
        "&keepalives_idle=30"
    )


@contextmanager
def connect(name: str, source: Settings) -> Iterator[Connection]:
    """A connection to source ``name``, in autocommit, closed at the end.

    Raises:
        SourceUnavailableError: nothing answers there, or the connection broke.
        SourceError: it answers, and refuses.
    """
    with translated(name, source):
        connection = psycopg2.connect(dsn(source))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("; ".join(SESSION_SETTINGS))
            yield connection
        finally:
            connection.close()


@contextmanager
def translated(name: str, source: Settings) -> Iterator[None]:
    """Turns the driver's errors into the project's, without a secret in them."""
    try:
        yield
    except psycopg2.OperationalError as error:
        raise _operational(name, source, error) from None
    except psycopg2.InterfaceError as error:
        raise SourceUnavailableError(f"{_where(name, source)}: the connection broke: {_text(error)}.") from None
    except psycopg2.errors.InsufficientPrivilege as error:
        raise SourceError(
            f"{_where(name, source)}: role {source.user!r} may not read: {_text(error)}.",
            remedy="GRANT it SELECT on the relation and USAGE on its schema.",
        ) from None
    except psycopg2.errors.UndefinedObject as error:
        if "snapshot" not in str(error):
            raise SourceError(f"{_where(name, source)}: {refusal(error.pgcode, _text(error))}.") from None
        raise SourceUnavailableError(
            f"{_where(name, source)}: the run's snapshot is gone with the session that held it.",
            remedy="It is taken anew when the tables are tried again.",
        ) from None
    except psycopg2.Error as error:
        raise SourceError(f"{_where(name, source)}: {refusal(error.pgcode, _text(error))}.") from None


def refusal(state: str | None, text: str) -> str:
    """That PostgreSQL refused, and why: of a row's value (a "data exception") without its text, which quotes the value."""
    if (state or "").startswith(_DATA_EXCEPTION) and state != _BAD_PARAMETER:
        text = "a row holds a value that a cast or a calculation refuses; it is not shown, since it may be personal"
    return f"PostgreSQL refused ({state}): {text}"


def _where(name: str, source: Settings) -> str:
    return f"source {name!r} (PostgreSQL {source.database!r} at {source.host}:{source.port})"


def _text(error: psycopg2.Error) -> str:
    return one_line(error).rstrip(".") or type(error).__name__


def _operational(name: str, source: Settings, error: psycopg2.OperationalError) -> SourceError:
    text, where = _text(error), _where(name, source)
    if "authentication failed" in text or "no password supplied" in text:
        return SourceError(
            f"{where}: wrong credentials for user {source.user!r}.",
            remedy="Check the user in the profile and the environment variable of its password.",
        )
    if f'database "{source.database}" does not exist' in text:
        return SourceError(f"{where}: there is no such database.", remedy="Check `database` in the profile.")
    if error.pgcode is not None and not error.pgcode.startswith(("08", "57", "53", "40")):
        return SourceError(f"{where}: {refusal(error.pgcode, text)}.")
    return SourceUnavailableError(
        f"{where} does not answer: {text}.", remedy="Check that it runs and that this machine reaches it."
    )
