"""How a Kafka cluster is reached and read."""

from typing import Literal

from pydantic import Field, SecretStr

from lakehouse.model import SourceSettings


class Settings(SourceSettings):
    """A Kafka cluster whose topics are ingested. It travels pickled to the executors, never as an option of a plan.

    Attributes:
        bootstrap_servers: some of its brokers, as ``host:port``.
        security_protocol: whether it is reached by TLS, and whether it asks who comes.
        sasl_mechanism, user, password: how one says who comes, where it asks.
        ssl_ca: the path of the file with the certificates that its brokers' are signed by; absent: those of the system.
        request_timeout_s: how long (seconds) an answer may take, and how long none may come while messages are read.
        parallelism: topics that are read at the same time, and parts of one.
    """

    type: Literal["kafka"]
    bootstrap_servers: tuple[str, ...] = Field(min_length=1)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    user: str | None = None
    password: SecretStr | None = None
    ssl_ca: str | None = None
    request_timeout_s: float = Field(default=20.0, gt=0)
    parallelism: int = Field(default=2, ge=1, le=64)

    @property
    def where(self) -> str:
        """For messages."""
        return f"Kafka at {', '.join(self.bootstrap_servers)}"
