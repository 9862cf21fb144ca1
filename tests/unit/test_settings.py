from pathlib import Path

import pytest

from lakehouse import settings
from lakehouse.errors import ConfigurationError
from lakehouse.settings import load_profile, nearest_project

MINIMAL = """
catalog: {type: jdbc, uri: "jdbc:sqlite:${home}/c.db", s3.secret-access-key: "${STORE_SECRET:-none}"}
analytics: ${home}/a.duckdb
lock: {type: file, path: "${home}/lock"}
sources:
  app: {type: postgres, host: h, database: d, user: u, password: "${APP_PASSWORD}"}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "conf").mkdir()
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path))
    for name in ("LAKEHOUSE_PROFILE", "LAKEHOUSE_REGISTRY", "LAKEHOUSE_HOME", "APP_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(root: Path, text: str) -> None:
    (root / "conf" / "here.yml").write_text(text)


def test_a_profile_is_a_file_and_secrets_come_from_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, MINIMAL)
    monkeypatch.setenv("APP_PASSWORD", "hidden-value")
    profile = load_profile("here")
    assert "hidden-value" not in repr(profile)
    assert "hidden-value" in profile.secrets()
    assert profile.spark_conf()["spark.sql.catalog.iceberg.uri"] == f"jdbc:sqlite:{root}/.lakehouse/c.db"


@pytest.mark.parametrize(("token", "held"), [("", None), ("  ", None), ("hidden-token", "hidden-token")])
def test_an_empty_token_counts_as_none_and_another_is_a_secret(
    root: Path, monkeypatch: pytest.MonkeyPatch, token: str, held: str | None
) -> None:
    monkeypatch.setenv("APP_PASSWORD", "x")
    monkeypatch.setenv("LAKEHOUSE_SERVING_TOKEN", token)
    write(root, MINIMAL + "models: {tracking: 'sqlite:///m.db', serving_token: '${LAKEHOUSE_SERVING_TOKEN:-}'}\n")
    profile = load_profile("here")
    assert profile.models
    secret = profile.models.serving_token
    assert (secret and secret.get_secret_value()) == held
    assert ("hidden-token" in profile.secrets()) == bool(held)
    assert "hidden-token" not in repr(profile)


def test_a_variable_that_is_not_set_is_named_with_its_place(root: Path) -> None:
    write(root, MINIMAL)
    with pytest.raises(ConfigurationError, match=r"here\.yml.*APP_PASSWORD \(for sources\.app\.password\)"):
        load_profile("here")


def test_a_variable_may_stand_in_dotenv(root: Path) -> None:
    write(root, MINIMAL)
    (root / ".env").write_text("APP_PASSWORD=from-the-file\n")
    assert "from-the-file" in load_profile("here").secrets()


def test_an_unknown_profile_is_refused_with_those_that_there_are(root: Path) -> None:
    write(root, MINIMAL)
    with pytest.raises(ConfigurationError, match=r"no profile 'there'.*the profiles are: here"):
        load_profile("there")


def test_an_unknown_key_is_named_with_its_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_PASSWORD", "x")
    write(root, MINIMAL + "regstry: somewhere\n")
    with pytest.raises(ConfigurationError, match=r"here\.yml:7: unknown key 'regstry'\. Did you mean 'registry'\?"):
        load_profile("here")


def test_an_unknown_source_is_refused_with_those_that_there_are(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_PASSWORD", "x")
    write(root, MINIMAL)
    with pytest.raises(ConfigurationError, match="no source 'other'; it has: app"):
        load_profile("here").source("other")


def project_in(folder: Path) -> Path:
    for name in ("conf", "registry"):
        (folder / name).mkdir(parents=True)
    (folder / "conf" / "embedded.yml").write_text(MINIMAL)
    return folder


def test_the_project_is_the_nearest_folder_upwards(tmp_path: Path) -> None:
    outer, inner = project_in(tmp_path / "outer"), project_in(tmp_path / "outer" / "inner")
    (inner / "registry" / "shop").mkdir()
    (outer / "other" / "conf").mkdir(parents=True)  # a conf/ without profiles is no project
    assert nearest_project(inner / "registry" / "shop") == inner
    assert nearest_project(outer / "other") == outer


def test_without_one_it_is_the_checkout_that_the_engine_runs_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = project_in(tmp_path / "checkout")
    monkeypatch.setattr(settings, "__file__", str(checkout / "lakehouse" / "settings.py"))
    assert nearest_project(Path("/")) == checkout


def test_without_any_the_error_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "__file__", "/site-packages/lakehouse/settings.py")
    monkeypatch.delenv("LAKEHOUSE_ROOT", raising=False)
    monkeypatch.chdir("/")
    with pytest.raises(ConfigurationError, match=r"neither / nor a folder above it holds conf.*lakehouse init"):
        load_profile()


@pytest.mark.parametrize("name", ["embedded", "compose"])
def test_the_project_s_profiles_are_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKEHOUSE_ROOT", raising=False)
    for variable in ("APP_PG_PASSWORD", "CASSANDRA_PASSWORD", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD",
                     "CATALOG_PG_PASSWORD", "LAKEHOUSE_PSEUDONYM_KEY"):  # fmt: skip
        monkeypatch.setenv(variable, "value")
    assert {"app_pg", "app_cassandra"} <= set(load_profile(name).sources)


def test_a_default_stands_in_for_a_variable_that_is_not_set_or_empty(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_PASSWORD", "x")
    write(root, MINIMAL.replace("password:", 'port: "${APP_PORT:-5433}", password:'))
    monkeypatch.delenv("APP_PORT", raising=False)
    for value, port in ((None, 5433), ("", 5433), ("5434", 5434)):
        if value is not None:
            monkeypatch.setenv("APP_PORT", value)
        source = load_profile("here").source("app").model_dump()
        assert source["port"] == port


def test_the_environment_goes_before_dotenv(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, MINIMAL)
    (root / ".env").write_text("APP_PASSWORD=from-the-file\n")
    monkeypatch.setenv("APP_PASSWORD", "from-the-environment")
    assert "from-the-environment" in load_profile("here").secrets()


def test_all_variables_that_are_missing_are_named_at_once_in_lists_too(root: Path) -> None:
    write(root, MINIMAL + 'parameters: {a: "${ONE_MISSING} and ${TWO_MISSING}"}\n')
    with pytest.raises(ConfigurationError) as caught:
        load_profile("here")
    for name in ("APP_PASSWORD", "ONE_MISSING (for parameters.a)", "TWO_MISSING (for parameters.a)"):
        assert name in str(caught.value)
    assert f"Export them, or write them to {root / '.env'}" in str(caught.value)


@pytest.mark.parametrize("name", ["../conf/here", "here.yml", "a/b", "", "HERE"])
def test_a_profile_s_name_is_no_path(root: Path, name: str) -> None:
    write(root, MINIMAL)
    if name:
        with pytest.raises(ConfigurationError, match="there is no profile"):
            load_profile(name)
    else:
        with pytest.raises(ConfigurationError, match="no profile 'embedded'"):
            load_profile(name)


def test_folders_of_the_registry_and_of_data_are_settings(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, MINIMAL)
    monkeypatch.setenv("APP_PASSWORD", "x")
    assert load_profile("here").registry == root / "registry"
    monkeypatch.setenv("LAKEHOUSE_REGISTRY", str(tmp_path / "other"))
    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LAKEHOUSE_PROFILE", "here")
    profile = load_profile()
    assert profile.registry == tmp_path / "other"
    assert profile.analytics == tmp_path / "data" / "a.duckdb"


@pytest.mark.parametrize("key", ["s3.secret-access-key", "password", "token", "credential", "s3.access-key-id"])
def test_a_catalog_s_secrets_are_hidden_by_their_names_and_handed_out_on_purpose(
    root: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("APP_PASSWORD", "x")
    monkeypatch.setenv("CATALOG_SECRET", "hidden-value")
    held = 's3.secret-access-key: "${STORE_SECRET:-none}"'
    assert held in MINIMAL
    write(root, MINIMAL.replace(held, f'{key}: "${{CATALOG_SECRET}}"'))
    profile = load_profile("here")
    assert "hidden-value" not in repr(profile)
    assert "hidden-value" in profile.secrets()
    assert profile.catalog_properties()[key] == "hidden-value"
    assert profile.spark_conf()[f"spark.sql.catalog.iceberg.{key}"] == "hidden-value"


def test_spark_s_own_settings_of_a_profile_go_before_the_catalog_s(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_PASSWORD", "x")
    write(root, MINIMAL + 'spark: {conf: {spark.sql.catalog.iceberg.cache-enabled: "true"}}\n')
    assert load_profile("here").spark_conf()["spark.sql.catalog.iceberg.cache-enabled"] == "true"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{type: oracle, host: h}", r"here\.yml:7: sources\.app: .*oracle.*(postgres|cassandra)"),
        ("{host: h}", r"here\.yml:7: sources\.app: "),
        ("{type: cassandra, hosts: [h], keyspace: k, splits: 0}", r"here\.yml:7: sources\.app.*splits: "),
        ("{type: cassandra, hosts: [h], keyspace: k, keyspce: k}", r"here\.yml:7: unknown key 'keyspce'"),
    ],
)
def test_a_source_of_no_known_kind_or_with_a_mistake_is_named_with_its_line(
    root: Path, source: str, expected: str
) -> None:
    write(root, MINIMAL[: MINIMAL.index("  app:")] + f"  # one\n  app: {source}\n")
    with pytest.raises(ConfigurationError, match=expected):
        load_profile("here")
