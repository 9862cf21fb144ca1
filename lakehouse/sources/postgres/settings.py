"""How a PostgreSQL database is reached and read."""

from typing import Literal

from pydantic import Field, SecretStr

from lakehouse.model import SourceSettings


class Settings(SourceSettings):
    """A PostgreSQL database that tables are ingested from.

    Attributes:
        timezone: the zone that its ``timestamp without time zone`` columns are in.
        late_commit_overlap_s: how far (seconds) an incremental load looks back where the role may not see other
            sessions' transactions.
        connect_timeout_s: how long (seconds) connecting may take.
    """

    type: Literal["postgres"]
    host: str
    port: int = 5432
    database: str
    user: str
    password: SecretStr
    sslmode: str = "prefer"
    timezone: str = "UTC"
    connect_timeout_s: int = 10
    late_commit_overlap_s: int = 3600
    parallelism: int = Field(default=2, ge=1, le=64)
