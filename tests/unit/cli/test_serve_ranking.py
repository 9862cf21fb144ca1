"""`lakehouse serve-ranking`: what it refuses to start with."""

import sys
from pathlib import Path

import pytest

from tests.unit.cli.conftest import PROFILE, Lakehouse

TOKEN = "the-token-of-the-tests"
LEARNER = '''
from lakehouse.learning import model

@model(name="churn", scores="churn_scores", reads={"events": "silver.events"}, times={"events": "at"}, clock="events",
       holdout_days=90, gate="auc", grain="id", columns={"id": "Who."})
class Churn:
    """Who leaves."""
    def train(self, known, champion, seed): ...
    def judge(self, trained, known, since, seed): ...
    def score(self, trained, known): ...
'''


@pytest.fixture
def project(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a token and one model, which cannot rank."""
    monkeypatch.setenv("LAKEHOUSE_SERVING_TOKEN", TOKEN)
    models = "models: {tracking: 'sqlite:///${home}/models.db', serving_token: '${LAKEHOUSE_SERVING_TOKEN:-}'}\n"
    (root / "conf" / "own.yml").write_text(PROFILE + models)
    (root / "registry" / "own").mkdir()
    (root / "registry" / "own" / "events.yml").write_text("source: {connection: app, relation: public.events}\n")
    (root / "registry" / "own" / "churn.py").write_text(LEARNER)
    return root


@pytest.mark.parametrize("token", ["", "  "])
def test_without_a_token_it_does_not_start_and_says_what_to_set(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("LAKEHOUSE_SERVING_TOKEN", token)
    done = lakehouse("serve-ranking")
    assert done.exit_code == 2
    assert "profile 'own' has no token" in done.stderr
    assert "set LAKEHOUSE_SERVING_TOKEN" in done.stderr


def test_a_model_that_is_not_there_or_cannot_rank_is_refused(project: Path, lakehouse: Lakehouse) -> None:
    done = lakehouse("serve-ranking")
    assert done.exit_code == 2
    assert "serving: 0 models of the registry can rank; expected one where none is named." in done.stderr
    done = lakehouse("serve-ranking", "--model", "order")
    assert done.exit_code == 2
    assert "the registry has no model 'order'; expected one of its models. There is: churn." in done.stderr
    done = lakehouse("serve-ranking", "--model", "churn")
    assert done.exit_code == 2
    assert "its class Churn has no method `ranks`" in done.stderr
    assert TOKEN not in done.output


def test_an_extra_that_is_not_installed_is_told(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lakehouse.serving.server", None)
    done = lakehouse("serve-ranking")
    assert done.exit_code == 2
    assert "expected the extra `models`. Run `pip install 'lakehouse[models]'`" in done.stderr


def test_it_is_among_the_commands(lakehouse: Lakehouse) -> None:
    assert "serve-ranking" in lakehouse("--help").output
    assert "--reload-seconds" in lakehouse("serve-ranking", "--help").output
