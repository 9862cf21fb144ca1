"""What files of each format bring: what is written in them, and of what cannot be read where it stands and why."""

import gzip
import io
import json
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import SourceError
from lakehouse.paths import LINE
from lakehouse.sources.files import avro, csv_lines, json_lines, lines, parquet
from lakehouse.sources.files.csv_lines import Dialect
from lakehouse.sources.reader import MISFITS, RECORD
from lakehouse.sources.records import OTHERS, Fields

COMMAS = Dialect(",", '"', "")


def stream(content: bytes) -> pa.NativeFile:
    return pa.PythonFile(io.BytesIO(content), mode="r")


def rows(batches: Any) -> list[dict[str, Any]]:
    """The rows, without what is NULL."""
    found = [row for batch in batches for row in batch.to_pylist()]
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def of_json(content: str | bytes, **names: str) -> list[dict[str, Any]]:
    text = content.encode() if isinstance(content, str) else content
    return rows(json_lines.batches(stream(text), Fields.named(names)))


def of_csv(
    content: str, names: list[str] | None = None, dialect: Dialect = COMMAS, **fields: str
) -> list[dict[str, Any]]:
    return rows(csv_lines.batches(stream(content.encode()), Fields.named(fields), dialect, names, "reading a.csv"))


def test_values_of_json_are_as_they_are_written() -> None:
    content = (
        '{"a": 1.50, "b": 12345678901234567890.123, "c": 1e400, "d": "x\\u00e9", "e": {"k": [1, 2.0]}, "f": null, '
        '"g": true, "h": 123456789012345678901234567890, "i": [], "j": -0.0}'
    )
    (found,) = of_json(content, **{name: name for name in "abcdefghij"})
    assert found == {
        "a": "1.50", "b": "12345678901234567890.123", "c": "1e400", "d": "xé", "e": '{"k": [1, 2.0]}', "g": "true",
        "h": "123456789012345678901234567890", "i": "[]", "j": "-0.0", LINE: 1,
    }  # fmt: skip


def test_a_path_leads_into_an_object_and_what_it_leaves_there_is_kept() -> None:
    content = '{"s": {"c": 1.0, "d": {"e": 2.50}}, "n": "x"}\n{"s": "none"}\n{"s.c": "flat"}\n{"s": {"c": "y"}}'
    assert of_json(content, c="s.c", e="s.d.e") == [
        {"c": "1.0", "e": "2.50", OTHERS: '{"n":"x"}', LINE: 1},
        {OTHERS: '{"s":"none"}', LINE: 2},
        {"c": "flat", OTHERS: '{"s.c":"flat"}', LINE: 3},
        {"c": "y", LINE: 4},
    ]


@pytest.mark.parametrize("text", ["no", '{"a": 1', "[1]", '{"a": 01}', '{"a": NaN}', '{"a": "x"} y', '"a"'])
def test_a_line_that_is_no_object_is_told_without_its_text(text: str) -> None:
    found = of_json(f'{{"a": "1"}}\r\n\n{text}\n{{"a": "2"}}', a="a")
    assert [row.get("a") for row in found] == ["1", None, "2"]
    assert [row[LINE] for row in found] == [1, 3, 4]
    assert json.loads(found[1][MISFITS])[RECORD].startswith("no JSON object: ")


def test_bytes_that_are_no_utf8_and_a_mark_of_byte_order() -> None:
    assert of_json(b'\xef\xbb\xbf{"a": "1"}\n{"a": "\xff"}', a="a")[0] == {"a": "1", LINE: 1}
    assert MISFITS in of_json(b'{"a": "\xff"}', a="a")[0]


def test_what_is_left_of_a_compressed_file_that_ends_too_early_is_read() -> None:
    whole = gzip.compress("".join(f'{{"a": "{number}"}}\n' for number in range(50_000)).encode(), compresslevel=1)
    with pa.CompressedInputStream(stream(whole[: len(whole) // 2]), "gzip") as cut:
        found = rows(json_lines.batches(cut, Fields.named({"a": "a"})))
    *read, last = found
    assert [row["a"] for row in read if "a" in row] == [
        str(number) for number in range(len([r for r in read if "a" in r]))
    ]
    assert "cannot be decompressed" in last[MISFITS]


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=5), max_size=20),
    st.integers(1, 7),
)
def test_lines_are_those_of_the_file_however_it_is_read(texts: list[str], size: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lines, "_CHUNK", size)
        content = "\n".join(["x", *texts, "y"]).encode()
        found = [line for _, some in lines.lines_of(stream(content)) for line in some]
        numbers = [first + place for first, some in lines.lines_of(stream(content)) for place in range(len(some))]
    assert found == content.split(b"\n")
    assert numbers == list(range(1, len(found) + 1))


def test_cells_of_csv_are_found_by_the_names_of_the_first_line() -> None:
    content = 'b,a,"n ew"\n1,,x\n\n"2, ""3""",4,\n'
    assert of_csv(content, a="a", b="b") == [
        {"b": "1", OTHERS: '{"n ew":"x"}', LINE: 2},
        {"a": "4", "b": '2, "3"', OTHERS: '{"n ew":null}', LINE: 4},
    ]


def test_csv_without_names_is_read_by_the_order_that_is_declared() -> None:
    assert of_csv("1;-\n", ["a", "b"], Dialect(";", "'", "-"), a="a", b="b") == [{"a": "1", LINE: 1}]


def test_a_quote_that_is_wrong_costs_its_own_line_only() -> None:
    found = of_csv('a,b\n"x"y,1\n2,"z\n3,4\n5,6', a="a")
    assert [(row.get("a"), row[LINE]) for row in found] == [(None, 2), (None, 3), ("3", 4), ("5", 5)]
    assert [MISFITS in row for row in found] == [True, True, False, False]


def test_names_that_stand_twice_are_refused() -> None:
    with pytest.raises(SourceError, match=r"its first line names 'a' twice"):
        of_csv("a,b,a\n1,2,3\n", a="a")
    assert of_csv("", a="a") == []


def test_avro_and_what_is_none() -> None:
    schema = {"type": "record", "name": "r", "fields": [
        {"name": "a", "type": ["null", "long"]}, {"name": "b", "type": {"type": "bytes", "logicalType": "decimal",
         "precision": 9, "scale": 2}}, {"name": "c", "type": "double"}, {"name": "d", "type": "bytes"},
        {"name": "e", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "f", "type": {"type": "map", "values": "int"}}]}  # fmt: skip
    written = io.BytesIO()
    record = {"a": None, "b": Decimal("1.50"), "c": 0.1, "d": b"x", "e": 1_700_000_000_000, "f": {"k": 1}}
    fastavro.writer(written, schema, [record, {**record, "a": 7}])
    content = written.getvalue()
    named = Fields.named({name: name for name in "abcdef"})
    first, second = rows(avro.batches(stream(content), named))
    assert first == {"b": "1.50", "c": "0.1", "d": "eA==", "e": "2023-11-14 22:13:20+00:00", "f": '{"k": 1}', LINE: 1}
    assert second["a"] == "7"
    (broken,) = rows(avro.batches(stream(b"Obj nothing"), named))
    assert "no Avro" in broken[MISFITS]


def test_parquet_arrives_with_its_types_and_what_does_not_fit_is_told() -> None:
    columns = {"a": ("A", "int"), "b": ("b", "string"), "gone": ("gone", "date")}
    written = io.BytesIO()
    pq.write_table(pa.table({"A": pa.array([1, 2**40, None], pa.int64()), "b": [[1, None], None, []]}), written)
    assert rows(parquet.batches(stream(written.getvalue()), columns)) == [
        {"a": 1, "b": "[1, null]", LINE: 1},
        {LINE: 2, MISFITS: '{"a": "1099511627776"}'},
        {"b": "[]", LINE: 3},
    ]
    (broken,) = rows(parquet.batches(stream(b"no parquet at all"), columns))
    assert "no Parquet" in broken[MISFITS]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (pa.int8(), "int"), (pa.uint32(), "bigint"), (pa.uint64(), "decimal(20,0)"), (pa.float16(), "float"),
        (pa.decimal128(9, 2), "decimal(9,2)"), (pa.decimal256(50, 2), "string"), (pa.date64(), "date"),
        (pa.timestamp("ms", "UTC"), "timestamp"), (pa.timestamp("ms"), "string"), (pa.large_binary(), "binary"),
        (pa.dictionary(pa.int8(), pa.bool_()), "boolean"), (pa.list_(pa.int8()), "string"),
    ],
)  # fmt: skip
def test_each_arrow_type_has_a_type_of_the_lake(kind: pa.DataType, found: str) -> None:
    assert parquet.lake_type(kind) == found
