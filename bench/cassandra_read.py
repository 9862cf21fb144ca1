"""Rows per second from Cassandra: by this project, by the driver as it comes, and as pages that nobody looks into.

The last is the limit of the server and the driver's protocol on the machine: no client in Python can be faster.
"""

import random
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from cassandra.cluster import EXEC_PROFILE_DEFAULT
from cassandra.protocol import ProtocolHandler, ResultMessage
from cassandra.query import BatchStatement, BatchType, tuple_factory

from bench.common import HOME, profile, say, services, start_of_spark
from bench.one_table import ingested
from lakehouse.sources.cassandra.token_ranges import TokenRange, split
from lakehouse.sources.opening import opened
from lakehouse.sources.reader import Wanted
from scripts.services.cassandra import Cassandra

_KEYSPACE = "engagement"
_TABLE = """
CREATE TABLE IF NOT EXISTS {table} (user_id uuid, event_time timestamp, session_id uuid, kind text, device text,
    amount decimal, clicks int, note text, PRIMARY KEY ((user_id), event_time, session_id))
"""
_COLUMNS = ("user_id", "event_time", "session_id", "kind", "device", "amount", "clicks", "note")
_ROWS_OF_A_USER, _BATCHES_ON_THEIR_WAY = 50, 20
_SPLITS = 2


def measure(rows: int) -> dict[str, object]:
    """Rows per second of one table, in ``rows`` rows of 8 columns, each way after the other."""
    found = services("cassandra")
    table = f"bench_{rows}"
    with _session(found.cassandra) as session:
        _fill(session, f"{_KEYSPACE}.{table}", rows)
        say("pages that nobody looks into")
        unread = _best(lambda: _read(session, f"{_KEYSPACE}.{table}", _Unread))
        say("the driver's rows")
        driver = _best(lambda: _read(session, f"{_KEYSPACE}.{table}", ProtocolHandler))
    say("this project, to nowhere")
    reading = _best(lambda: _read_as_arrow(table))
    say("this project, into Iceberg")
    start = start_of_spark()
    ours = _into_iceberg(table)
    return {
        "rows": rows,
        "ours": round(rows / ours),
        "ours_without_start": round(rows / max(ours - start, 0.001)),
        "reading": round(reading),
        "driver": round(driver),
        "unread_pages": round(unread),
    }


@contextmanager
def _session(cassandra: Cassandra) -> Iterator[Any]:
    """A session of the driver, whose rows are tuples."""
    cluster = cassandra.cluster()
    try:
        cluster.profile_manager.profiles[EXEC_PROFILE_DEFAULT].row_factory = tuple_factory
        yield cluster.connect()
    finally:
        cluster.shutdown()


def _fill(session: Any, table: str, rows: int) -> None:
    """Make ``table`` with at least ``rows`` rows, unless it is there."""
    session.execute(
        f"CREATE KEYSPACE IF NOT EXISTS {_KEYSPACE} "
        "WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
    session.execute(_TABLE.format(table=table))
    if session.execute(f"SELECT user_id FROM {table} LIMIT 1").one() is not None:
        return
    say(f"making {table}")
    insert = session.prepare(f"INSERT INTO {table} ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})")
    chance, waiting = random.Random(7), deque[Any]()
    for begin in range(0, rows, _ROWS_OF_A_USER):
        batch, user = BatchStatement(BatchType.UNLOGGED), UUID(int=chance.getrandbits(128))
        for _ in range(min(_ROWS_OF_A_USER, rows - begin)):
            batch.add(insert, (user, *_values(chance)))
        waiting.append(session.execute_async(batch))
        if len(waiting) > _BATCHES_ON_THEIR_WAY:
            waiting.popleft().result()
    for pending in waiting:
        pending.result()


def _values(chance: random.Random) -> tuple[Any, ...]:
    """The columns of a row after its user."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=chance.randrange(86_400_000 * 60))
    return (
        at,
        UUID(int=chance.getrandbits(128)),
        chance.choice(("open", "close", "view")),
        f"device-{chance.randrange(200)}",
        Decimal(chance.randrange(100_000)).scaleb(-2),
        chance.randrange(50),
        f"a note about {chance.randrange(10**6)}",
    )


class _UnreadResult(ResultMessage):  # type: ignore[misc]
    """An answer of which only the number of rows is read."""

    def recv_results_rows(self, f: Any, protocol_version: Any, user_type_map: Any, *_: Any) -> None:
        self.recv_results_metadata(f, user_type_map)
        self.column_names = ["rows"]
        self.parsed_rows = [(int.from_bytes(f.read()[:4], "big"),)]


class _Unread(ProtocolHandler):  # type: ignore[misc]
    message_types_by_opcode: ClassVar[dict[int, Any]] = {
        **ProtocolHandler.message_types_by_opcode,
        ResultMessage.opcode: _UnreadResult,
    }


def _read(session: Any, table: str, handler: Any) -> int:
    """Read ``table`` by ``handler``, a thread for each part of the ring; the number of rows."""
    session.client_protocol_handler = handler
    query = session.prepare(
        f"SELECT {', '.join(_COLUMNS)} FROM {table} WHERE token(user_id) > ? AND token(user_id) <= ?"
    )
    query.fetch_size = 10_000

    def read(ranges: list[TokenRange]) -> int:
        count = 0
        for part in ranges:
            page = session.execute(query, [part.start, part.end])
            while True:
                rows = page.current_rows
                count += rows[0][0] if handler is _Unread else len(rows)
                if not page.has_more_pages:
                    break
                page.fetch_next_page()
        return count

    with ThreadPoolExecutor(_SPLITS) as readers:
        return sum(readers.map(read, split([], _SPLITS)))


def _read_as_arrow(table: str) -> int:
    """Read ``table`` as a run does, and throw the batches away."""
    source = profile().sources["app_cassandra"]
    with (
        opened("app_cassandra", source, ()) as session,
        session.reader(Wanted(table, doing=f"reading {table}")) as reader,
        ThreadPoolExecutor(session.parallelism) as readers,
    ):
        parts = reader.read([column.name for column in reader.relation.columns])
        return sum(readers.map(lambda part: sum(batch.num_rows for batch in part.batches()), parts))


def _best(read: Callable[[], int], times: int = 3) -> float:
    """Rows per second of the quickest of some reads: the others had to share the machine."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        found.append(read() / (time.monotonic() - began))
    return max(found)


def _into_iceberg(table: str) -> float:
    """Seconds of a whole run that loads ``table``."""
    shutil.rmtree(HOME / "cassandra", ignore_errors=True)
    text = f"source: {{connection: app_cassandra, relation: {table}}}\ncursor: event_time\noverlap: 3 days\n"
    return ingested(table, text, HOME / "cassandra" / "lake")
