"""A lake for runs without a source."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from pyspark.sql import SparkSession

from lakehouse.settings import Profile
from tests.conftest import TestLake
from tests.unit.orchestrate.marts import Marts


@pytest.fixture(scope="module")
def people(
    spark: SparkSession, profile: Profile, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> str:
    """A silver table of people that is made once: making it takes longer than all that is asked of it."""
    folder, name = tmp_path_factory.mktemp("people"), f"people_{request.node.name.rpartition('/')[2][5:-3]}"
    Marts(TestLake(folder / "registry", spark, profile), name, "none", folder).load()
    return name


@pytest.fixture
def marts(people: str, make_lake: Callable[[], TestLake], tmp_path: Path, request: pytest.FixtureRequest) -> Marts:
    """A registry of the test's own, without marts yet."""
    return Marts(make_lake(), people, f"m{abs(hash(request.node.nodeid)) % 10**8}", tmp_path)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A log that a test configures goes to that test's standard error, which is closed afterwards."""
    yield
    structlog.reset_defaults()
