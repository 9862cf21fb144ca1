"""`lakehouse sql`: where the query comes from, and how its answer looks and travels."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from lakehouse.cli.answer import show
from lakehouse.query.results import Rows
from tests.unit.cli.conftest import Lakehouse

WIDE = "SELECT " + ", ".join(f"{number} AS a_column_{number}" for number in range(42))


@pytest.fixture(autouse=True)
def _analytics(root: Path) -> None:
    with duckdb.connect(str(root / ".lakehouse" / "analytics.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE coupons AS SELECT i AS id, 'c' || i AS code, NULL::date AS day FROM range(3) t(i)"
        )


def test_an_answer_is_a_table(lakehouse: Lakehouse) -> None:
    done = lakehouse("sql", "FROM coupons ORDER BY id LIMIT 1")
    assert done.stdout.splitlines() == [
        "┏━━━━┳━━━━━━┳━━━━━━┓",
        "┃ id ┃ code ┃ day  ┃",
        "┡━━━━╇━━━━━━╇━━━━━━┩",
        "│  0 │ c0   │ NULL │",
        "└────┴──────┴──────┘",
    ]
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_wide_answer_is_shown_row_by_row(lakehouse: Lakehouse) -> None:
    lines = [line.split() for line in lakehouse("sql", f"{WIDE} FROM coupons").stdout.splitlines()]
    assert [line for line in lines if line[:1] == ["row"]] == [["row", "1"], ["row", "2"], ["row", "3"]]
    assert lines.count(["a_column_41", "41"]) == 3


def test_a_long_answer_says_that_it_is_cut(lakehouse: Lakehouse) -> None:
    done = lakehouse("sql", "FROM range(2345) t(i)")
    assert "cut: 1,000 of 2,345 rows are shown; --format csv" in done.stderr
    assert len(done.stdout.splitlines()) == 1000 + 4


def test_markup_in_data_is_data() -> None:
    out = Console(file=io.StringIO(), width=80)
    show(Rows(("[red]name",), (False,), (("[bold]x[/bold]",),), 1), out)
    assert "[bold]x[/bold]" in out.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]name" in out.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [(["SELECT 42 AS n"], None), (["-"], "SELECT 42 AS n"), ([], "SELECT 42 AS n;\n"), (["-f", "{root}/q.sql"], None)],
)
def test_the_query_comes_from_an_argument_a_file_or_standard_input(
    lakehouse: Lakehouse, root: Path, arguments: list[str], stdin: str | None
) -> None:
    (root / "q.sql").write_text("-- the answer\nSELECT 42 AS n;\n")
    given = [argument.format(root=root) for argument in arguments]
    assert lakehouse("sql", "--format", "csv", *given, stdin=stdin).stdout == "n\n42\n"


@pytest.mark.parametrize(
    ("form", "read"),
    [("csv", lambda path: path.read_text().count("\n") - 1), ("json", lambda path: len(json.loads(path.read_text()))),
     ("parquet", lambda path: pq.read_metadata(path).num_rows)],
)  # fmt: skip
def test_a_file_is_complete_and_named_by_its_suffix(
    lakehouse: Lakehouse, root: Path, form: str, read: Callable[[Path], int]
) -> None:
    done = lakehouse("sql", "FROM range(2345) t(i)", "--output", str(root / f"out.{form}"))
    assert (done.exit_code, done.output) == (0, "")
    assert read(root / f"out.{form}") == 2345
    (root / "piped").write_bytes(lakehouse("sql", "FROM range(2345) t(i)", "--format", form).stdout_bytes)
    assert read(root / "piped") == 2345
    assert not list(root.glob("tmp*"))


def test_a_table_goes_to_a_file_too(lakehouse: Lakehouse, root: Path) -> None:
    assert lakehouse("sql", WIDE, "--format", "table", "-o", str(root / "out.txt")).exit_code == 0
    assert "a_column_41" in (root / "out.txt").read_text().splitlines()[1]


def test_a_query_that_fails_leaves_the_file_as_it_was(lakehouse: Lakehouse, root: Path) -> None:
    (root / "out.csv").write_text("before")
    done = lakehouse("sql", "SELECT error('broken')", "-o", str(root / "out.csv"))
    assert (done.exit_code, (root / "out.csv").read_text()) == (1, "before")
    assert "broken" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "expected"),
    [
        (["FROM coupon"], None, 1, "DuckDB: Catalog Error: Table with name coupon does not exist!"),
        (["SELECT 1", "-f", "{root}/conf/own.yml"], None, 2, "found both"),
        (["-f", "{root}/none.sql"], None, 2, "does not exist"),
        (["-"], " \n", 2, "standard input holds no query"),
        (["SELECT 1", "-o", "{root}/out.xls"], None, 2, "its suffix names no format; expected one of .csv, .json, .parquet"),
        (["SELECT 1", "-o", "{root}/none/out.csv"], None, 2, "there is no folder"),
        (["FROM silver.coupons"], None, 2, "the lake has no table 'silver.coupons'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    lakehouse: Lakehouse, root: Path, arguments: list[str], stdin: str | None, code: int, expected: str
) -> None:
    done = lakehouse("sql", *(argument.format(root=root) for argument in arguments), stdin=stdin)
    assert done.exit_code == code, done.output
    assert expected in " ".join(done.stderr.replace("│", " ").split())


def test_without_a_run_there_is_nothing_to_ask(lakehouse: Lakehouse, root: Path) -> None:
    (root / ".lakehouse" / "analytics.duckdb").unlink()
    done = lakehouse("sql", "SELECT 1")
    assert (done.exit_code, "Run `lakehouse run` first." in done.stderr) == (2, True)


def test_an_interrupted_query_ends_with_130(lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise RuntimeError("Query interrupted") from KeyboardInterrupt()  # as DuckDB says it

    monkeypatch.setattr("lakehouse.cli.sql.give", interrupted)
    done = lakehouse("sql", "SELECT 1")
    assert (done.exit_code, done.stderr) == (130, "interrupted\n")
