"""How a Cassandra keyspace is reached and read."""

from typing import Literal

from pydantic import Field, SecretStr

from lakehouse.model import SourceSettings

Consistency = Literal[
    "ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE"
]


class Settings(SourceSettings):
    """A Cassandra keyspace that tables are ingested from. It travels pickled to the executors, never as an option of a plan.

    Attributes:
        page_size: rows that a node sends at once.
        request_timeout_s: how long (seconds) a page may take.
        retries: attempts for each page before the read fails.
        splits: parts of the ring that are read at the same time.
        parallelism: tables that are read at the same time.
    """

    type: Literal["cassandra"]
    hosts: tuple[str, ...]
    port: int = 9042
    keyspace: str
    local_datacenter: str = "datacenter1"
    user: str | None = None
    password: SecretStr | None = None
    consistency: Consistency = "LOCAL_QUORUM"
    page_size: int = Field(default=5000, ge=1)
    request_timeout_s: float = 20.0
    retries: int = Field(default=4, ge=1)
    splits: int = Field(default=2, ge=1)
    parallelism: int = Field(default=4, ge=1, le=64)

    @property
    def where(self) -> str:
        """For messages."""
        return f"Cassandra keyspace {self.keyspace!r} at {', '.join(self.hosts)}:{self.port}"
