"""How a document database is reached and read."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from lakehouse.model import SourceSettings

_OF_FIRESTORE = frozenset({"project", "credentials_file", "emulator"})
_OF_MONGODB = frozenset(
    {"hosts", "port", "uri", "user", "password", "auth_database", "replica_set", "tls", "tls_ca_file", "read_concern"}
)


class Settings(SourceSettings):
    """A database of documents. It travels pickled to the executors, never as an option of a plan.

    Attributes:
        client: by which client it is read: MongoDB's, or that of Cloud Firestore.
        hosts, port: of its members; ``host`` or ``host:port``.
        uri: in place of hosts: ``mongodb+srv://cluster.example.net``, without a user or a password.
        database: the one whose collections are the source's relations; absent, of Firestore: the project's first one.
        project: of Google Cloud, for Firestore.
        credentials_file: the key of a service account, for Firestore; absent: Google's default credentials.
        emulator: of Firestore, ``host:port``; it is asked without credentials.
        auth_database: the one that knows the user.
        tls_ca_file: of the authority that signed the server's certificate, where the system does not know it.
        read_concern: ``majority`` shows nothing that a failover could take back; absent: the server's default.
        connect_timeout_s: how long (seconds) a server is looked for before the source counts as away.
        request_timeout_s: how long (seconds) one answer may take.
        batch_size: documents that the server sends at once.
        parallelism: tables that are read at the same time, and parts of one.
    """

    type: Literal["documents"]
    client: Literal["mongodb", "firestore"] = "mongodb"
    hosts: tuple[str, ...] = ()
    port: int = Field(default=27017, ge=1, le=65535)
    uri: str | None = None
    database: str = Field(default="(default)", min_length=1)
    project: str | None = None
    credentials_file: str | None = None
    emulator: str | None = None
    user: str | None = None
    password: SecretStr | None = None
    auth_database: str = "admin"
    replica_set: str | None = None
    tls: bool = False
    tls_ca_file: str | None = None
    read_concern: Literal["local", "majority", "available", "linearizable"] | None = "majority"
    connect_timeout_s: float = Field(default=10.0, gt=0)
    request_timeout_s: float = Field(default=60.0, gt=0)
    batch_size: int = Field(default=2000, ge=1)
    parallelism: int = Field(default=4, ge=1, le=64)

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        others = _OF_MONGODB if self.client == "firestore" else _OF_FIRESTORE
        if wrong := [f"`{name}`" for name in type(self).model_fields if name in self.model_fields_set & others]:
            raise ValueError(f"{', '.join(wrong)}: not known of `client: {self.client}`; expected none of them")
        if self.client == "firestore":
            if not self.project:
                raise ValueError("expected `project`, the one of Google Cloud")
            return self
        if "database" not in self.model_fields_set:
            raise ValueError("expected `database`, the one whose collections are read")
        if bool(self.hosts) == bool(self.uri):
            raise ValueError("expected either `hosts` or `uri`")
        if self.uri and "@" in self.uri:
            raise ValueError("`uri` holds a user or a password; expected them in `user` and `password`")
        return self

    @property
    def where(self) -> str:
        """For messages."""
        if self.client == "firestore":
            return f"Firestore's database {self.database!r} of project {self.project!r}"
        return f"document database {self.database!r} at {self.uri or ', '.join(self.members)}"

    @property
    def members(self) -> tuple[str, ...]:
        """The hosts, each with its port."""
        return tuple(host if ":" in host else f"{host}:{self.port}" for host in self.hosts)
