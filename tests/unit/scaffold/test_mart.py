"""A scaffolded gold table and its test run as they are, and the fixtures of `lakehouse.testing` say what is wrong."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from chispa import DataFramesNotEqualError
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from lakehouse.cli.main import app
from lakehouse.errors import ConfigurationError
from lakehouse.paths import silver
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry
from lakehouse.scaffold import mart as scaffold_mart
from lakehouse.scaffold.mart import Input

COUPONS = Input(
    silver("coupons"), {"id": "int", "code": "string", "user_id": "int", "created_at": "timestamp"}, ("id",)
)
USERS = Input(silver("users"), {"id": "int", "email": "string"}, ("id",))
FILES = {
    "coupons.yml": "source: {connection: app, relation: public.coupons}\nkey: [id]\n"
    'columns: {id: int, code: , user_id: int, created_at: , amount: "decimal(9,2)"}\n',
    "users.yml": "source: {connection: app, relation: public.users}\nkey: [id]\n"
    "columns: {id: {type: int, pii: pseudonymise}, email: {pii: exclude}}\n",
    "rated.sql": "SELECT c.id, c.amount * 2 AS twice, c.code, count(u.id) OVER () AS users, :zone AS zone"
    " FROM silver.coupons c LEFT JOIN silver.users u ON u.id = c.code",
}


@pytest.fixture
def lakehouse_registry(tmp_path: Path) -> Registry:
    """A registry of the test's own, in the place of the checkout's."""
    (tmp_path / "registry" / "shop").mkdir(parents=True)
    for name, text in FILES.items():
        (tmp_path / "registry" / "shop" / name).write_text(text)
    return loader.load(tmp_path / "registry")


@pytest.mark.parametrize(
    ("table", "inputs"),
    [("coupons_by_day", [COUPONS, USERS]), ("coupons_by_user", [COUPONS, USERS]),
     ("coupons_by_code", [COUPONS]), ("coupon_facts", [COUPONS, USERS]),
     ("coupons_by_day", [Input(silver("coupons"), {"id": "", "created_at": ""})])],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["sql", "py"])
def test_a_scaffolded_mart_passes_its_scaffolded_test(
    table: str, inputs: list[Input], kind: str, lakehouse_registry: Registry, transform: Any, assert_rows: Any
) -> None:
    mart = scaffold_mart.plan(table, inputs)
    text = scaffold_mart.sql(mart) if kind == "sql" else scaffold_mart.python(mart)
    (lakehouse_registry.folder / "shop" / f"{table}.{kind}").write_text(text)
    found = loader.load(lakehouse_registry.folder).transformers[table]
    assert (found.grain, set(found.columns)) == (mart.grain, {*mart.meanings})
    lakehouse_registry.transformers[table] = found
    scope: dict[str, Any] = {}
    exec(compile(scaffold_mart.unit_test(mart), "test", "exec"), scope)
    next(value for name, value in scope.items() if name.startswith("test_"))(transform, assert_rows)


def test_the_scaffold_reads_like_code_by_hand() -> None:
    text = scaffold_mart.sql(scaffold_mart.plan("coupons_by_day", [COUPONS, USERS]))
    assert text.splitlines()[-5:] == [
        "SELECT to_date(coupons.created_at) AS date, count(*) AS coupons, count(users.id) AS with_users",
        "  FROM silver.coupons AS coupons",
        "  LEFT JOIN silver.users AS users ON users.id = coupons.user_id",
        " WHERE coupons.created_at IS NOT NULL",
        " GROUP BY to_date(coupons.created_at)",
    ]


def test_an_input_that_cannot_be_joined_or_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"no column of silver\.users .* names a row of silver\.coupons"):
        scaffold_mart.plan("users_by_day", [USERS, COUPONS])
    with pytest.raises(ConfigurationError, match=r"no column of silver\.things is known"):
        scaffold_mart.plan("things_by_day", [Input(silver("things"), {})])


def test_the_command_writes_both_files_once(
    lakehouse_registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "own.yml").write_text(
        "catalog: {type: jdbc, uri: 'jdbc:sqlite:${home}/none.db'}\nanalytics: ${home}/a\nlock: {type: file, path: /tmp/l}\n"
    )
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path))
    for name in ("LAKEHOUSE_HOME", "LAKEHOUSE_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    command = ["new", "coupons_by_day", "--mart", "sql", "--domain", "shop", "--profile", "own", "--reads"]
    done = CliRunner().invoke(app, [*command, "silver.coupons"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "tests" / "unit" / "registry_shop" / "test_coupons_by_day.py").exists()
    assert "coupons_by_day" in loader.load(lakehouse_registry.folder).transformers
    for reads, expected in (
        ("silver.coupons", "is there already"),
        ("silver.coupon", "Did you mean 'silver.coupons'?"),
    ):
        done = CliRunner().invoke(app, [*command, reads])
        assert (done.exit_code, expected in done.stderr) == (2, True), done.output


def test_inputs_have_the_types_that_the_registry_declares(transform: Any, assert_rows: Any) -> None:
    result = transform(
        "rated", coupons=[{"id": 1, "amount": 3, "code": "x"}, {"id": 2}], users=[{"id": "x"}], zone="UTC"
    )
    types = {"id": "int", "twice": "decimal(20,2)", "code": "string", "users": "bigint", "zone": "string"}
    assert {name: kind for name, kind in dict(result.dtypes).items() if name != "twice"} == {
        name: kind for name, kind in types.items() if name != "twice"
    }
    assert_rows(result, [
        {"id": 2, "twice": None, "code": None, "users": 1, "zone": "UTC"},
        {"id": 1, "twice": Decimal("6"), "code": "x", "users": 1, "zone": "UTC"},
    ])  # fmt: skip


def test_wrong_rows_are_told_apart(transform: Any, assert_rows: Any) -> None:
    result = transform("rated", coupons=[{"id": 1}], zone="UTC", schemas={"coupons": "code string"})
    with pytest.raises(AssertionError, match="expected row 1 names id; the result's columns are id, twice"):
        assert_rows(result, [{"id": 1}])
    with pytest.raises(DataFramesNotEqualError):
        assert_rows(result, [{"id": 2, "twice": None, "code": None, "users": 0, "zone": "UTC"}])


@pytest.mark.parametrize(
    ("table", "inputs", "expected"),
    [
        ("rate", {}, "Did you mean 'rated'?"),
        ("rated", {"coupon": []}, "Did you mean 'coupons'"),
        ("rated", {}, "asks for zone"),
    ],
)
def test_mistakes_are_named(transform: Any, table: str, inputs: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected.replace("?", r"\?")):
        transform(table, **inputs)


def test_times_without_a_zone_are_utc(spark: SparkSession, assert_rows: Callable[..., None]) -> None:
    result = spark.sql("SELECT timestamp '2026-01-01 09:00:00' AS at, date '2026-01-01' AS day, 0.1D + 0.2D AS n")
    assert_rows(result, [{"at": datetime(2026, 1, 1, 9), "day": "2026-01-01", "n": 0.3}], precision=1e-9)  # noqa: DTZ001
    assert_rows(result, [{"at": datetime(2026, 1, 1, 9, tzinfo=UTC), "day": date(2026, 1, 1), "n": 0.1 + 0.2}])
