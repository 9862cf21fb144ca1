"""What analysts see is what gold holds."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from lakehouse.errors import SystemFailureError
from lakehouse.iceberg.lake import Lake
from lakehouse.iceberg.write import overwrite
from lakehouse.paths import gold
from lakehouse.publish import duckdb_file
from lakehouse.publish.release import release
from lakehouse.registry import loader
from lakehouse.testing import local_frame
from tests.conftest import TestLake


@pytest.fixture
def lake(make_lake: Callable[[], TestLake], tmp_path: Path) -> TestLake:
    """Two marts in the registry, of which one is made."""
    lake = make_lake()
    lake.register("release_people", "source: {connection: app, relation: public.people}\n")
    for mart in ("release_made", "release_unmade"):
        (lake.folder / "domain" / f"{mart}.sql").write_text("SELECT id FROM silver.release_people")
    target = lake.catalog.find(gold("release_made")) or lake.catalog.create(gold("release_made"), {"id": "int"})
    overwrite(local_frame(lake.spark, [(1,), (2,)], "id int"), target, {})
    lake.profile = lake.profile.model_copy(update={"analytics": tmp_path / "analysts" / "analytics.duckdb"})
    return lake


def released(lake: TestLake) -> Path:
    return release(loader.load(lake.folder), Lake(lake.spark, lake.catalog), lake.profile)


def test_a_release_shows_each_gold_table_that_was_made(lake: TestLake) -> None:
    path = released(lake)
    assert path == lake.profile.analytics
    with duckdb.connect(str(path), read_only=True) as connection:
        views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        assert views == [("release_made",)]
        assert connection.execute("SELECT id FROM release_made ORDER BY id").fetchall() == [(1,), (2,)]


def test_a_release_that_fails_leaves_the_old_file(lake: TestLake, monkeypatch: pytest.MonkeyPatch) -> None:
    path = released(lake)
    before = path.stat().st_ino
    broken = duckdb_file.View("release_made", {"id": "int"}, (), 7)
    monkeypatch.setattr(duckdb_file.View, "of", lambda _table: broken)
    with pytest.raises(SystemFailureError, match="expected 7 rows as Iceberg says"):
        released(lake)
    assert path.stat().st_ino == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
