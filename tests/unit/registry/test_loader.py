import time
from pathlib import Path

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.orchestrate import plan
from lakehouse.paths import Layer
from lakehouse.registry import loader
from lakehouse.registry.loader import Registry

SMALLEST = "source: {connection: app, relation: public.t}\n"


def registry(folder: Path, **files: str) -> Registry:
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        path = folder / "domain" / f"{stem}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return loader.load(folder)


def refused(folder: Path, **files: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        registry(folder, **files)
    return str(caught.value)


def test_the_smallest_file_names_source_and_relation(tmp_path: Path) -> None:
    table = registry(tmp_path, users_yml=SMALLEST).tables["users"]
    assert (table.load, table.key, table.deletes.max_share) == ("full", (), 0.2)


def test_a_cursor_makes_a_load_incremental(tmp_path: Path) -> None:
    assert registry(tmp_path, users_yml=SMALLEST + "cursor: at\n").tables["users"].load == "incremental"


def test_an_unknown_key_is_named_with_its_line_and_the_likely_one(tmp_path: Path) -> None:
    message = refused(tmp_path, users_yml=SMALLEST + "description: x\ncursr: at\n")
    assert "users.yml:3: unknown key 'cursr'. Did you mean 'cursor'?" in message


def test_an_unknown_key_of_a_column_is_named_with_its_line(tmp_path: Path) -> None:
    message = refused(tmp_path, users_yml=SMALLEST + "columns:\n  id:\n    typ: int\n")
    assert "users.yml:4: unknown key 'typ'. Did you mean 'type'?" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [("key: 5\n", "users.yml:2: key: Input should be a valid tuple"),
     ("columns: {a: 'decimal(50,2)'}\n", "users.yml:2: columns.a.type: expected decimal(p,s) with 0 <= s <= p <= 38"),
     ("columns: {a: money}\n", "expected one of boolean, int, bigint"),
     ("overlap: soon\n", "users.yml:2: overlap: a duration like `30 minutes`"),
     ("deletes: {max_share: 3}\n", "users.yml:2: deletes.max_share: Input should be less than or equal to 1"),
     ("load: incremental\n", "an incremental load needs a `cursor`"),
     ("partition_by: ['days(']\n", "is not a partition field"),
     ("checks: [{name: 'a; drop', expect: 'true'}]\n", "is not a valid name"),
     ("columns: {_op: string}\n", "the engine keeps this name"),
     ("columns:\n  id: int\n  OrderID: int\n", "users.yml:4: columns.OrderID: the lake calls this column 'orderid'"),
     ("columns: {order no: int}\n", "users.yml:2: columns.order no: the lake calls this column 'order_no'; expected that"),
     ("key: [p]\ncolumns: {p: {pii: exclude}}\n", "is excluded, but the cursor or the key needs it")],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_was_expected(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in refused(tmp_path, users_yml=SMALLEST + text)


def test_a_table_with_personal_data_needs_a_policy_for_each_column(tmp_path: Path) -> None:
    message = refused(tmp_path, users_yml=SMALLEST + "holds_pii: true\ncolumns: {email: string, id: {pii: none}}\n")
    assert "these columns have no `pii` policy: email" in message


def test_a_duplicate_key_is_named_with_its_line(tmp_path: Path) -> None:
    assert "users.yml:3" in refused(tmp_path, users_yml=SMALLEST + "key: [a]\nkey: [b]\n")


def test_text_that_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    assert "users.yml:3: not valid YAML" in refused(tmp_path, users_yml=SMALLEST + "key: [a\n")


def test_two_files_of_one_table_are_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, users_yml=SMALLEST, people_yml="table: users\n" + SMALLEST)
    assert "table 'users' is made by" in message


@pytest.mark.parametrize("name", ["../../etc/passwd", "users; DROP TABLE x", "raw.users"])
def test_a_table_name_that_tries_a_path_or_sql_is_refused(tmp_path: Path, name: str) -> None:
    assert "is not a valid name" in refused(tmp_path, users_yml=f"table: '{name}'\n" + SMALLEST)


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    message = refused(tmp_path, a_yml="sorce: 1\n", b_yml=SMALLEST + "ky: [a]\n")
    assert "a.yml" in message
    assert "b.yml" in message


def test_an_input_that_nothing_makes_is_named(tmp_path: Path) -> None:
    message = refused(tmp_path, top_sql="SELECT * FROM silver.nowhere\n")
    assert "gold table 'top' reads silver.nowhere, which nothing makes" in message


def test_a_cycle_is_named_with_its_way(tmp_path: Path) -> None:
    message = refused(tmp_path, a_sql="SELECT * FROM gold.b\n", b_sql="SELECT * FROM gold.a\n")
    assert "a -> b -> a" in message


def test_sql_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    assert "top.sql:2: not valid Spark SQL" in refused(tmp_path, top_sql="SELECT 1\nFROM (silver.x\n")


def test_sql_that_reads_raw_is_refused(tmp_path: Path) -> None:
    assert "expected a table of silver or gold" in refused(
        tmp_path, users_yml=SMALLEST, top_sql="SELECT * FROM raw.users"
    )


def test_inputs_of_sql_are_found_by_parsing_and_its_head_is_read(tmp_path: Path) -> None:
    sql = "-- grain: id\n-- partition_by: [day]\n"
    sql += "WITH c AS (SELECT id FROM silver.users) SELECT * FROM c JOIN silver.users USING (id)"
    transformer = registry(tmp_path, users_yml=SMALLEST, top_sql=sql).transformers["top"]
    assert [read.dotted for read in transformer.reads.values()] == ["silver.users"]
    assert (transformer.grain, transformer.partition_by) == (("id",), ("day",))


def test_what_begins_with_an_underscore_or_a_dot_is_left_out(tmp_path: Path) -> None:
    for name in ("_draft.yml", ".hidden.sql", ".folder/copy.yml"):
        (tmp_path / "domain" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "domain" / name).write_text("nonsense: [")
    assert list(registry(tmp_path, users_yml=SMALLEST).tables) == ["users"]


def test_a_definition_changes_with_the_query(tmp_path: Path) -> None:
    first = registry(tmp_path, users_yml=SMALLEST, top_sql="SELECT id FROM silver.users").transformers["top"]
    again = registry(tmp_path, top_sql="SELECT id FROM silver.users").transformers["top"]
    other = registry(tmp_path, top_sql="SELECT id, 1 AS one FROM silver.users").transformers["top"]
    assert first.definition == again.definition != other.definition


def test_the_project_s_own_registry_is_valid() -> None:
    found = loader.load(Path(__file__).resolve().parents[3] / "registry")
    assert {"global_user_activity_per_day", "global_notif_impact_per_day"} <= set(found.transformers)


@pytest.mark.no_cover  # counting lines would be a part of the time
def test_five_hundred_tables_are_planned_in_under_two_seconds(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(500):
        (folder / f"t{number}.yml").write_text(
            f"source: {{connection: app, relation: public.t{number}}}\ncursor: updated_at\n"
            "columns:\n  amount: {type: 'decimal(12,2)', description: what it cost}\n  name: {trim: true}\n"
            "checks:\n  - {name: positive, expect: amount > 0}\n"
        )
    began = time.process_time()  # what else runs on the machine does not count
    found = loader.load(tmp_path)
    groups = plan.waves(found, plan.select(found))
    assert time.process_time() - began < 2
    assert [len(group) for group in groups] == [500, 500]
    assert groups[0][0].layer is Layer.RAW
