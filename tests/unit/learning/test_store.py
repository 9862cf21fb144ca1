"""Versions of models in MLflow's own store, on SQLite."""

import shutil
from pathlib import Path

import pytest

from lakehouse.errors import ConfigurationError, DataError, SystemFailureError
from lakehouse.learning.store import CHAMPION, ModelStore, model_store
from lakehouse.settings import ModelSettings, Profile
from tests.unit.learning.things import DAY, trial


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ModelSettings:
    home = tmp_path_factory.mktemp("store")
    return ModelSettings(tracking=f"sqlite:///{home}/models.db", artifacts=str(home / "files"))


@pytest.fixture
def store(settings: ModelSettings) -> ModelStore:
    return ModelStore(settings)


def alias(store: ModelStore, name: str) -> str:
    return str(store._client.get_registered_model(name).aliases[CHAMPION])


def test_a_version_comes_back_as_it_was_kept_and_the_newest_good_one_is_the_champion(store: ModelStore) -> None:
    assert store.versions("first") == []
    assert store.champion("first") is None
    store.add("first", trial(0.6, files={"model.txt": b"\x00\xff", "more.json": b"{}"}))
    store.add("first", trial(0.7))
    store.add("first", trial(0.4, promoted=False))
    newest, champion, oldest = store.versions("first")
    assert (newest.number, champion.number, oldest.number) == (3, 2, 1)
    assert store.champion("first") == champion
    assert alias(store, "first") == "2"
    assert (champion.until, champion.inputs, champion.seed) == (DAY, {"silver.events": 2**62 + 1}, 7)
    assert champion.measures["good"].value == 0.7
    assert champion.baseline["good"].value == 0.5
    assert store.files("first", oldest) == {"model.txt": b"\x00\xff", "more.json": b"{}"}
    assert store.card("first", champion) == "# Model m\n"


def test_a_run_that_died_before_the_alias_was_set_is_made_good(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add("died", trial(0.6))

    def killed(*_: object) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patched:
        patched.setattr(ModelStore, "point", killed)
        with pytest.raises(SystemExit):
            store.add("died", trial(0.7))
    assert alias(store, "died") == "1"
    assert (champion := store.champion("died"))
    assert champion.number == 2
    store.point("died", store.versions("died"))
    assert alias(store, "died") == "2"


def test_a_run_that_died_before_the_version_was_registered_leaves_none(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add("half", trial(0.6))
    with monkeypatch.context() as patched:
        patched.setattr("mlflow.tracking.MlflowClient.create_model_version", lambda *_, **__: 1 / 0)
        with pytest.raises(SystemFailureError, match="keeping a version of model half"):
            store.add("half", trial(0.7))
    assert [version.number for version in store.versions("half")] == [1]


def test_files_that_are_gone_are_told_with_what_to_do(store: ModelStore, settings: ModelSettings) -> None:
    version = store.add("gone", trial())
    shutil.rmtree(Path(str(settings.artifacts)) / "gone")
    with pytest.raises(DataError, match=r"version 1 of model gone: .*The last scores stay. Restore them .* --anew"):
        store.files("gone", version)


def test_a_store_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "models.db").write_text("no database")
    broken = ModelStore(ModelSettings(tracking=f"sqlite:///{tmp_path}/models.db"))
    with pytest.raises(SystemFailureError, match="opening the store of models: the store at sqlite"):
        broken.versions("m")


def test_a_profile_without_a_store_and_one_with_a_password_are_refused(profile: Profile) -> None:
    with pytest.raises(ConfigurationError, match=r"profile 'test' says nothing of `models:`.*Add"):
        model_store(profile.model_copy(update={"models": None}))
    with pytest.raises(ValueError, match="holds a user or a password"):
        ModelSettings(tracking="https://user:pass@models.example.net")
