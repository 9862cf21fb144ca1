"""What all tests share: one Spark session with an Iceberg catalog of its own, and a lake to run registry files in."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from pyspark.sql import SparkSession

from lakehouse import spark as lakehouse_spark
from lakehouse.iceberg.catalog import Catalog
from lakehouse.iceberg.lake import Lake
from lakehouse.jars import fetch
from lakehouse.logs import Redaction
from lakehouse.orchestrate import execute
from lakehouse.orchestrate.context import Context
from lakehouse.orchestrate.launch import class_archive, packages
from lakehouse.orchestrate.runs import TableRun
from lakehouse.paths import TableName
from lakehouse.raw.request import Request
from lakehouse.registry import loader
from lakehouse.settings import FileLock, Profile, Source
from tests.jvm import COMPILE_FAST

ROOT = Path(__file__).resolve().parents[1]
(ROOT / ".lakehouse").mkdir(exist_ok=True)  # pytest makes its base folder there
pytest_plugins = ["tests.service_fixtures", "lakehouse.testing"]
os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = str(ROOT / ".venv" / "bin" / "python")

hypothesis_settings.register_profile("lakehouse", deadline=None)  # a busy machine fails no test
hypothesis_settings.load_profile("lakehouse")


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """A profile like `embedded`, in a folder of its own, without sources."""
    home = tmp_path_factory.mktemp("lake")
    return Profile(
        name="test",
        root=ROOT,
        registry=home / "registry",
        catalog={
            "type": "jdbc",
            "uri": f"jdbc:sqlite:{home}/catalog.db?busy_timeout=30000",
            "jdbc.schema-version": "V1",
            "warehouse": str(home / "warehouse"),
        },
        analytics=home / "analytics.duckdb",
        lock=FileLock(type="file", path=home / "run.lock"),
        pseudonym_key=SecretStr("a key for tests only"),
        parameters={"reporting_currency": "EUR"},
    )


@pytest.fixture(scope="session")
def spark(profile: Profile) -> Iterator[SparkSession]:
    """One Spark for all tests."""
    jars = fetch(packages(ROOT / "spark-defaults.conf"), "spark")
    options = f"{COMPILE_FAST} -XX:+UseSerialGC -Xss4m"
    if (archive := class_archive(jars)).exists():  # a run left it behind: classes need not be loaded one by one
        options += f" -XX:SharedArchiveFile={archive} -Xshare:auto -Xlog:disable -Xlog:all=off"
    settings = {
        "spark.master": "local[2]",
        "spark.driver.extraClassPath": ":".join(map(str, jars)),
        "spark.driver.memory": "3g",
        "spark.driver.extraJavaOptions": options,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.codegen.wholeStage": "false",  # small data: compiling costs more than it saves
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = lakehouse_spark.session(profile, "tests", builder)
    yield session
    session.stop()


class TestLake:
    """Runs registry files in the tests' lake; table names are the test's own affair."""

    __test__ = False

    def __init__(self, folder: Path, spark: SparkSession, profile: Profile) -> None:
        self.folder, self.spark, self.profile = folder, spark, profile
        self.catalog = Catalog.of_profile(spark._jvm, profile)
        self.reports: list[TableRun] = []
        self._runs = 0

    def register(self, table: str, text: str) -> None:
        """Write a registry file."""
        path = self.folder / "domain" / f"{table}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def with_source(self, name: str, source: Source) -> "TestLake":
        self.profile = self.profile.model_copy(update={"sources": {**self.profile.sources, name: source}})
        return self

    def run(self, *targets: str, **options: Any) -> dict[str, TableRun]:
        """Make ``targets`` (``layer.table``) as a run of their own; returns what became of each."""
        self._runs += 1
        run_id = options.pop("run_id", f"run-{self.folder.name}-{self._runs}")
        resumed = options.pop("resumed", False)
        request = Request(run_id, **options)
        context = Context(
            self.profile,
            loader.load(self.folder),
            Lake(self.spark, self.catalog),
            request,
            datetime.now(UTC),
            Redaction(self.profile.secrets()),
            self.reports.append,
            resumed,
        )
        runs = execute.run([TableName.parse(target) for target in targets], context)
        return {run.table: run for run in runs}

    def rows(self, table: str, columns: str = "*", where: str = "true", order: str = "1") -> list[tuple[Any, ...]]:
        name = TableName.parse(table)
        found = self.spark.sql(f"SELECT {columns} FROM {name} WHERE {where} ORDER BY {order}").collect()
        return [tuple(row) for row in found]


@pytest.fixture
def make_lake(spark: SparkSession, profile: Profile, tmp_path: Path) -> Callable[[], TestLake]:
    """Makes lakes with a registry folder of their own."""
    return lambda: TestLake(tmp_path / "registry", spark, profile)
