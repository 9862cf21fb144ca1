"""The file systems that a folder of files may be in: this machine's disk, S3, GCS, Azure, and what Arrow knows by a URI."""

from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

import pyarrow as pa
import pyarrow.fs as fs

from lakehouse.errors import SourceError, one_line
from lakehouse.sources.files.settings import Settings

_RETRIES = timedelta(seconds=60)  # of Google's client, which by default tries for 15 minutes


def opened(source: Settings) -> tuple[fs.FileSystem, str]:
    """The file system of ``source``, and its folder there.

    Raises:
        SourceError: its root is none that is known.
    """
    parts = urlsplit(source.root)
    known = {"": _on_disk, "file": _on_disk, "s3": _s3, "gs": _gcs, "abfs": _azure, "abfss": _azure}
    try:
        return known.get(parts.scheme, _by_its_uri)(source, parts)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(
            f"opening the files at {source.root}: {one_line(error, 300)}",
            remedy="Give `root` in the profile a folder's path, or a URI that begins with s3://, gs:// or abfs://.",
        ) from None


def _on_disk(source: Settings, parts: SplitResult) -> tuple[fs.FileSystem, str]:
    del parts
    return fs.LocalFileSystem(), source.root.removeprefix("file://").rstrip("/") or "/"


def _s3(source: Settings, parts: SplitResult) -> tuple[fs.FileSystem, str]:
    at = urlsplit(source.endpoint or "")
    system = fs.S3FileSystem(
        access_key=source.access_key,
        secret_key=source.secret_key.get_secret_value() if source.secret_key else None,
        region=source.region,
        scheme=at.scheme or None,
        endpoint_override=at.netloc or None,
    )
    return system, f"{parts.netloc}{parts.path}".rstrip("/")


def _gcs(source: Settings, parts: SplitResult) -> tuple[fs.FileSystem, str]:
    """Google's own credentials; a server that is not Google's is asked without any."""
    at = urlsplit(source.endpoint or "")
    system = fs.GcsFileSystem(
        anonymous=bool(at.netloc),
        scheme=at.scheme or None,
        endpoint_override=at.netloc or None,
        retry_time_limit=_RETRIES,
    )
    return system, f"{parts.netloc}{parts.path}".rstrip("/")


def _azure(source: Settings, parts: SplitResult) -> tuple[fs.FileSystem, str]:
    """``abfs://container@account.dfs.core.windows.net/folder``, by the account's key or Azure's own credentials."""
    if not parts.username or not parts.hostname:
        raise ValueError("expected abfs://container@account.dfs.core.windows.net/folder")
    at = urlsplit(source.endpoint or "")
    server = {"authority": at.netloc, "scheme": at.scheme} if at.netloc else {}
    system = fs.AzureFileSystem(
        parts.hostname.partition(".")[0],
        account_key=source.secret_key.get_secret_value() if source.secret_key else None,
        **{f"{kind}_storage_{name}": value for kind in ("blob", "dfs") for name, value in server.items()},
    )
    return system, f"{parts.username}{parts.path}".rstrip("/")


def _by_its_uri(source: Settings, parts: SplitResult) -> tuple[fs.FileSystem, str]:
    del parts
    system, base = fs.FileSystem.from_uri(source.root)
    return system, base.rstrip("/")
