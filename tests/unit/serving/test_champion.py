"""Which version answers: what a look at the store changes, and what it leaves."""

import threading
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from lakehouse.errors import ConfigurationError, SystemFailureError
from lakehouse.logs import Redaction
from lakehouse.serving.champion import Champion
from lakehouse.serving.metrics import Metrics
from tests.unit.learning.things import made_model
from tests.unit.serving.served import SOON_S, Kept, ranking_model


def champion_of(store: Kept, redaction: Redaction | None = None) -> Champion:
    return Champion(ranking_model(), store, Metrics(), redaction)


def number(champion: Champion) -> int | None:
    return champion.now.version.number if champion.now else None


def test_a_new_champion_comes_into_use_and_the_same_one_is_not_loaded_again() -> None:
    store = Kept()
    champion = champion_of(store)
    champion.look()
    assert (champion.now, champion.trouble) == (None, None)
    store.promote()
    champion.look()
    first = champion.now
    champion.look()
    assert champion.now is first
    store.promote()
    champion.look()
    assert number(champion) == 2


def test_a_version_whose_number_was_given_again_is_another_one() -> None:
    store = Kept()
    champion = champion_of(store)
    store.promote()
    champion.look()
    first = champion.now
    assert store.newest
    store.newest = replace(store.newest, run_id="another")
    champion.look()
    assert champion.now is not first
    assert number(champion) == 1


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_and_is_told_once() -> None:
    store = Kept()
    champion = champion_of(store)
    store.promote()
    champion.look()
    with capture_logs() as logs:
        store.promote({"model.txt": b"no number"})
        champion.look()
        champion.look()
        assert number(champion) == 1
        assert champion.trouble
        assert "version 2 of model ranking cannot be loaded: ValueError" in champion.trouble
        store.promote({})
        champion.look()
        assert "version 3 of model ranking cannot be loaded: KeyError: 'model.txt'" in champion.trouble
    told = [(line["in_use"], line["reason"].split(" cannot")[0]) for line in logs if line["log_level"] == "warning"]
    assert told == [(1, "version 2 of model ranking"), (1, "version 3 of model ranking")]
    store.files_of[3] = {"model.txt": b"3"}
    champion.look()
    assert number(champion) == 3
    assert champion.trouble is None


def test_a_store_that_fails_is_told_once_until_it_answers_again() -> None:
    store = Kept()
    champion = champion_of(store)
    store.promote()
    champion.look()
    with capture_logs() as logs:
        for _ in range(2):
            store.fault = SystemFailureError("the store at x failed")
            champion.look()
            champion.look()
            assert champion.trouble == "the champion of model ranking cannot be asked for: the store at x failed"
            store.fault = None
            champion.look()
            assert champion.trouble is None
    assert len(logs) == 2
    assert number(champion) == 1


def test_the_last_champion_stays_when_the_store_has_none_any_more() -> None:
    store = Kept()
    champion = champion_of(store)
    store.promote()
    champion.look()
    store.newest = None
    champion.look()
    assert number(champion) == 1
    assert champion.trouble == "model ranking has no champion any more; the last one stays in use"


def test_secrets_are_taken_out_of_what_is_told() -> None:
    store = Kept()
    champion = champion_of(store, Redaction(["a-secret"]))
    store.fault = RuntimeError("refused a-secret")
    with capture_logs() as logs:
        champion.look()
    assert champion.trouble == "the champion of model ranking cannot be asked for: RuntimeError: refused [secret]"
    assert "a-secret" not in str(logs)


def test_it_looks_on_in_a_thread_that_ends_with_the_block() -> None:
    store = Kept()
    champion = champion_of(store)
    before = set(threading.enumerate())
    with champion.kept_up(SOON_S):
        store.promote()
        store.await_looks(2)
        assert number(champion) == 1
    assert set(threading.enumerate()) <= before


def test_a_learner_that_cannot_rank_is_refused() -> None:
    told = r"serving model 'm': its class Nothing has no method `ranks`; expected .* Name another model by --model"
    with pytest.raises(ConfigurationError, match=told):
        Champion(made_model(), Kept(), Metrics())
