"""How a Cassandra keyspace is reached and read."""

from dataclasses import dataclass, field

from cassandra import ConsistencyLevel

from lakehouse.errors import ConfigurationError


@dataclass(frozen=True)
class CassandraOptions:
    """Connection and reading options; they travel pickled to the executors, never as options of a data source.

    Attributes:
        consistency: a name such as ``LOCAL_QUORUM``.
        page_size: rows that a node sends at once.
        request_timeout_s: how long a page may take, in seconds.
        retries: attempts for each page before the read fails.
        splits: parts of the ring that are read at the same time.
    """

    hosts: tuple[str, ...]
    port: int
    keyspace: str
    local_datacenter: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    consistency: str = "LOCAL_QUORUM"
    page_size: int = 5000
    request_timeout_s: float = 20.0
    retries: int = 4
    splits: int = 2

    def __post_init__(self) -> None:
        if self.consistency not in ConsistencyLevel.name_to_value:
            raise ConfigurationError(
                f"Cassandra keyspace {self.keyspace!r}: unknown consistency level {self.consistency!r}; expected one of "
                f"{', '.join(sorted(ConsistencyLevel.name_to_value))}."
            )

    @property
    def where(self) -> str:
        """For messages."""
        return f"Cassandra keyspace {self.keyspace!r} at {', '.join(self.hosts)}:{self.port}"
