"""MinIO: from the path, or built once with Go into the cache folder."""

import os
import shutil
import subprocess
from pathlib import Path

import pyarrow.fs

from lakehouse.jars import cache_folder, locked
from scripts.services.process import Daemon, ServiceError, answers
from scripts.services.settings import HOST, Home

MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
BUCKET = "lakehouse"


class MinioUnavailableError(ServiceError):
    """There is no MinIO on this machine, and none could be built."""


class Minio:
    """An object store with one bucket, ``lakehouse``."""

    def __init__(self, home: Home, port: int, user: str, password: str) -> None:
        self.port, self.user, self._password = port, user, password
        self._folder = home.of("minio")
        self.daemon = Daemon("minio", self._folder)

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start the server unless it runs, and make its bucket unless it is there."""
        if self.daemon.identity() is None:
            self._launch()
        self.daemon.wait_ready(lambda: answers(HOST, self.port, "/minio/health/ready"), 60)
        self.filesystem().create_dir(BUCKET)

    def _launch(self) -> None:
        binary = find_or_build()
        environment = os.environ | {
            "MINIO_ROOT_USER": self.user,
            "MINIO_ROOT_PASSWORD": self._password,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
        }
        self.daemon.start(
            [str(binary), "server", "--quiet", "--address", f"{HOST}:{self.port}", str(self._folder / "data")],
            env=environment,
        )

    def stop(self) -> bool:
        """End the server; ``False`` when it did not run."""
        return self.daemon.stop()

    def filesystem(self) -> pyarrow.fs.S3FileSystem:
        """The store as its root user sees it; a path begins with a bucket's name."""
        return pyarrow.fs.S3FileSystem(
            access_key=self.user,
            secret_key=self._password,
            endpoint_override=self.endpoint,
            region="us-east-1",
            allow_bucket_creation=True,
        )


def find_or_build() -> Path:
    """The ``minio`` binary.

    Raises:
        MinioUnavailableError: none on the path, and none could be built with Go.
    """
    if found := shutil.which("minio"):
        return Path(found)
    binary = cache_folder() / "bin" / f"minio-{MODULE.rpartition('-')[2]}"
    with locked(cache_folder() / "bin" / ".minio.lock"):
        if binary.exists():
            return binary
        go = shutil.which("go")
        if go is None:
            raise MinioUnavailableError(
                "starting minio: there is no `minio` on the path, and no Go to build it with.",
                remedy="Install either one.",
            )
        _build(go, binary)
    return binary


def _build(go: str, binary: Path) -> None:
    """Build ``binary`` with ``go``, in about two minutes; the modules and the sources go again."""
    folder = binary.parent / ".build"
    environment = os.environ | {
        "GOBIN": str(folder),
        "GOPATH": str(cache_folder() / "go"),
        "CGO_ENABLED": "0",
        "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip(),  # or it could not be removed again
    }
    done = subprocess.run([go, "install", MODULE], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MinioUnavailableError(
            f"starting minio: there is no `minio` on the path, and building {MODULE} with Go failed: "
            f"{done.stderr.strip()[-500:]}",
            remedy="Check Go's version and that its modules can be fetched, or put a `minio` on the path.",
        )
    (folder / "minio").rename(binary)
    shutil.rmtree(folder)
    shutil.rmtree(cache_folder() / "go", ignore_errors=True)
