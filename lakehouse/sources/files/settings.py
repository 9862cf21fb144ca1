"""Where files lie."""

from typing import Literal

from pydantic import Field, SecretStr

from lakehouse.model import SourceSettings


class Settings(SourceSettings):
    """A folder, on this machine's disk or in an object store, in which files arrive. It travels pickled to the executors.

    Attributes:
        root: a folder's path, or a URI: ``s3://bucket/folder``, ``gs://…``, ``abfs://container@account.dfs.core.windows.net/…``.
        endpoint: of a server that is not Amazon's, Google's or Microsoft's own (``http://127.0.0.1:9000``).
        region: of an S3 bucket.
        access_key, secret_key: of S3; ``secret_key`` alone: the key of an Azure account. Absent: the cloud's own credentials.
        parallelism: tables that are read at the same time, and files of one.
    """

    type: Literal["files"]
    root: str
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: SecretStr | None = None
    parallelism: int = Field(default=2, ge=1, le=64)
