"""How a Spark application is started: spark-submit, and what makes a local one start in half the time.

On one machine the jars of ``spark-defaults.conf`` are fetched once instead of being resolved at each start, and the
classes that a run loads are kept in an archive of the JVM (class data sharing), which the first run leaves behind.
"""

import hashlib
import re
import shutil
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyspark

from lakehouse.errors import ConfigurationError
from lakehouse.jars import Artifact, cache_folder, fetch, java
from lakehouse.settings import Profile

_PACKAGES = re.compile(r"^\s*spark\.jars\.packages[\s=]+(\S+)", re.MULTILINE)
#: Without its native library Hadoop's own class for local files starts a process (chmod) for each file that it makes. Where
#: jars are resolved by spark-submit, they come too late for this one.
_LOCAL_FILES = "com.globalmentor.apache.hadoop.fs.BareLocalFileSystem"
#: What learns in rounds builds on the round before: ten of them are too deep for the JVM's own stacks.
_JVM = "-Xss4m -Xshare:auto -Xlog:disable -Xlog:all=off -XX:MetaspaceSize=256m"
#: Of a small run the JVM's optimising compiler takes half of the time, for code that is called a few times more. The code
#: cache is that of both compilers together: the JVM takes a small one for the first alone, which such a run fills. A heap
#: that begins small stops all threads at each step of its growth.
_FOR_LITTLE = (
    "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m "
    "-XX:+UseParallelGC -Xms1500m -Xmn800m -XX:+UseTransparentHugePages"
)
#: Spark takes 4 MB for each broadcast, and up to 64 MB for each aggregation or sort, however few rows there are. PySpark tells
#: the JVM the line of each operation on a column, in six calls, for a message should it fail.
_CONF_FOR_LITTLE = (
    "spark.broadcast.blockSize=256k",
    "spark.buffer.pageSize=2m",
    "spark.python.sql.dataFrameDebugging.enabled=false",
)
_FOR_MUCH = "-XX:+UseParallelGC"
_JOBS = Path(__file__).resolve().parent / "jobs"


@dataclass(frozen=True)
class Application:
    """A command that starts an application, and the class archive that it leaves behind, if any."""

    command: Sequence[str]
    archive: Path | None = None
    temporary_archive: Path | None = None

    def keep_archive(self, *, complete: bool = True) -> None:
        """Keep the class archive of an application that ended well, for the next ones.

        Args:
            complete: whether it loaded what others will load: else its archive is thrown away, and the next one's is
                looked at.
        """
        if self.archive and self.temporary_archive and self.temporary_archive.exists():
            if complete:
                self.temporary_archive.replace(self.archive)
            else:
                self.temporary_archive.unlink()


def application(
    profile: Profile, job: str, arguments: Iterable[str], conf: Sequence[str] = (), *, little: bool = False
) -> Application:
    """How to start ``job`` with ``arguments``.

    Args:
        job: the path of a Python file, as seen from the engine's folder ``orchestrate/jobs``. The engine brings the
            files that it starts: a project of one's own has none.
        conf: ``name=value`` of each further ``--conf`` setting.
        little: whether little is to be computed, so that the JVM had better not compile its code for much.

    Raises:
        ConfigurationError: spark-defaults.conf names no packages.
        SystemFailureError: the jars cannot be fetched.
    """
    defaults = profile.root / "spark-defaults.conf"
    submit = [_spark_submit(), "--properties-file", str(defaults), "--master", profile.spark.master]
    master = profile.spark.master
    archive = temporary = None
    if master.startswith("local") and not master.startswith("local-cluster"):
        jars = fetch(packages(defaults), "spark")
        archive = class_archive(jars)
        temporary = (
            None if archive.exists() else archive.with_suffix(f".{hashlib.sha256(str(conf).encode()).hexdigest()[:6]}")
        )
        share = f"-XX:SharedArchiveFile={archive}" if temporary is None else f"-XX:ArchiveClassesAtExit={temporary}"
        submit += [
            "--conf",
            "spark.jars.packages=",
            "--driver-class-path",
            ":".join(map(str, jars)),
            "--conf",
            f"spark.hadoop.fs.file.impl={_LOCAL_FILES}",
            "--driver-java-options",
            f"{share} {_JVM} {_FOR_LITTLE if little else _FOR_MUCH}",
        ]
    else:
        submit += ["--py-files", str(package_zip(profile))]
    for setting in [*(_CONF_FOR_LITTLE if little else ()), *conf]:
        submit += ["--conf", setting]
    return Application([*submit, str(_JOBS / job), *arguments], archive, temporary)


def packages(defaults: Path) -> list[Artifact]:
    """The Maven coordinates in ``spark-defaults.conf``, the one place where jar versions stand."""
    match = _PACKAGES.search(defaults.read_text(encoding="utf-8"))
    if match is None:
        raise ConfigurationError(f"{defaults}: spark.jars.packages is not set; expected the jars of Iceberg.")
    return [Artifact.parse(coordinate) for coordinate in match[1].split(",")]


def package_zip(profile: Profile) -> Path:
    """The engine as a zip for ``--py-files``."""
    package = Path(__file__).resolve().parents[1]
    path = profile.root / ".lakehouse" / "lakehouse.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(package.rglob("*.py")):
            archive.write(file, Path("lakehouse") / file.relative_to(package))
    temporary.replace(path)
    return path


def _spark_submit() -> str:
    beside = Path(sys.executable).with_name("spark-submit")
    return (
        str(beside) if beside.exists() else shutil.which("spark-submit") or str(spark_home() / "bin" / "spark-submit")
    )


def spark_home() -> Path:
    """The folder of the Spark that this Python has."""
    return Path(pyspark.__file__).parent


def class_archive(jars: Sequence[Path]) -> Path:
    """The archive for this Java, this Spark and these jars; another of any makes it useless."""
    program = Path(java()).resolve()
    version = f"{program} {program.stat().st_size} {program.stat().st_mtime_ns}"  # to ask it would take a JVM's start
    parts = [version, str(spark_home()), pyspark.__version__, *map(str, jars)]
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    folder = cache_folder() / "classes"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.jsa"
