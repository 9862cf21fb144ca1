"""Files into raw and silver: each row with its file and line, nothing missed, nothing twice, nothing lost in silence."""

import csv
import gzip
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from lakehouse.orchestrate.runs import Status
from lakehouse.paths import raw as raw_name
from lakehouse.raw.state import last_state
from lakehouse.sources.files import position
from lakehouse.sources.files.part import FilesPart
from lakehouse.sources.files.settings import Settings
from scripts.services.minio import Minio
from tests.conftest import TestLake
from tests.integration.loads import drop, dying, run

Rows = Sequence[Mapping[str, Any]]
_EVENTS = """
load: arrivals
key: [event_id]
columns:
  event_id: {}
  user_id: bigint
  amount: {type: "decimal(10,2)"}
  city: {source: store.city}
  at: timestamp
"""
_ticks = count(1_700_000_000)


class Folder:
    """A folder in which a program writes files, each a second after the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: bytes, at: int | None = None) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        moment = at or next(_ticks)
        os.utime(path, (moment, moment))

    def write_lines(self, name: str, *records: Mapping[str, Any] | str, at: int | None = None) -> None:
        text = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in records)
        self.write(name, gzip.compress(text.encode()) if name.endswith(".gz") else text.encode(), at)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "landing").mkdir()
    return Folder(tmp_path / "landing")


@pytest.fixture
def lake(make_lake: Callable[[], TestLake], folder: Folder) -> TestLake:
    return make_lake().with_source("landing", Settings(type="files", root=str(folder.path)))


@pytest.fixture
def name(lake: TestLake, request: pytest.FixtureRequest) -> Iterator[str]:
    found = f"f{abs(hash(request.node.nodeid)) % 10**10}"
    yield found
    drop(lake, found)


def register(lake: TestLake, name: str, pattern: str, more: str = _EVENTS, options: str = "") -> None:
    lake.register(name, f"source: {{connection: landing, relation: '{pattern}'{options}}}\n{more}")


def silver(lake: TestLake, name: str) -> dict[str, tuple[Any, ...]]:
    rows = lake.rows(f"silver.{name}", "event_id, user_id, CAST(amount AS string), city, CAST(at AS string)")
    return {row[0]: row[1:] for row in rows}


def rejected(lake: TestLake, name: str) -> list[tuple[str, int, str]]:
    rows = lake.rows(f"quarantine.{name}", "get_json_object(row, '$.source_file'), "
                     "CAST(get_json_object(row, '$.source_line') AS bigint), reason")  # fmt: skip
    return sorted(rows)


def event(number: int, amount: Any = "1.50", **more: Any) -> dict[str, Any]:
    at = f"2026-11-01T10:00:{number % 60:02}Z"
    return {"event_id": f"e{number}", "user_id": number, "amount": amount, "store": {"city": "Ulm"}, "at": at, **more}


def expected(number: int, amount: str = "1.50") -> tuple[Any, ...]:
    return (number, amount, "Ulm", f"2026-11-01 10:00:{number % 60:02}")


def test_what_arrives_is_read_once_and_each_row_knows_its_file_and_line(
    lake: TestLake, folder: Folder, name: str
) -> None:
    folder.write_lines("day=1/a.jsonl", event(1), event(2, 2.5), at=next(_ticks))
    folder.write_lines("day=1/b.jsonl.gz", "", event(3, 12345678.90))
    folder.write_lines("day=1/_SUCCESS.jsonl", event(98))
    folder.write_lines("day=1/.part.jsonl", event(99))
    register(lake, name, "day=*/*.jsonl*")
    first = run(lake, name)
    assert first.rows_read == 3
    assert "2 files read" in first.notes
    assert silver(lake, name) == {"e1": expected(1), "e2": expected(2, "2.50"), "e3": expected(3, "12345678.90")}
    places = lake.rows(f"raw.{name}", "event_id, source_file, source_line, amount")
    assert places == [("e1", "day=1/a.jsonl", 1, "1.50"), ("e2", "day=1/a.jsonl", 2, "2.5"),
                      ("e3", "day=1/b.jsonl.gz", 2, "12345678.9")]  # fmt: skip
    again = lake.run(f"raw.{name}", f"silver.{name}")
    assert {done.status for done in again.values()} == {Status.UNCHANGED}
    folder.write_lines("day=2/a.jsonl", event(4))
    assert run(lake, name).rows_read == 1
    assert silver(lake, name).keys() == {"e1", "e2", "e3", "e4"}


def test_an_event_that_comes_in_two_files_counts_once_as_the_later_one_has_it(
    lake: TestLake, folder: Folder, name: str
) -> None:
    folder.write_lines("b.jsonl", event(1, "1.00"))
    folder.write_lines("a.jsonl", event(1, "2.00"), event(1, "3.00"))
    register(lake, name, "*.jsonl")
    run(lake, name)
    assert silver(lake, name) == {"e1": expected(1, "3.00")}
    assert lake.catalog.find(raw_name(name)) is not None


def test_a_file_that_is_written_anew_replaces_its_own_rows(lake: TestLake, folder: Folder, name: str) -> None:
    folder.write_lines("a.jsonl", event(1), event(2), event(3))
    folder.write_lines("b.jsonl", event(3, "9.00"), event(4))
    register(lake, name, "*.jsonl", _EVENTS + "deletes: {max_share: 1}\n")
    run(lake, name)
    folder.write_lines("b.jsonl", event(4, "7.00"))
    done = run(lake, name)
    assert "1 of them in place of another version (b.jsonl)" in done.notes
    assert silver(lake, name) == {**{f"e{n}": expected(n) for n in (1, 2, 3)}, "e4": expected(4, "7.00")}
    assert len(lake.rows(f"raw.{name}")) == 4


def test_lines_that_are_no_records_are_rejected_with_file_and_line_and_the_rest_loads(
    lake: TestLake, folder: Folder, name: str
) -> None:
    bad: list[dict[str, Any] | str] = [event(1), '{"event_id": "e2", ', event(3), "[1, 2]", event(4, "much")]
    folder.write_lines("a.jsonl", *bad)
    folder.write("b.jsonl", b'{"event_id": "e5\xff"}\n')
    register(lake, name, "*.jsonl", _EVENTS + "deletes: {max_share: 1}\n")
    assert run(lake, name).rows_read == 6
    assert silver(lake, name).keys() == {"e1", "e3"}
    found = rejected(lake, name)
    assert [place[:2] for place in found] == [("a.jsonl", 2), ("a.jsonl", 4), ("a.jsonl", 5), ("b.jsonl", 1)]
    assert "no JSON object: Input data was truncated" in found[0][2]
    assert "amount: 'much' is not a decimal(10,2)" in found[2][2]
    folder.write_lines("c.jsonl", "no", event(6))
    run(lake, name)
    assert [place[:2] for place in rejected(lake, name)] == [*(place[:2] for place in found), ("c.jsonl", 1)]
    folder.write_lines("a.jsonl", *bad[:1], event(2), *bad[2:3])
    run(lake, name)
    assert [place[:2] for place in rejected(lake, name)] == [("b.jsonl", 1), ("c.jsonl", 1)]
    assert silver(lake, name).keys() == {"e1", "e2", "e3", "e6"}


def test_fields_that_nobody_declared_are_kept_as_they_were_written(lake: TestLake, folder: Folder, name: str) -> None:
    unknown = '{"event_id": "e1", "new": {"x": [1.50, null]}, "store": {"city": "Ulm", "zip": 7}}'
    folder.write_lines("a.jsonl", unknown, event(2))
    register(lake, name, "*.jsonl")
    run(lake, name)
    assert lake.rows(f"silver.{name}", "event_id, other_fields") == [
        ("e1", '{"new":{"x": [1.50, null]},"store":{"city": "Ulm", "zip": 7}}'), ("e2", None)]  # fmt: skip


def test_a_file_that_vanished_is_told_and_its_rows_stay_unless_the_table_says_deletes(
    lake: TestLake, folder: Folder, name: str
) -> None:
    for number in (1, 2):
        folder.write_lines(f"{number}.jsonl", event(number))
    register(lake, name, "*.jsonl")
    run(lake, name)
    (folder.path / "1.jsonl").unlink()
    assert "1 files are gone, their rows stay (1.jsonl)" in run(lake, name).notes
    assert silver(lake, name).keys() == {"e1", "e2"}
    folder.write_lines("1.jsonl", event(1, "6.00"))
    run(lake, name, accept_deletes=frozenset({name}))
    assert silver(lake, name) == {"e1": expected(1, "6.00"), "e2": expected(2)}
    register(lake, name, "*.jsonl", _EVENTS + "deletes: {detect: keys}\n")
    folder.write_lines("3.jsonl", event(3))
    run(lake, name)
    (folder.path / "2.jsonl").unlink()
    braked = lake.run(f"raw.{name}")[f"raw.{name}"]
    assert braked.status is Status.FAILED
    assert "of 3 rows are gone" in str(braked.error)
    run(lake, name, accept_deletes=frozenset({name}))
    assert silver(lake, name).keys() == {"e1", "e3"}


def test_after_many_files_the_position_is_small_and_still_sees_an_old_one_change(
    lake: TestLake, folder: Folder, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(position, "_MOST", 6)
    monkeypatch.setattr(position, "_NEWEST", 2)
    register(lake, name, "*.jsonl", _EVENTS + "deletes: {max_share: 1}\n")
    begin = next(_ticks)
    for number in range(20):
        folder.write_lines(f"{number:02}.jsonl", event(number), at=begin + 10 * number)
        if number % 7 == 0:
            run(lake, name)
    run(lake, name)
    state = last_state(lake.catalog.find(raw_name(name)))
    assert state is not None
    assert len(position.Position.model_validate_json(state.position or "").files) <= 6
    folder.write_lines("03.jsonl", event(3, "8.00"))
    folder.write_lines("late.jsonl", event(50), at=begin + 5)
    done = run(lake, name)
    assert done.rows_read == 2
    assert "1 of them in place of another version (03.jsonl)" in done.notes
    assert silver(lake, name) == {**{f"e{n}": expected(n) for n in (*range(20), 50)}, "e3": expected(3, "8.00")}


@pytest.mark.parametrize("kind", ["csv", "tsv", "avro", "parquet"])
def test_other_formats_bring_the_same_rows(lake: TestLake, folder: Folder, name: str, kind: str) -> None:
    columns = _EVENTS.replace("{source: store.city}", "{}")
    records = [{**{k: v for k, v in event(n).items() if k != "store"}, "city": "Ulm"} for n in range(1, 4)]
    written = io.BytesIO()
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(records), written)
    elif kind == "avro":
        kinds = {"user_id": "long"}
        fields = [{"name": key, "type": kinds.get(key, "string")} for key in records[0]]
        fastavro.writer(written, {"type": "record", "name": "event", "fields": fields}, records)
    else:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(records[0]), delimiter="\t" if kind == "tsv" else ",")
        writer.writeheader()
        writer.writerows(records)
        written.write(text.getvalue().encode())
    folder.write(f"a.{kind}", written.getvalue())
    register(lake, name, f"*.{kind}", columns)
    run(lake, name)
    assert silver(lake, name) == {f"e{n}": expected(n) for n in range(1, 4)}
    assert {row[0] for row in lake.rows(f"raw.{name}", "source_line")} == (
        {2, 3, 4} if kind in {"csv", "tsv"} else {1, 2, 3}
    )


def test_of_csv_a_line_with_a_cell_too_many_and_a_quote_that_never_closes_cost_no_other_row(
    lake: TestLake, folder: Folder, name: str
) -> None:
    lines = ["event_id;city;user_id", "e1;'U;lm';1", "e2;Ulm;2;3", "e3;'Ulm\nHbf';3", "e4;'Ulm;4", "e5;Ulm;", ""]
    folder.write("a.txt", "\n".join(lines).encode())
    more = "load: arrivals\nkey: [event_id]\ncolumns: {event_id: , city: , user_id: bigint}\n"
    register(lake, name, "*.txt", more, ", options: {format: csv, delimiter: ';', quote: \"'\"}")
    run(lake, name)
    found = lake.rows(f"silver.{name}", "event_id, city, user_id, source_line")
    assert found == [("e1", "U;lm", 1, 2), ("e3", "Ulm\nHbf", 3, 4), ("e5", "Ulm", None, 7)]
    told = rejected(lake, name)
    assert [place[:2] for place in told] == [("a.txt", 3), ("a.txt", 6)]
    assert "4 cells; the file has 3 columns" in told[0][2]


def test_a_table_with_personal_data_shows_nothing_of_a_line_that_cannot_be_read(
    lake: TestLake, folder: Folder, name: str
) -> None:
    folder.write_lines(
        "a.jsonl", '{"event_id": "e1", "mail": "ada@example.org"', {"event_id": "e2", "mail": "ada@example.org"}
    )
    policy = "load: arrivals\nkey: [event_id]\nholds_pii: true\ncolumns:\n"
    policy += "  event_id: {pii: none}\n  mail: {pii: pseudonymise}\n"
    register(lake, name, "*.jsonl", policy)
    refused = lake.run(f"raw.{name}")[f"raw.{name}"]
    assert "columns without a `pii` policy: other_fields" in str(refused.error)
    register(lake, name, "*.jsonl", policy + "  other_fields: {pii: exclude}\n")
    run(lake, name)
    assert [place[:2] for place in rejected(lake, name)] == [("a.jsonl", 1)]
    shown = json.dumps([lake.rows(f"{layer}.{name}") for layer in ("silver", "quarantine")], default=str)
    assert "example.org" not in shown


@pytest.mark.parametrize("what", ["more: bigint\n", "user_id: string\n"])
def test_when_what_is_read_changes_all_files_are_read_again_and_rows_of_those_that_are_gone_stay(
    lake: TestLake, folder: Folder, name: str, what: str
) -> None:
    folder.write_lines("a.jsonl", event(1, more=5))
    folder.write_lines("b.jsonl", event(2, more=6))
    register(lake, name, "*.jsonl")
    run(lake, name)
    (folder.path / "a.jsonl").unlink()
    changed = (
        "\n".join(line for line in _EVENTS.splitlines() if what.split(":", maxsplit=1)[0] not in line) + f"\n  {what}"
    )
    register(lake, name, "*.jsonl", changed)
    run(lake, name)
    column = what.partition(":")[0]
    assert lake.rows(f"silver.{name}", f"event_id, CAST({column} AS string)") == (
        [("e1", None), ("e2", "6")] if column == "more" else [("e1", "1"), ("e2", "2")]
    )


def test_a_run_that_dies_while_it_reads_or_after_it_committed_loses_and_doubles_nothing(
    lake: TestLake, folder: Folder, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten random points: a reader that fails after some batches, and a commit whose run never heard of it."""
    random = Random(7)
    register(lake, name, "*.jsonl", _EVENTS + "deletes: {max_share: 1}\n")
    whole, numbers = FilesPart.batches, count()
    truth: dict[str, list[int]] = {}
    for _ in range(10):
        for _ in range(random.randint(1, 3)):
            file = random.choice(["a", "b", "c", "d"]) + ".jsonl"
            truth[file] = [next(numbers) for _ in range(random.randint(1, 4))]
            folder.write_lines(file, *(event(n) for n in truth[file]))
        breaks_off = dying(whole, after=random.randint(0, 2))
        with monkeypatch.context() as patched:
            patched.setattr(FilesPart, "batches", breaks_off)
            assert lake.run(f"raw.{name}")[f"raw.{name}"].status is Status.FAILED
        if random.random() < 0.5:
            lake.run(f"raw.{name}")  # and is gone before silver
        run(lake, name)
        held = Counter(row[0] for row in lake.rows(f"raw.{name}", "event_id"))
        assert held == Counter(f"e{n}" for numbers_of_file in truth.values() for n in numbers_of_file)
        assert silver(lake, name).keys() == held.keys()
    listed = {Path(path).name for path in _data_files(lake, name)}
    shown = {
        Path(row[0]).name
        for row in lake.spark.sql(f"SELECT file_path FROM iceberg.raw.{name}.all_data_files").collect()
    }
    assert listed == shown


def _data_files(lake: TestLake, name: str) -> list[str]:
    warehouse = str(lake.profile.catalog["warehouse"])
    return [str(path) for path in Path(warehouse, "raw", name, "data").rglob("*.parquet")]


def test_a_file_that_is_written_while_it_is_read_stops_the_table(
    lake: TestLake, folder: Folder, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_lines("a.jsonl", event(1))
    register(lake, name, "*.jsonl")
    whole = FilesPart._read

    def while_written(self: FilesPart, store: Any, file: Any) -> Iterator[pa.RecordBatch]:
        yield from whole(self, store, file)
        folder.write_lines("a.jsonl", event(1), event(2))

    with monkeypatch.context() as patched:
        patched.setattr(FilesPart, "_read", while_written)
        done = lake.run(f"raw.{name}")[f"raw.{name}"]
    assert "a.jsonl of the files at" in str(done.error)
    assert "was written or removed while it was read" in str(done.error)
    run(lake, name)
    assert silver(lake, name).keys() == {"e1", "e2"}


def test_what_is_asked_of_files_that_they_cannot_give_is_refused(lake: TestLake, folder: Folder, name: str) -> None:
    folder.write_lines("a.jsonl", event(1))
    for more, options, told in (
        ("load: arrivals\n", "", "declares no columns"),
        (_EVENTS, ", options: {format: xml}", "option 'format' of `source:` is 'xml'"),
        ("cursor: at\nkey: [event_id]\ncolumns: {event_id: , at: timestamp}\n", "", "cursor 'at' is text"),
    ):
        register(lake, name, "*.jsonl", more, options)
        assert told in str(lake.run(f"raw.{name}")[f"raw.{name}"].error)
    register(lake, name, "*.xml")
    assert "no file fits *.xml" in run(lake, name).notes
    folder.path.rename(folder.path.with_name("away"))
    assert "is not there, of the files at" in str(lake.run(f"raw.{name}")[f"raw.{name}"].error)


def test_in_full_all_files_are_read_when_one_of_them_changed(lake: TestLake, folder: Folder, name: str) -> None:
    register(lake, name, "*.jsonl", _EVENTS.replace("load: arrivals\n", "deletes: {max_share: 1}\n"))
    folder.write_lines("a.jsonl", event(1))
    folder.write_lines("b.jsonl", event(2))
    run(lake, name)
    assert run(lake, name).status is Status.UNCHANGED
    (folder.path / "a.jsonl").unlink()
    run(lake, name)
    assert silver(lake, name).keys() == {"e2"}


def test_files_of_an_object_store_arrive_as_those_of_a_folder(
    make_lake: Callable[[], TestLake], minio_service: Minio, name: str
) -> None:
    user, password, port = minio_service.user, os.environ["MINIO_ROOT_PASSWORD"], minio_service.port
    root = Settings(
        type="files",
        root="s3://lakehouse/landing",
        endpoint=f"http://127.0.0.1:{port}",
        region="us-east-1",
        access_key=user,
        secret_key=SecretStr(password),
    )
    lake = make_lake().with_source("landing", root)
    system = pyarrow.fs.S3FileSystem(
        endpoint_override=f"127.0.0.1:{port}", scheme="http", region="us-east-1", access_key=user, secret_key=password
    )
    for number in (1, 2):
        with system.open_output_stream(f"lakehouse/landing/{name}/{number}.jsonl.gz") as stream:
            stream.write(json.dumps(event(number)).encode())
    register(lake, name, f"{name}/*.jsonl.gz")
    run(lake, name)
    assert silver(lake, name) == {f"e{n}": expected(n) for n in (1, 2)}
    assert run(lake, name).status is Status.UNCHANGED
