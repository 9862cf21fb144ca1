"""What a read that breaks off means to a run."""

import socket
from pathlib import Path

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pytest

from lakehouse.errors import SourceError, SourceUnavailableError
from lakehouse.iceberg.data_files import FileTarget
from lakehouse.sources.postgres.extract import PartRead, extract, read_table

URI = "postgresql://reader:secret-word@127.0.0.1"


def part(tmp_path: Path, uri: str = URI) -> PartRead:
    target = FileTarget(str(tmp_path / "part.parquet"), pa.schema([pa.field("id", pa.int64())]), {})
    return PartRead(uri, (), "SELECT 1 AS id", "raw.users", target, {})


def broken_by(text: str, state: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SourceError:
    """What ``extract`` raises when the driver raises ``text`` with ``state``."""
    status = adbc_driver_manager.AdbcStatusCode.IO

    def refuse(*_: object, **__: object) -> None:
        raise adbc_driver_manager.OperationalError(text, status_code=status, sqlstate=state)

    monkeypatch.setattr(adbc, "connect", refuse)
    with pytest.raises(SourceError) as caught:
        extract(part(tmp_path))
    assert str(caught.value).startswith("raw.users: ")
    return caught.value


def test_a_server_that_does_not_answer_may_be_tried_again_and_leaves_no_file(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        uri = f"{URI}:{taken.getsockname()[1]}/shop?connect_timeout=5"
        with pytest.raises(SourceUnavailableError, match=r"raw\.users: reading from PostgreSQL broke off") as caught:
            extract(part(tmp_path, uri))
        with pytest.raises(SourceUnavailableError, match="keys of users: reading from PostgreSQL broke off"):
            read_table(uri, (), "SELECT 1", "keys of users")
    assert "secret-word" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("server closed the connection unexpectedly", None),
        ("no connection to the server", None),
        ("terminating connection due to administrator command", "57P01"),
        ("canceling statement due to conflict with recovery", "40001"),
        ("out of shared memory", "53200"),
        ('invalid snapshot identifier: "0001" snapshot', "42704"),
    ],
)
def test_what_may_pass_is_tried_again(
    text: str, state: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert broken_by(text, state, monkeypatch, tmp_path).retryable


@pytest.mark.parametrize(
    ("text", "state"),
    [('relation "t" does not exist', "42P01"), ('type "mood" does not exist', "42704"), ("permission denied", "42501")],
)
def test_a_refusal_is_not_tried_again_and_told_with_its_state(
    text: str, state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    error = broken_by(text, state, monkeypatch, tmp_path)
    assert not error.retryable
    assert f"refused the read ({state}): {text}." in str(error)


def test_a_part_shows_no_password() -> None:
    assert "secret-word" not in repr(part(Path("/nowhere")))
