"""The lake's metadata without Spark: how its catalog is reached, and what is said when it cannot be."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError, ServerError

from lakehouse.errors import ConfigurationError, SystemFailureError
from lakehouse.iceberg import metadata
from lakehouse.iceberg.metadata import LakeMetadata, TableMetadata
from lakehouse.iceberg.snapshots import SnapshotInfo
from lakehouse.paths import Layer, gold
from lakehouse.settings import Profile


def with_catalog(profile: Profile, **properties: str | SecretStr) -> Profile:
    return profile.model_copy(update={"catalog": properties})


class FakeRest:
    """A REST catalog that fails as a test says.

    Attributes:
        properties: what it was made with.
    """

    properties: ClassVar[dict[str, Any]] = {}
    error: Exception = NoSuchTableError("none")

    def __init__(self, name: str, **properties: Any) -> None:
        type(self).properties = properties

    def load_table(self, _: tuple[str, str]) -> None:
        raise self.error

    def list_tables(self, layer: str) -> list[tuple[str, str]]:
        if isinstance(self.error, NoSuchTableError):
            return [(layer, "b"), (layer, "a")]
        raise self.error


@pytest.fixture
def rest(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setattr(metadata, "RestCatalog", FakeRest)
    monkeypatch.setattr(FakeRest, "error", NoSuchTableError("none"))
    return with_catalog(profile, type="rest", uri="http://127.0.0.1:1")


def test_properties_of_spark_s_rest_catalog_are_given_in_pyiceberg_s_terms(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "RestCatalog", FakeRest)
    spark = {
        "type": "rest",
        "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "uri": "http://127.0.0.1:1",
        "client.region": "eu-central-1",
        "s3.path-style-access": "true",
        "s3.secret-access-key": SecretStr("secret"),
    }
    LakeMetadata(profile.model_copy(update={"catalog": spark}))
    assert FakeRest.properties == {
        "uri": "http://127.0.0.1:1",
        "s3.region": "eu-central-1",
        "s3.force-virtual-addressing": "false",
        "s3.secret-access-key": "secret",
    }


def test_tables_of_a_layer_are_listed_by_name(rest: Profile) -> None:
    assert LakeMetadata(rest).tables(Layer.GOLD) == [gold("a"), gold("b")]


def test_a_table_or_a_layer_that_is_not_there_is_none(rest: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LakeMetadata(rest).find(gold("a")) is None
    monkeypatch.setattr(FakeRest, "error", NoSuchNamespaceError("none"))
    assert LakeMetadata(rest).find(gold("a")) is None
    assert LakeMetadata(rest).tables(Layer.GOLD) == []


def test_a_catalog_that_fails_is_told_with_what_was_being_done(rest: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRest, "error", ServerError("out of\n order"))
    lake = LakeMetadata(rest)
    with pytest.raises(
        SystemFailureError, match=r"reading the metadata of gold\.a failed: out of order\. Is the catalog"
    ):
        lake.find(gold("a"))
    with pytest.raises(SystemFailureError, match="listing the tables of gold failed: out of order"):
        lake.tables(Layer.GOLD)


def test_a_rest_catalog_that_does_not_answer_is_told_by_its_address(profile: Profile) -> None:
    with pytest.raises(SystemFailureError, match=r"reaching the catalog at http://127\.0\.0\.1:1 failed"):
        LakeMetadata(with_catalog(profile, type="rest", uri="http://127.0.0.1:1"))


def test_a_lake_that_no_run_has_made_yet_has_no_tables_and_none_is_made_by_looking(
    profile: Profile, tmp_path: Path
) -> None:
    lake = LakeMetadata(with_catalog(profile, type="jdbc", uri=f"jdbc:sqlite:{tmp_path}/catalog.db?busy_timeout=1"))
    assert lake.find(gold("a")) is None
    assert lake.tables(Layer.GOLD) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["lake", "c#", "a b", "ü%20"])
def test_a_file_that_is_no_catalog_is_told_by_its_path_whatever_its_folder_is_called(
    profile: Profile, tmp_path: Path, folder: str
) -> None:
    path = tmp_path / folder / "catalog.db"
    path.parent.mkdir()
    path.write_text("no database")
    with pytest.raises(SystemFailureError) as caught:
        LakeMetadata(with_catalog(profile, type="jdbc", uri=f"jdbc:sqlite:{path}"))
    assert f"opening the catalog {path} failed: (sqlite3.DatabaseError) file is not a database" in str(caught.value)


@pytest.mark.parametrize(
    ("properties", "found"),
    [({"type": "glue"}, "a catalog of type 'glue'"), ({"type": "jdbc", "uri": "jdbc:postgresql://h/d?password=x"}, "'jdbc' at 'jdbc:postgresql://h/d'")],
)  # fmt: skip
def test_a_catalog_that_needs_spark_is_refused_with_those_that_do_not(
    profile: Profile, properties: dict[str, str], found: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        LakeMetadata(with_catalog(profile, **properties))
    assert found in str(caught.value)
    assert "expected `type: rest`, or `type: jdbc` on a SQLite file" in str(caught.value)


def test_a_property_is_that_of_the_newest_snapshot_that_has_it() -> None:
    history = tuple(
        SnapshotInfo(number, "append", number, summary)
        for number, summary in ((3, {"total-records": "7"}), (2, {"p": "new"}), (1, {"p": "old"}))
    )
    table = TableMetadata(gold("a"), (), snapshots=history)
    assert (table.newest("p"), table.newest("q"), table.head, table.row_count) == ("new", None, 3, 7)


def test_a_table_that_nothing_was_committed_to_has_no_head_and_no_rows() -> None:
    empty = TableMetadata(gold("a"), ())
    assert (empty.newest("p"), empty.head, empty.row_count) == (None, None, 0)
