"""Java, and jars from Maven repositories by the Ivy that pyspark ships; each set is fetched once into the cache folder."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lakehouse.errors import SystemFailureError


def cache_folder() -> Path:
    """Where downloads stay, shared between checkouts: ``LAKEHOUSE_CACHE``, else the user's cache folder."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("LAKEHOUSE_CACHE") or base / "lakehouse")


@dataclass(frozen=True)
class Artifact:
    """A Maven artifact: its main jar and those of ``classifiers`` ("" is the main one), alone without ``transitive``."""

    group: str
    name: str
    version: str
    classifiers: tuple[str, ...] = ("",)
    transitive: bool = True

    @classmethod
    def parse(cls, coordinate: str) -> "Artifact":
        """``group:name:version`` as ``spark.jars.packages`` writes it."""
        group, name, version = coordinate.strip().split(":")
        return cls(group, name, version)


def java() -> str:
    """The Java to run: ``JAVA_HOME``'s, else the one on the path."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if found is None or not Path(found).exists():
        raise SystemFailureError("Java was not found.", remedy="Install Java 17 and set JAVA_HOME.")
    return found


def fetch(artifacts: Sequence[Artifact], label: str) -> list[Path]:
    """The jars of ``artifacts`` and all that they depend on."""
    description = _ivy_file(artifacts)
    folder = cache_folder() / "jars" / f"{label}-{hashlib.sha256(description.encode()).hexdigest()[:12]}"
    if not folder.exists():
        with locked(cache_folder() / "jars" / ".lock"):  # one at a time: all fetches share Ivy's cache
            if not folder.exists():
                _retrieve(description, folder, label)
    return sorted(folder.glob("*.jar"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time makes what ``path`` stands for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ivy_file(artifacts: Sequence[Artifact]) -> str:
    lines = []
    for item in artifacts:
        attributes = f'org="{item.group}" name="{item.name}" rev="{item.version}" conf="default"'
        attributes += "" if item.transitive else ' transitive="false"'
        wanted = (
            ""
            if item.classifiers == ("",)
            else "".join(
                f'<artifact name="{item.name}" type="jar"' + (f' m:classifier="{classifier}"/>' if classifier else "/>")
                for classifier in item.classifiers
            )
        )
        lines.append(f"<dependency {attributes}>{wanted}</dependency>")
    return (
        '<ivy-module version="2.0" xmlns:m="http://ant.apache.org/ivy/maven"><info organisation="local" '
        f'module="lakehouse"/><dependencies>{"".join(lines)}</dependencies></ivy-module>'
    )


def _retrieve(description: str, folder: Path, label: str) -> None:
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    ivy = next((Path(spec.origin).parent / "jars").glob("ivy-*.jar"))
    temporary = Path(tempfile.mkdtemp(prefix=f".{label}-", dir=folder.parent))
    try:
        (temporary / "ivy.xml").write_text(description)
        done = subprocess.run(
            [
                java(),
                "-jar",
                str(ivy),
                "-ivy",
                str(temporary / "ivy.xml"),
                "-confs",
                "default",
                "-types",
                "jar",
                "bundle",
                "-cache",
                str(cache_folder() / "ivy"),
                "-retrieve",
                f"{temporary}/lib/[artifact]-[revision](-[classifier]).[ext]",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        jars = list((temporary / "lib").glob("*.jar"))
        if done.returncode or not jars:
            reason = (done.stderr or done.stdout).strip().splitlines()[-8:]
            raise SystemFailureError(
                f"fetching the jars of {label} failed: {' '.join(reason)}",
                remedy="Check that a Maven repository can be reached, and try again.",
            )
        (temporary / "lib").rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
