from pathlib import Path

import pytest

from lakehouse.registry import loader
from lakehouse.scaffold.table import likely_cursor, registry_file
from lakehouse.sources.relation import SourceColumn, SourceRelation

COUPONS = SourceRelation(
    "public.coupons",
    (
        SourceColumn("Coupon ID", "coupon_id", "integer", "int", nullable=False),
        SourceColumn("email", "email", "text", "string"),
        SourceColumn("updated_at", "updated_at", "timestamp with time zone", "timestamp"),
    ),
    ("coupon_id",),
)


def test_the_file_is_valid_and_names_key_cursor_and_odd_columns(tmp_path: Path) -> None:
    path = tmp_path / "shop" / "coupons.yml"
    path.parent.mkdir()
    path.write_text(registry_file(COUPONS, "app_pg", "public.coupons"))
    table = loader.load(tmp_path).tables["coupons"]
    assert (table.key, table.cursor, table.load) == (("coupon_id",), "updated_at", "incremental")
    assert table.columns["coupon_id"].source == "Coupon ID"
    assert "personal data? set pii" in path.read_text()


def test_without_a_key_there_is_no_cursor_to_use() -> None:
    assert likely_cursor(SourceRelation("public.log", COUPONS.columns, ())) is None


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["created_at", "last_update"], "last_update"),
        (["updatedat"], "updatedat"),
        (["modified", "updated_at"], "updated_at"),
        (["Last_Changed"], None),
        (["created_at"], None),
    ],
)
def test_a_cursor_is_known_by_its_name(columns: list[str], expected: str | None) -> None:
    key = SourceColumn("id", "id", "integer", "int", nullable=False)
    moments = [SourceColumn(name, name, "timestamp", "timestamp") for name in columns]
    found = likely_cursor(SourceRelation("public.x", (key, *moments), ("id",)))
    assert (found.name if found else None) == expected


def test_a_cursor_holds_times() -> None:
    columns = (COUPONS.columns[0], SourceColumn("updated_at", "updated_at", "text", "string"))
    assert likely_cursor(SourceRelation("public.x", columns, ("coupon_id",))) is None
