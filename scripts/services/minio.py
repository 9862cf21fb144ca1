"""MinIO: from the path, or built once with Go into the cache folder."""

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pyarrow.fs

from lakehouse.jars import cache_folder, locked
from scripts.services.process import Daemon, ServiceError
from scripts.services.settings import HOST, Home, port

MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
BUCKET = "lakehouse"


class MinioUnavailableError(ServiceError):
    """There is no MinIO on this machine, and no Go to build one."""


class Minio:
    """An object store with one bucket, ``lakehouse``."""

    def __init__(self, home: Home, user: str, password: str) -> None:
        self.port, self.user, self._password = port("minio"), user, password
        self._folder = home.of("minio")
        self.daemon = Daemon("minio", self._folder)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
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
        self.daemon.wait_ready(self._healthy, 60)
        self.filesystem().create_dir(BUCKET)

    def stop(self) -> bool:
        return self.daemon.stop()

    def filesystem(self) -> pyarrow.fs.S3FileSystem:
        return pyarrow.fs.S3FileSystem(
            access_key=self.user,
            secret_key=self._password,
            endpoint_override=self.endpoint,
            region="us-east-1",
            allow_bucket_creation=True,
        )

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/minio/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False


def find_or_build() -> Path:
    """The ``minio`` binary.

    Raises:
        MinioUnavailableError: none on the path, and no Go to build one with.
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
                "MinIO is not on the path, and there is no Go to build it with.", remedy="Install either one."
            )
        _build(go, binary)
    return binary


def _build(go: str, binary: Path) -> None:
    folder = binary.parent / ".build"
    environment = os.environ | {
        "GOBIN": str(folder),
        "GOPATH": str(cache_folder() / "go"),
        "CGO_ENABLED": "0",
        "GOFLAGS": "-modcacherw",
    }
    done = subprocess.run([go, "install", MODULE], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServiceError(
            f"building MinIO failed: {done.stderr.strip()[-500:]}",
            remedy="Check Go's version and its module proxy, or put a `minio` on the path.",
        )
    (folder / "minio").rename(binary)
    shutil.rmtree(folder)
    shutil.rmtree(cache_folder() / "go", ignore_errors=True)
