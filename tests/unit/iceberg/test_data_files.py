"""Data files written from Arrow: what is in them, and where they are."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.iceberg.data_files import FileTarget, WrittenFile, write

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIELDS = {"id": pa.int64(), "name": pa.string(), "at": pa.timestamp("us", tz="UTC"), "_run_id": pa.string()}
SCHEMA = pa.schema(
    [
        pa.field(name, kind, metadata={"PARQUET:field_id": str(number)})
        for number, (name, kind) in enumerate(FIELDS.items(), start=1)
    ]
)


class Wrapped(pa.ExtensionType):  # type: ignore[misc]
    """A type that a driver wraps around text, as ADBC does with PostgreSQL's numerics."""

    def __init__(self) -> None:
        super().__init__(pa.string(), "tests.wrapped")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> "Wrapped":
        return cls()


def target(path: str | Path, schema: pa.Schema = SCHEMA) -> FileTarget:
    return FileTarget(str(path), schema, {"s3.secret-access-key": "hidden"})


def batch(**columns: Sequence[Any] | pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def written(tmp_path: Path, *batches: pa.RecordBatch, **options: Any) -> tuple[WrittenFile | None, pa.Table]:
    path = tmp_path / "data" / "part.parquet"
    file = write(target(path, options.pop("schema", SCHEMA)), batches, options.pop("constants", {}), **options)
    return file, pq.read_table(path)


def test_the_file_has_the_table_s_columns_in_the_table_s_types_with_its_field_ids(tmp_path: Path) -> None:
    came = batch(at=pa.array([NOW], pa.timestamp("ms", tz="UTC")), id=pa.array([1], pa.int32()))
    file, table = written(tmp_path, came, constants={"_run_id": "r1"})
    assert file is not None
    assert (file.path, file.rows, file.highest) == (str(tmp_path / "data" / "part.parquet"), 1, None)
    assert file.size == Path(file.path).stat().st_size
    assert table.to_pylist() == [{"id": 1, "name": None, "at": NOW, "_run_id": "r1"}]
    ids = [field.metadata[b"PARQUET:field_id"] for field in pq.read_schema(file.path)]
    assert ids == [b"1", b"2", b"3", b"4"]


def test_a_column_that_the_table_does_not_have_is_left_out(tmp_path: Path) -> None:
    _, table = written(tmp_path, batch(id=[1], odd=["x"]))
    assert table.column_names == list(FIELDS)


def test_columns_that_arrive_as_dictionaries_are_written_as_plain_values(tmp_path: Path) -> None:
    names = pa.array(["a", "b", "a", None]).dictionary_encode()
    _, table = written(tmp_path, batch(id=[1, 2, 3, 4], name=names))
    assert table.column("name").to_pylist() == ["a", "b", "a", None]
    assert table.schema.field("name").type == pa.string()


def test_a_type_that_the_driver_wraps_is_written_as_what_it_wraps(tmp_path: Path) -> None:
    wrapped = pa.ExtensionArray.from_storage(Wrapped(), pa.array(["12.50", None]))
    _, table = written(tmp_path, batch(id=[1, 2], name=wrapped))
    assert table.column("name").to_pylist() == ["12.50", None]
    assert table.schema.field("name").type == pa.string()


def test_a_constant_that_is_no_text_is_in_each_row(tmp_path: Path) -> None:
    _, table = written(tmp_path, batch(id=[1, 2]), constants={"at": NOW})
    assert table.column("at").to_pylist() == [NOW, NOW]


@pytest.mark.parametrize(
    ("repetitive", "expected"),
    [(None, {"id", "name", "_run_id"}), ((), {"_run_id"}), (("name",), {"name", "_run_id"})],
)
def test_only_columns_that_repeat_get_a_dictionary(
    tmp_path: Path, repetitive: tuple[str, ...] | None, expected: set[str]
) -> None:
    came = batch(id=[1, 1], name=["x", "x"])
    file, _ = written(tmp_path, came, constants={"_run_id": "r"}, repetitive=repetitive)
    assert file is not None
    group = pq.ParquetFile(file.path).metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    found = {column.path_in_schema for column in columns if "RLE_DICTIONARY" in column.encodings}
    assert found & {"id", "name", "_run_id"} == expected


@pytest.mark.parametrize("batches", [[], [batch(id=pa.array([], pa.int64()))] * 3], ids=["no batch", "empty batches"])
def test_a_read_without_rows_leaves_no_file(tmp_path: Path, batches: list[pa.RecordBatch]) -> None:
    path = tmp_path / "data" / "part.parquet"
    assert write(target(path), batches, {"_run_id": "r"}) is None
    assert list(tmp_path.rglob("*.parquet")) == []


def test_an_error_of_the_source_is_passed_on(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield batch(id=[1])
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        write(target(tmp_path / "part.parquet"), broken(), {})


def test_a_value_that_does_not_fit_the_table_s_type_is_an_error_and_never_another_value(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("id", pa.int32())])
    with pytest.raises(pa.ArrowInvalid, match="not in range"):
        write(target(tmp_path / "part.parquet", schema), [batch(id=[2**40])], {})


@given(values=st.lists(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=4), min_size=1, max_size=5))
def test_the_highest_value_of_the_watched_column_is_told(
    tmp_path_factory: pytest.TempPathFactory, values: list[list[int | None]]
) -> None:
    path = tmp_path_factory.mktemp("highest") / "part.parquet"
    file = write(target(path), [batch(id=pa.array(ids, pa.int64())) for ids in values], {}, watch="id")
    everything = [value for ids in values for value in ids]
    if not everything:
        assert file is None
        return
    known = [value for value in everything if value is not None]
    assert file is not None
    assert (file.path, file.rows, file.highest) == (str(path), len(everything), max(known, default=None))


def test_the_highest_value_is_of_the_table_s_type_and_absent_where_all_are_null(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("day", pa.date32()), pa.field("empty", pa.int64())])
    came = [batch(day=[date(2026, 1, 2)]), batch(day=[date(2026, 1, 1)])]
    file, _ = written(tmp_path, *came, schema=schema, watch="day")
    assert file is not None
    assert file.highest == date(2026, 1, 2)
    file, _ = written(tmp_path, *came, schema=schema, watch="empty")
    assert file is not None
    assert file.highest is None


@pytest.mark.parametrize("prefix", ["", "file:", "file://"])
@pytest.mark.parametrize("folder", ["c#", "c?", "c%23", "a b", "ü;x", "c#1?2"])
def test_a_file_stands_where_its_table_says_whatever_its_folder_is_called(
    tmp_path: Path, folder: str, prefix: str
) -> None:
    path = tmp_path / folder / "data" / "part.parquet"
    file = write(target(f"{prefix}{path}"), [batch(id=[1])], {})
    assert file is not None
    assert file.path == f"{prefix}{path}"
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]


def test_credentials_are_not_shown(tmp_path: Path) -> None:
    assert "hidden" not in repr(target(tmp_path / "part.parquet"))


@pytest.mark.parametrize(("codec", "said"), [("zstd", "ZSTD"), ("lz4_raw", "LZ4"), ("snappy", "SNAPPY")])
def test_a_file_is_compressed_as_its_table_says(tmp_path: Path, codec: str, said: str) -> None:
    place = FileTarget(str(tmp_path / "part.parquet"), SCHEMA, {}, codec)
    write(place, [batch(id=[1], name=["a"])], {})
    assert pq.ParquetFile(place.path).metadata.row_group(0).column(0).compression == said
