"""`lakehouse run`, as far as it goes before Spark starts."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Lakehouse


@pytest.fixture(autouse=True)
def _registry(root: Path) -> None:
    (root / "registry" / "shop").mkdir()
    (root / "registry" / "shop" / "coupons.yml").write_text("source: {connection: app, relation: public.coupons}\n")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--tables", "coupon"], "makes no table 'coupon'. Did you mean 'coupons'?"),
        (["--domains", "shp"], "has no domain 'shp'. Did you mean 'shop'?"),
        (["--layers", "bronze"], "there is no layer 'bronze'"),
        (["--from", "2026-01-01"], "--from and --to come together"),
        (["--from", "x", "--to", "y"], "expected days like 2026-10-31"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "expected the first day first"),
        (["--resume", "--tables", "coupons"], "--resume goes on with what the failed run was asked for"),
        (["--resume", "--full-refresh"], "--resume goes on with what the failed run was asked for"),
        (["--accept-deletes", "users"], "the registry has no source table 'users'"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_starts(
    lakehouse: Lakehouse, arguments: list[str], expected: str
) -> None:
    done = lakehouse("run", "--json", *arguments)
    event = json.loads(done.stdout)
    assert (done.exit_code, event["event"], event["exit_code"]) == (2, "error", 2)
    assert expected in event["message"]


def test_a_dry_run_shows_the_plan(lakehouse: Lakehouse) -> None:
    done = lakehouse("run", "--dry-run", "--json", "--tables", "coupons")
    assert done.exit_code == 0
    assert [row["table"] for row in json.loads(done.stdout)["tables"]] == ["raw.coupons", "silver.coupons"]
    assert "full from app: public.coupons" in lakehouse("run", "--dry-run").stdout
