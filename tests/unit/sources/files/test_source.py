"""How files are described, and what may be said of them."""

import json
import re
from pathlib import Path

import pytest

from lakehouse.errors import SourceError
from lakehouse.scaffold.table import registry_file
from lakehouse.sources.files.options import Format, Options
from lakehouse.sources.files.settings import Settings
from lakehouse.sources.files.source import FilesSession
from lakehouse.sources.likely import likely_columns


@pytest.mark.parametrize(
    ("values", "likely"),
    [
        ([1, "2", None], "bigint"), (["1.50", 2], "decimal(18,2)"), (["01"], "string"), ([True, False], "boolean"),
        (["2026-01-31"], "date"), (["2026-01-31T10:00:00Z", "2026-01-31"], "timestamp"), (["20260131"], "bigint"),
        ([[1]], "string"), ([None], "string"), (["1e3"], "string"), ([True, "x"], "string"),
        (["03/25/2026 10:00:00"], "string"),
        (["2026-01-31", "soon"], "string"), (["2026-01-31", 7], "string"), ([1_767_225_600, 1_767_225_600_000], "bigint"),
        (["2026-01-31T10:00:00+01:00", 1_767_225_600, "1767225600000"], "timestamp iso8601 epoch_s epoch_ms"),
        (["31/01/2026 10:00:00", "2026-01-31 10:00"], "timestamp dd/MM/yyyy HH:mm:ss iso8601"),
        (["31.01.2026"], "timestamp dd.MM.yyyy"),
    ],
)  # fmt: skip
def test_a_first_contract_is_read_off_the_values(values: list[object], likely: str) -> None:
    kind, formats = likely_columns([{"a": value} for value in values])["a"]
    assert f"{kind} {' '.join(formats)}".rstrip() == likely


def test_files_are_described_and_scaffolded(tmp_path: Path) -> None:
    (tmp_path / "day=1").mkdir()
    record = {"eventId": "e1", "user": {"mail": "ada@example.org", "age": 36}, "price": 1.5, "source_file": "x"}
    (tmp_path / "day=1" / "a.jsonl").write_text(json.dumps(record) + "\nno\n")
    session = FilesSession(Settings(type="files", root=str(tmp_path)))
    assert session.relations() == ["day=1/*.jsonl"]
    assert session.relations("day=1") == ["day=1/*.jsonl"]
    text = registry_file(session.describe("day=*/*.jsonl"), "landing", "day=*/*.jsonl")
    assert [re.sub(r" +#", " #", line.rstrip()) for line in text.splitlines()] == [
        "source: {connection: landing, relation: 'day=*/*.jsonl'}",
        "load: arrivals",
        "columns:",
        "  eventid: {source: eventId} # text, here string",
        "  user_mail: {source: user.mail} # text, here string; personal data? set pii",
        "  user_age: {source: user.age, type: bigint} # by some of its values",
        "  price: {type: 'decimal(18,2)'} # by some of its values",
        "  source_file_2: {source: source_file} # text, here string",
        "  other_fields: {} # JSON of fields that are not declared, here string",
    ]


def test_a_delimiter_that_is_not_the_usual_one_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;at, UTC;n\n1;2026-01-01;2,5\n")
    session = FilesSession(Settings(type="files", root=str(tmp_path)))
    found = session.describe("*.csv")
    assert found.options == {"delimiter": ";"}
    assert [column.source_name for column in found.columns][:3] == ["id", "at, UTC", "n"]
    assert "options: {delimiter: ;}" in registry_file(found, "landing", "*.csv")


def test_the_format_is_that_of_the_name_or_what_the_registry_says() -> None:
    assert Options().format_of("a/b.ndjson.gz", "reading") is Format.JSONL
    assert Options.said({"format": "csv"}, "reading").format_of("a", "reading") is Format.CSV
    assert Options().delimiter_of("a.tsv.gz") == "\t"
    with pytest.raises(SourceError, match=r"reading: the name of a\.txt does not say its format"):
        Options().format_of("a.txt", "reading")
    with pytest.raises(SourceError, match=r"option 'delimiter' of `source:` is ';;'"):
        Options.said({"delimiter": ";;"}, "reading")
