"""The command lines of the jobs: mistakes end with 2 before Spark starts, and tables come in the order of their needs."""

import argparse
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.orchestrate import arguments
from lakehouse.orchestrate.arguments import add_common, checked, plan_of, transformed
from lakehouse.orchestrate.runs import DayRange, Plan
from lakehouse.paths import gold, raw, silver


def parsed(monkeypatch: pytest.MonkeyPatch, *texts: str) -> argparse.Namespace:
    monkeypatch.setattr("sys.argv", ["job", *texts])
    parser = argparse.ArgumentParser()
    add_common(parser)
    return checked(parser)


def test_options_become_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    found = parsed(monkeypatch, "--table", "a", "b", "--from", "2026-01-01", "--to", "2026-01-02")
    assert (found.table, found.profile) == (["a", "b"], None)
    days = DayRange(start=date(2026, 1, 1), end=date(2026, 1, 2))
    assert plan_of(found, [raw("a"), silver("a")]) == Plan(tables=("raw.a", "silver.a"), window=days)
    found.accept_deletes = ["a"]
    assert plan_of(found, []).accept_deletes == ("a",)
    assert plan_of(parsed(monkeypatch, "--table", "a", "--full-refresh"), []) == Plan(full_refresh=True)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["--table", "a; drop"], "--table: 'a; drop' is not a valid name"),
        (["--table", "a", "--from", "2026-01-01"], "--from and --to come together"),
        (["--table", "a", "--from", "2026-01-02", "--to", "2026-01-01"], "is after --to"),
        (["--table", "a", "--full-refresh", "--from", "2026-01-01", "--to", "2026-01-01"], "would be lost"),
        ([], "--table"),
    ],
)
def test_a_mistake_ends_with_2_and_says_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], texts: list[str], expected: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        parsed(monkeypatch, *texts)
    assert caught.value.code == 2
    assert expected in " ".join(capsys.readouterr().err.split())


def test_tables_come_in_the_order_in_which_they_need_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain" / "a.yml").write_text("source: {connection: app, relation: public.a}\n")
    (tmp_path / "domain" / "above.sql").write_text("SELECT * FROM gold.below")
    (tmp_path / "domain" / "below.sql").write_text("SELECT * FROM silver.a")
    monkeypatch.setattr(arguments, "load_profile", lambda _: SimpleNamespace(registry=tmp_path))
    assert transformed(["above", "below", "a"], None) == [silver("a"), gold("below"), gold("above")]
    assert transformed(["unknown", "a"], None) == [silver("a"), silver("unknown")]


def test_a_registry_that_cannot_be_read_ends_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_name: str | None) -> None:
        raise ConfigurationError("the profile is broken")

    monkeypatch.setattr(arguments, "load_profile", broken)
    with pytest.raises(SystemExit) as caught:
        transformed(["a"], None)
    assert caught.value.code == 2
    assert "the profile is broken" in capsys.readouterr().err
